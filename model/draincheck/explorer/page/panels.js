// The panels below the lanes: what the selected step did, the state after it, what else could happen there.

/**
 * @typedef {object} View  all that a panel may show
 * @property {ExplorerDocument} file
 * @property {Subject} subject
 * @property {Shown | null} shown
 * @property {System} system
 * @property {Evidence | null} evidence
 * @property {Route} route
 * @property {Walk} walk
 * @property {Step[]} steps  of the walk
 * @property {number} state  after the last of them
 * @property {Settings} settings
 * @property {(route: Partial<Route>) => void} go
 * @property {() => void} redraw
 * @property {(text: string) => void} say  why something that was asked for does nothing
 */
/** @typedef {{filter: "changed" | "told" | "all", folded: boolean, open: Set<string>}} Settings  "told": what is not as it was in the beginning, too */

/**
 * @param {string} title
 * @param {...Child} children
 */
function card(title, ...children) {
  return make("section", { class: "card", "aria-label": title }, make("h3", {}, title), ...children);
}

/**
 * A button that is found again, with the focus, after everything was drawn anew.
 * @param {string} key
 * @param {() => void} act
 * @param {Attributes} attributes
 * @param {...Child} children
 */
function button(key, act, attributes, ...children) {
  return make("button", { type: "button", "data-key": key, click: act, ...attributes }, ...children);
}

/**
 * What the selected step did, as a call tree.
 * @param {View} view
 */
function stackPanel(view) {
  const step = view.steps[view.steps.length - 1];
  if (!step) return card("The first state", make("p", {}, "Nothing has happened yet. Go on to the right, or choose a step."));
  const lines = treeOf(view.system.tables, step.events);
  const process = view.system.tables.processes[step.process].name;
  const line = view.evidence?.logged[step.number - 1];
  return card(line ? `Step ${step.number}: line ${line}` : `Step ${step.number}: calls`, make("p", { class: "sub" }, `done by ${process}`), make("div", { class: "stack mono" }, ...lines));
}

/**
 * @param {SystemTables} tables
 * @param {CallEvent[]} events
 */
function treeOf(tables, events) {
  /** @type {HTMLElement[]} */
  const lines = [];
  /** @type {string[]} */
  let before = [];
  for (const event of events) {
    const stack = event.stack.map((call) => callText(tables, call));
    let depth = 0;
    while (depth < stack.length && stack[depth] === before[depth]) depth++;
    stack.slice(depth).forEach((name, i) => lines.push(lineOf(depth + i, name, "call")));
    if (event.label || event.changes.length) lines.push(leafOf(tables, event, stack.length));
    before = stack;
  }
  return lines.length ? lines : [lineOf(0, "control goes on; nothing that is shown changes", "sub")];
}

/**
 * @param {SystemTables} tables
 * @param {CallEvent} event
 * @param {number} depth
 */
function leafOf(tables, event, depth) {
  const line = lineOf(depth, `${event.mark ? `(${event.mark}) ` : ""}${event.label || "(goes on)"}`, "leaf");
  const changes = event.changes.map((change) => assigned(tables, change.variable, change.after)).join(", ");
  if (changes) line.append(" ", make("span", { class: "change" }, changes));
  return line;
}

/**
 * @param {number} depth
 * @param {string} text
 * @param {string} kind
 */
function lineOf(depth, text, kind) {
  const line = make("span", { class: `line ${kind}` }, text);
  line.style.setProperty("--depth", String(depth));
  return line;
}

const FILTERS = /** @type {[Settings["filter"], string][]} */ ([["changed", "changed here"], ["told", "not initial"], ["all", "all"]]);

/**
 * The state after the selected step.
 * @param {View} view
 */
function statePanel(view) {
  const { system, walk, settings } = view;
  const before = walk.states[walk.states.length - 2] ?? view.state;
  const rows = system.tables.variables.map((variable, i) => ({ variable, old: system.value(before, i), now: system.value(view.state, i) }))
    .filter((row) => !row.variable.hidden && isWanted(row.variable, row.old, row.now, settings.filter));
  const choose = FILTERS.map(([name, text]) => button(`filter ${name}`, () => { settings.filter = name; view.redraw(); }, { "aria-pressed": String(settings.filter === name) }, text));
  return make("section", { class: "card", "aria-label": "State" },
    make("div", { class: "row" }, make("h3", {}, "State"), ...choose),
    rows.length ? make("table", { class: "values" }, make("tbody", {}, ...rows.map(rowOf))) : make("p", { class: "sub" }, settings.filter === "changed" ? "This step changes nothing that is shown." : "All is as in the first state."));
}

/**
 * @param {Variable} variable
 * @param {number} old
 * @param {number} now
 * @param {Settings["filter"]} filter
 */
function isWanted(variable, old, now, filter) {
  return filter === "all" || old !== now || (filter === "told" && now !== variable.initial);
}

/** @param {{variable: Variable, old: number, now: number}} row */
function rowOf({ variable, old, now }) {
  const value = old === now ? variable.values[now] : [make("s", {}, variable.values[old]), " → ", variable.values[now]];
  return make("tr", { class: old === now ? null : "changed" }, make("td", {}, variable.name), make("td", {}, .../** @type {Child[]} */ ([value].flat())));
}

/**
 * What is enabled in the selected state, and what comes of it.
 * @param {View} view
 */
function choicesPanel(view) {
  const { system, walk } = view, edges = system.edges(view.state), onTrace = choiceOfTrace(system, view.evidence, walk);
  const crumbs = walk.own ? make("ol", { class: "crumbs", "aria-label": "your own path" }, ...crumbsOf(view)) : null;
  const empty = system.isExpanded(view.state) ? "Nothing can happen here any more." : `Here the part of the graph that this file holds ends: it has ${system.tables.graph.said}.`;
  return card(`What could happen next (${edges.length})`, rootsOf(view),
    edges.length ? make("ol", { class: "choices" }, ...edges.map((edge, i) => make("li", {}, choiceOf(view, edge, i, i === onTrace, "choice")))) : make("p", {}, empty), crumbs);
}

/**
 * Where a walk may begin, if there is a choice.
 * @param {View} view
 */
function rootsOf(view) {
  const { roots } = view.system.tables.graph, root = view.walk.states[0];
  if (view.evidence || view.walk.variants.length || roots < 2) return null;
  return make("p", {}, `First state ${root + 1} of ${roots}. `, button("root", () => view.go({ step: (root + 1) % roots, own: [] }), {}, "begin in the next one"));
}

/**
 * A step that can be taken.
 * @param {View} view
 * @param {Edge} edge
 * @param {number} number
 * @param {boolean} isTrace  whether the counterexample goes on so
 * @param {string} kind  "choice", which has its number as a key, or "instead"
 */
function choiceOf(view, edge, number, isTrace, kind) {
  const { tables } = view.system, variant = tables.variants[edge.variant];
  const attributes = { disabled: edge.target === null, "aria-current": isTrace ? "true" : null };
  const process = tables.processes[view.system.processOf(edge.variant)].name;
  return button(`${kind} ${number}`, () => take(view, number), attributes, outcomeOf(view, edge),
    kind === "choice" ? make("kbd", {}, String(number + 1)) : null, make("span", { class: "what" }, variant.label),
    make("small", {}, `${process}${isTrace ? " · the counterexample goes on so" : ""}`));
}

/**
 * What could have happened instead of the selected step.
 * @param {View} view
 */
function insteadPanel(view) {
  if (!view.walk.variants.length) return null;
  const earlier = oneStepEarlier(view), number = view.walk.variants.length;
  const taken = view.walk.variants[number - 1];
  const others = view.system.edges(earlier.state).map((edge, i) => ({ edge, i })).filter(({ edge }) => edge.variant !== taken || edge.target !== view.state);
  return make("section", { class: "card instead", "aria-label": `Instead of step ${number} (${others.length})` }, make("h3", {}, `↶ Instead of step ${number} (${others.length})`), others.length
    ? make("ol", { class: "choices" }, ...others.map(({ edge, i }) => make("li", {}, choiceOf(earlier, edge, i, false, "instead"))))
    : make("p", { class: "sub" }, "Nothing else could have happened here. ", forkOf(view)));
}

/**
 * The way to the last step before this one instead of which something else could have happened.
 * @param {View} view
 */
function forkOf(view) {
  const { walk, system, route } = view;
  let fork = walk.variants.length - 1;
  while (fork > 0 && system.edges(walk.states[fork - 1]).length < 2) fork--;
  if (fork < 1) return "Nor before.";
  const change = fork > walk.left ? { own: route.own.slice(0, fork - walk.left) } : view.evidence ? { step: fork, own: [] } : { own: [] };
  return button("fork", () => view.go(change), { class: "small" }, `the nearest step with another way: step ${fork}`);
}

/**
 * The same view, one step earlier.
 * @param {View} view
 * @returns {View}
 */
function oneStepEarlier(view) {
  const { walk, route } = view, own = Math.max(0, walk.own - 1), left = walk.own ? walk.left : walk.left - 1;
  const states = walk.states.slice(0, -1);
  return { ...view, walk: { states, variants: walk.variants.slice(0, -1), left, own }, route: { ...route, own: route.own.slice(0, own) }, state: states[states.length - 1] };
}

/**
 * What comes of a step, as far as the property in question is concerned.
 * @param {View} view
 * @param {Edge} edge
 */
function outcomeOf(view, edge) {
  const variant = view.system.tables.variants[edge.variant];
  if (variant.error || edge.target === null) return judgement("bad", `ends with an error: ${variant.error}`);
  const property = view.evidence?.property, broken = variant.broken ?? [];
  const names = broken.map((index) => view.system.tables.properties[index].name);
  if (property === undefined) return names.length ? judgement("bad", `violates ${names.join(", ")}`) : null;
  const { name } = view.system.tables.properties[property];
  if (broken.includes(property)) return judgement("bad", `violates ${name} in this step`);
  if (isViolated(view, property)) return judgement("unknown", `${name} is violated already`);
  return possibilityOf(view.system, edge.target, property);
}

/**
 * What is possible from a state, in words; null where nobody knows.
 * @param {System} system
 * @param {number} state
 * @param {number} property
 */
function possibilityOf(system, state, property) {
  const { name } = system.tables.properties[property];
  const found = POSSIBILITIES[possible(system, state, property)];
  return found ? judgement(found.tone, `${found.word}: ${found.told(name)}`) : null;
}

/**
 * Whether a property has been violated on the way.
 * @param {View} view
 * @param {number} property
 */
function isViolated({ system, walk }, property) {
  return standingOf(system, property, walk.states, walk.variants).tone === "bad";
}

/** @param {View} view */
function crumbsOf(view) {
  const { walk, route } = view;
  const back = view.evidence ? `step ${walk.left} of the counterexample` : "first state";
  const own = view.steps.slice(walk.left).map((step, i) =>
    make("li", {}, button(`crumb ${i}`, () => view.go({ own: route.own.slice(0, i + 1) }), {}, `${step.number}: ${view.system.tables.variants[step.variant].label}`)));
  return [make("li", {}, button("crumb back", () => view.go({ own: [] }), {}, `↩ ${back}`)), ...own];
}

/**
 * The truth of each property up to here: first what is not in order, and what the counterexample is about.
 * @param {View} view
 */
function rulesPanel(view) {
  const all = view.system.tables.properties.map((_, index) => standingHere(view, index));
  const first = all.filter((standing) => standing.tone === "bad" || standing.tone === "warn" || standing.property === view.evidence?.property);
  const rest = all.filter((standing) => !first.includes(standing));
  first.sort((a, b) => Number(b.property === view.evidence?.property) - Number(a.property === view.evidence?.property));
  return card("Rules, up to here", ruleList(view, first), rest.length ? unfolding(view, "rules", `${counted(rest.length, "other rule")}, none of them violated so far`, ruleList(view, rest)) : null);
}

/**
 * How it stands with a property; at the end of a run that violates it, whatever its states say, so.
 * @param {View} view
 * @param {number} property
 * @returns {Standing}
 */
function standingHere(view, property) {
  const { evidence, system, walk } = view, found = standingOf(system, property, walk.states, walk.variants);
  const shown = evidence && isAtEnd(view) && !["reached", "open"].includes(evidence.end.kind) && [evidence.property, ...evidence.also].includes(property);
  return shown && found.tone !== "bad" ? { property, word: "violated by this run", tone: "bad", step: null } : found;
}

/**
 * @param {View} view
 * @param {Standing[]} rules
 */
function ruleList(view, rules) {
  return make("ul", { class: "rules" }, ...rules.map((standing) => {
    const { name, meaning } = view.system.tables.properties[standing.property];
    return make("li", {}, make("b", { class: standing.tone === "bad" ? "bad" : "" }, name), " ", judgement(standing.tone, standing.word), " ", sinceOf(view, standing), meaning ? make("div", { class: "sub" }, meaning) : null);
  }));
}

/**
 * Since when, with a way there.
 * @param {View} view
 * @param {Standing} standing
 */
function sinceOf(view, { property, step, tone }) {
  if (step === null) return null;
  const since = step === 0 ? "from the start" : `${tone === "warn" ? "since" : "in"} step ${step}`;
  return view.evidence && step <= view.walk.left ? button(`rule ${property}`, () => view.go({ step, own: [] }), { class: "small" }, since) : since;
}

/**
 * What is shown when somebody wants it, and stays so.
 * @param {View} view
 * @param {string} key
 * @param {string} summary
 * @param {...Child} children
 */
function unfolding(view, key, summary, ...children) {
  const { open } = view.settings;
  /** @param {Event} event */
  const remember = (event) => void open[/** @type {HTMLDetailsElement} */ (event.target).open ? "add" : "delete"](key);
  return make("details", { open: open.has(key) ? "" : null, toggle: remember }, make("summary", { "data-key": `unfold ${key}` }, summary), ...children);
}

/**
 * What the guest was told, and what is on the disks.
 * @param {View} view
 */
function lostPanel(view) {
  const bytes = view.shown?.replay;
  if (!bytes) return null;
  const rows = bytes.rows.flatMap(([name, value, note]) => [make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "value" }, value)),
    note ? make("tr", { class: "note" }, make("td"), make("td", { class: "sub" }, note)) : null]);
  return card(bytes.lost_here ? "What was lost" : bytes.lost_later ? "What is lost if it goes on" : "With real bytes", make("p", {}, bytes.sentence), rows.length ? make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "bytes" }, make("table", { class: "bytes" }, make("tbody", {}, ...rows))) : null);
}

/**
 * Until when it could be avoided, by what, and what mends it.
 * @param {View} view
 */
function remedyPanel(view) {
  const turning = view.evidence?.turning, remedy = view.shown?.remedy;
  if (!view.evidence || !(turning || remedy || view.evidence.untold)) return null;
  return card("What would have prevented it",
    make("p", {}, turning ? turning.sentence : view.evidence.untold),
    turning?.step ? make("p", {}, button("turning", () => view.go({ step: turning.step, own: [] }), {}, `show step ${turning.step}`)) : null,
    turning?.alternatives.length ? make("p", {}, `Instead of step ${turning.step}:`) : null,
    turning?.alternatives.length ? make("ul", { class: "plain" }, ...turning.alternatives.map((way) => alternativeOf(way, view.system.tables.properties[view.evidence?.property ?? 0]))) : null,
    remedy ? make("p", { class: "next" }, remedy.sentence) : null,
    remedy?.lines.length ? make("ul", { class: "plain" }, ...remedy.lines.map((line) => make("li", {}, line))) : null);
}

/**
 * @param {Alternative} alternative
 * @param {Property} property
 */
function alternativeOf(alternative, property) {
  const rest = alternative.rest.length ? make("details", {}, make("summary", {}, counted(alternative.rest.length, "more step")), make("ol", {}, ...alternative.rest.map((each) => make("li", {}, each)))) : null;
  const { tone, word } = POSSIBILITIES[possibility(property, alternative.fate)];
  return make("li", {}, alternative.sentence, " ", judgement(tone, word), rest);
}

/**
 * The log's own lines around the selected step.
 * @param {View} view
 */
function linesPanel(view) {
  const here = view.evidence?.logged[Math.max(view.walk.left, 1) - 1];
  if (here === undefined) return null;
  const lines = (view.evidence?.excerpt ?? []).filter(([number]) => Math.abs(number - here) <= AROUND);
  const shown = lines.flatMap(([number, text], i) => [i && number - lines[i - 1][0] > 1 ? lineOf(0, "…", "sub") : null,
    lineOf(0, `${number}  ${text}`, number === here ? "leaf change" : "sub")]);
  return card(`The log around line ${here}`, shown.length ? make("div", { class: "stack lines mono" }, ...shown) : make("p", { class: "sub" }, "Its lines were not kept."));
}

/** lines of a log before a step, and behind it */
const AROUND = 4;

/**
 * What else is known of a run.
 * @param {View} view
 */
function notePanels(view) {
  return (view.shown?.notes ?? []).map(({ title, sentence, lines, subject }) => card(title, make("p", {}, sentence),
    subject === null ? null : make("p", {}, make("a", { href: `#/${subject}/0` }, `look at it: ${view.file.subjects[subject].title}`)),
    lines.length ? make("pre", {}, lines.join("\n")) : null));
}

/**
 * How it ends.
 * @param {View} view
 */
function endPanel(view) {
  const end = view.evidence?.end;
  if (!end) return null;
  return card("How it ends", make("p", {}, end.sentence), end.lines.length ? make("pre", {}, end.lines.join("\n")) : null);
}
