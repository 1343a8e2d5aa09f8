// The keyboard.

/** @type {[string, string][]} */
const KEYS = [
  ["← →", "one step back, one on"], ["Home End", "the first state, the last step"], ["n p", "the next, the previous step of the story"],
  ["[ ]", "the previous, the next counterexample"], ["1 … 9", "take the step with this number: leave the counterexample"],
  ["Backspace", "one step back on your own path"], ["t", "back to the counterexample"], ["f", "fold the steps that change nothing, or show all"],
  ["s", "what is shown of the state"], ["o", "the answer, from which all begins"], ["?", "this help"],
];

/** @param {ExplorerDocument} file */
function help(file) {
  const rows = KEYS.map(([keys, what]) => make("tr", {}, make("td", {}, ...keys.split(" ").flatMap((key) => [make("kbd", {}, key), " "])), make("td", {}, what)));
  const words = Object.values(POSSIBILITIES).map(({ word, told }) => [word, told("the rule")]);
  openDialog("Keys and words", make("table", {}, make("tbody", {}, ...rows)),
    make("p", {}, "What a step leads to, as far as the rule of the counterexample is concerned:"),
    wordTable(words), Object.keys(file.glossary).length ? make("p", {}, "Other words:") : null, wordTable(Object.entries(file.glossary)));
}

/** @param {string[][]} words */
function wordTable(words) {
  return make("table", {}, make("tbody", {}, ...words.map(([word, what]) => make("tr", {}, make("td", {}, word), make("td", {}, what)))));
}

/**
 * What a key does where somebody walks; null for a key that does nothing.
 * @param {string} key
 * @param {View} view
 * @returns {(() => void) | null}
 */
function actOf(key, view) {
  const { walk, route } = view;
  const last = view.evidence ? view.evidence.variants.length : 0;
  /** @type {Record<string, () => void>} */
  const acts = {
    ArrowRight: () => forward(view), ArrowLeft: () => back(view),
    Home: () => view.go({ step: view.evidence ? 0 : route.step, own: [] }), End: () => view.go({ step: view.evidence ? last : route.step, own: [] }),
    n: () => toStory(view, 1), p: () => toStory(view, -1),
    "[": () => toEvidence(view, -1), "]": () => toEvidence(view, 1),
    Backspace: () => back(view), t: () => view.go({ own: [] }),
    f: () => fold(view),
    s: () => { view.settings.filter = FILTERS[(FILTERS.findIndex(([name]) => name === view.settings.filter) + 1) % FILTERS.length][0]; view.redraw(); },
  };
  if (/^[1-9]$/.test(key)) return () => take(view, Number(key) - 1);
  return (walk && acts[key]) ?? null;
}

/**
 * Fold steps or show all, where there is something to fold.
 * @param {View} view
 */
function fold(view) {
  if (!canFold(view)) view.say(`Nothing is folded here: steps that change nothing are left out of runs of more than ${LONG} steps.`);
  else {
    view.settings.folded = !view.settings.folded;
    view.redraw();
  }
}

/**
 * One step on: that of the counterexample; away from it the only one that there is.
 * @param {View} view
 */
function forward(view) {
  const next = nextOfTrace(view.evidence, view.walk);
  if (next !== null) view.go({ step: next, own: [] });
  else if ((view.walk.own || !view.evidence) && view.system.edges(view.state).length === 1) take(view, 0);
}

/**
 * Whether there is such a step.
 * @param {View} view
 */
function canGoOn({ evidence, walk, system, state }) {
  return nextOfTrace(evidence, walk) !== null || ((walk.own > 0 || !evidence) && system.edges(state).length === 1);
}

/** @param {View} view */
function back(view) {
  if (view.walk.own) view.go({ own: view.route.own.slice(0, view.walk.own - 1) });
  else if (view.evidence && view.walk.left) view.go({ step: view.walk.left - 1, own: [] });
}

/**
 * @param {View} view
 * @param {number} choice
 */
function take(view, choice) {
  const edge = view.system.edges(view.state)[choice];
  if (!edge || edge.target === null) {
    view.say(edge ? "Nothing comes after that step: it is an error." : `There is no step ${choice + 1} to take here.`);
    return;
  }
  if (choice === choiceOfTrace(view.system, view.evidence, view.walk)) forward(view);
  else view.go({ step: view.evidence ? view.walk.left : view.route.step, own: [...view.route.own.slice(0, view.walk.own), choice] });
}

/**
 * @param {View} view
 * @param {1 | -1} way
 */
function toStory(view, way) {
  const steps = (view.evidence?.story ?? []).map((item) => item.step).filter((step) => (step - view.walk.left) * way > 0);
  if (steps.length) view.go({ step: way > 0 ? Math.min(...steps) : Math.max(...steps), own: [] });
}

/**
 * @param {View} view
 * @param {1 | -1} way
 */
function toEvidence(view, way) {
  const { subjects } = view.file;
  const all = subjects.flatMap((subject, i) => subject.evidence.map((_, j) => ({ subject: i, evidence: j })));
  const here = all.findIndex((item) => item.subject === view.route.subject && item.evidence === view.route.evidence);
  const next = all[here + way];
  if (next) view.go({ ...next, step: null, own: [] });
  else view.say(way > 0 ? "This is the last counterexample." : "This is the first counterexample.");
}
