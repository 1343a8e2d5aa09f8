// The page of a counterexample, or of a walk without one.

/** @param {View} view */
function walkPage(view) {
  const { shown, subject } = view;
  return make("div", {}, titleOf(view), make("p", { class: "sub" }, subtitle(view)), codeBaseOf(subject) ? make("p", { class: "sub" }, codeBaseOf(subject)) : null,
    leftNotice(view), hasLeft(view) ? null : storyOf(view), lanesOf(view), legendOf(view),
    make("div", { class: "columns" },
      make("div", {}, stackPanel(view), ...(isLogged(subject) ? [linesPanel(view)] : [insteadPanel(view), waitingPanel(view)])),
      make("div", {}, isLogged(subject) ? null : choicesPanel(view), statePanel(view), hasLeft(view) ? null : rulesPanel(view)),
      make("div", {}, ...(hasLeft(view) ? [rulesPanel(view)] : [lostPanel(view), remedyPanel(view), endPanel(view), ...notePanels(view)]))),
    textOf(view), make("p", { class: "sub" }, "Shown again by: ", make("code", {}, shown ? shown.command : subject.command)));
}

/**
 * Whether a subject is what somebody has seen, and not a model: nobody knows what else could have happened.
 * @param {Subject} subject
 */
function isLogged({ kind }) {
  return kind === "log";
}

/** @param {View} view */
function titleOf(view) {
  const { shown, subject, walk } = view;
  if (!shown) return make("h1", {}, `A walk in ${subject.title}`);
  if (hasLeft(view)) return make("h1", { class: "own" }, `Your own path, which left a counterexample after step ${walk.left}`);
  return make("h1", { class: shown.tone === "bad" ? "bad" : "" }, shown.headline);
}

/**
 * Whether what is seen is a path of one's own, of which nothing is true that is said of the counterexample and comes after they parted.
 * @param {View} view
 */
function hasLeft({ evidence, walk }) {
  return evidence !== null && walk.own > 0;
}

/** @param {View} view */
function subtitle(view) {
  const { subject, system, evidence } = view;
  if (!evidence) return system.tables.graph.said;
  const { name, meaning } = system.tables.properties[evidence.property];
  const also = evidence.also.map((index) => system.tables.properties[index].name).join(", ");
  const rule = [subject.title, meaning ? `${name}: ${meaning}` : name];
  return (hasLeft(view) ? rule : [...rule, evidence.title, also && `the same steps show ${also}, too`]).filter(Boolean).join(" · ");
}

/** @param {View} view */
function storyOf(view) {
  const { evidence, walk } = view;
  const items = (evidence?.story ?? []).map((item, i) => make("li", {}, button(`story ${i}`, () => view.go({ step: item.step, own: [] }),
    { class: item.tone, "aria-current": !walk.own && walk.left === item.step ? "true" : null },
    make("b", {}, item.mark ? `(${item.mark}) ` : "", item.title), item.text ? make("span", {}, item.text) : null, make("small", {}, `step ${item.step} · ${item.detail}`))));
  return items.length ? make("ol", { class: "story", "aria-label": "the story" }, ...items) : null;
}

/** @param {View} view */
function leftNotice(view) {
  if (!hasLeft(view) || !view.evidence) return null;
  const name = view.system.tables.properties[view.evidence.property].name;
  const whole = `The counterexample: ${view.shown?.headline}. Its later steps stand in grey; its story, and what comes of it, are not said here.`;
  return make("div", { class: "notice" }, make("p", {}, isViolated(view, view.evidence.property) ? judgement("bad", `${name} is violated`) : possibilityOf(view.system, view.state, view.evidence.property), " ", button("return", () => view.go({ own: [] }), {}, "return to the counterexample (t)")),
    make("p", { class: "sub" }, whole));
}

/**
 * The lanes as a scene.
 * @param {View} view
 * @returns {Scene}
 */
function sceneOf(view) {
  const { system, evidence, walk, settings } = view;
  const drawing = evidence?.drawing, property = evidence?.property ?? null;
  const folded = settings.folded && (evidence?.variants.length ?? 0) > LONG;
  const shared = hasLeft(view) ? walk.left : Infinity, lostAt = evidence?.turning?.lost_at;
  const dots = evidence ? evidence.variants.map((variant, i) => dotOf(system, property, variant, evidence.states[i + 1], i + 1, evidence.folded[i])) : [];
  const own = view.steps.slice(walk.left).map((step) => dotOf(system, property, step.variant, step.state, step.number, false));
  const lanes = [...new Set([...(drawing?.lanes ?? []), ...own.map((dot) => dot.lane)])];
  for (const dot of [...dots, ...own]) dot.lane = lanes.indexOf(dot.lane);
  if (isLogged(view.subject)) for (const dot of dots) dot.fate = "";
  return { lanes: lanes.map((lane) => laneOf(system.tables.lanes[lane])), dots, own, left: walk.left,
    bands: upTo(drawing?.bands ?? [], shared), windows: upTo(drawing?.windows ?? [], shared), arrows: (drawing?.arrows ?? []).map((arrow) => ({ from: arrow.start, to: arrow.end, label: `${arrow.kind} ${arrow.what.join(", ")}` })),
    pins: (evidence?.story ?? []).map((item) => ({ step: item.step, text: `${item.mark ? `(${item.mark}) ` : ""}${item.title}` })),
    noReturn: lostAt && lostAt <= shared ? lostAt : null, loop: hasLeft(view) ? null : evidence?.loop ?? null, selected: walk.variants.length, folded, room: roomForLanes(),
    go: (step) => (step > walk.left && walk.own ? view.go({ own: view.route.own.slice(0, step - walk.left) }) : view.go({ step, own: [] })) };
}

/**
 * The parts of spans up to a step.
 * @template {Span} T
 * @param {T[]} spans
 * @param {number} last
 * @returns {T[]}
 */
function upTo(spans, last) {
  return spans.filter((span) => span.first <= last).map((span) => ({ ...span, last: Math.min(span.last, last) }));
}

/** How wide the lanes can be without being scrolled. */
function roomForLanes() {
  return Math.min(document.documentElement.clientWidth, 1400) - (NARROW.matches ? 24 : 48) - namesWidth() - 3;
}

/** @param {Lane} lane */
function laneOf({ name, kind, group }) {
  return { name, detail: kind === "context" ? group : kind, group };
}

/** steps from which on those that change nothing are left out at first */
const LONG = 45;

/**
 * @param {System} system
 * @param {number | null} property
 * @param {number} variant
 * @param {number} state
 * @param {number} step
 * @param {boolean} folded
 * @returns {Dot}
 */
function dotOf(system, property, variant, state, step, folded) {
  const { label, lane, action, broken, taken } = system.tables.variants[variant];
  const { parts } = system.tables.actions[action];
  const mark = taken.map((place) => parts[place].mark ?? "").find(Boolean) ?? "";
  const fate = property === null ? "" : possible(system, state, property);
  const bad = (property !== null && broken?.includes(property)) || fate === "violated";
  return { step, lane: lane ?? 0, label, mark, tone: bad ? "bad" : "", folded, fate: bad ? "violated" : fate };
}

/** @param {View} view */
function lanesOf(view) {
  const scene = sceneOf(view);
  if (!scene.lanes.length) return null;
  const drawing = new Drawing(scene);
  const time = make("div", { class: "time", tabindex: 0, role: "group", "aria-label": "timeline, scrolls to the side" }, drawing.time());
  return make("div", { class: "card lanes" }, make("div", { class: "names" }, drawing.names()), time);
}

/**
 * Whether steps of the counterexample can be left out of the lanes.
 * @param {View} view
 */
function canFold({ evidence }) {
  return (evidence?.variants.length ?? 0) > LONG && Boolean(evidence?.folded.some(Boolean));
}

/** @param {View} view */
function legendOf(view) {
  const folding = canFold(view) ? button("fold", () => fold(view), {}, view.settings.folded ? "show all steps (f)" : "fold steps that change nothing (f)") : null;
  const own = view.walk.own ? make("span", { class: "own" }, "■ your own path") : null;
  const { complete, said } = view.system.tables.graph;
  const other = isLogged(view.subject) ? null : [make("kbd", {}, "1"), "…", make("kbd", {}, "9"), " take another step, "];
  return make("div", { class: "legend" }, make("span", {}, "● a step"), make("span", { class: "bad" }, "● violates the rule"), own,
    make("span", {}, make("kbd", {}, "←"), " ", make("kbd", {}, "→"), " step, ", ...(other ?? []), make("kbd", {}, "?"), " help"), complete ? null : make("span", {}, `in this file: ${said}`), folding);
}

/**
 * All steps as text: what the drawings say, for those who cannot see them, and to copy.
 * @param {View} view
 */
function textOf(view) {
  return make("div", { class: "card below" }, unfolding(view, "text", view.walk.own ? "Your own path as text" : "All steps as text", make("pre", { class: "alltext" }, stepsAsText(view, hasLeft(view) ? view.steps : stepsOfAll(view)))));
}

/**
 * All steps of the counterexample; without one those of the walk.
 * @param {View} view
 */
function stepsOfAll({ system, evidence, steps }) {
  return evidence ? stepsOf(system, evidence.states, evidence.variants) : steps;
}

/**
 * @param {View} view
 * @param {Step[]} steps
 */
function stepsAsText({ system }, steps) {
  return steps.map((step) => {
    const lines = treeOf(system.tables, step.events);
    const text = lines.map((line) => "  ".repeat(Number(line.style.getPropertyValue("--depth"))) + line.textContent);
    return [`${step.number}  ${system.tables.processes[step.process].name}`, ...text.map((line) => `     ${line}`)].join("\n");
  }).join("\n");
}
