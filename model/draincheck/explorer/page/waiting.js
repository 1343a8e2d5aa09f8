// Who waits for what: in the selected state, and at the end of a counterexample.

/**
 * Where each process stands in the selected state, and what it waits for.
 * @param {View} view
 */
function waitingPanel(view) {
  const { system, state } = view, edges = system.edges(state);
  const rows = system.tables.processes.map((process, index) => rowOfProcess(system, state, process, index, edges));
  const end = isAtEnd(view) ? view.evidence?.waiting ?? null : null;
  return card(end ? "Who waits for what, at the end" : "Who waits for what",
    end ? endOfWaiting(system, end) : null,
    make("table", { class: "rules" }, make("tbody", {}, ...rows)));
}

/** @param {View} view */
function isAtEnd(view) {
  return view.evidence !== null && !view.walk.own && view.walk.left === view.evidence.variants.length;
}

/**
 * @param {System} system
 * @param {number} state
 * @param {Process} process
 * @param {number} index
 * @param {Edge[]} edges
 */
function rowOfProcess(system, state, process, index, edges) {
  const own = edges.filter((edge) => system.processOf(edge.variant) === index);
  const place = placeOf(system, state, process);
  const [tone, word, why] = doingOf(system, state, process, index, own.length, place);
  const where = place?.place.names.length ? `at: ${place.place.names.join(", ")}` : "";
  return make("tr", {}, make("td", {}, process.name), make("td", {}, make("b", { class: tone }, word), why ? ` ${why}` : "", where ? make("span", { class: "sub" }, make("br"), where) : null));
}

/**
 * @param {System} system
 * @param {number} state
 * @param {Process} process
 * @returns {{number: number, place: Place} | null}
 */
function placeOf(system, state, process) {
  const number = process.counter === null ? 0 : Number(shownValue(system, state, process.counter));
  const place = process.places[number];
  return place ? { number, place } : null;
}

/**
 * @param {System} system
 * @param {number} state
 * @param {number} variable
 */
function shownValue(system, state, variable) {
  return system.tables.variables[variable].values[system.value(state, variable)];
}

/**
 * @param {System} system
 * @param {number} state
 * @param {Process} process
 * @param {number} index
 * @param {number} enabled
 * @param {{number: number, place: Place} | null} at
 * @returns {[Tone | "", string, string]}
 */
function doingOf(system, state, process, index, enabled, at) {
  const here = actionsAt(system, index, at);
  if (enabled) return ["good", "can go on", ""];
  if (at && typeof at.place.awaits === "number" && at.place.back !== null && !system.holds(state, at.place.back)) return ["", "waits", `until ${system.tables.processes[at.place.awaits].name} gives control back`];
  if (at?.place.ended || !here.length) return ["", "has ended", ""];
  if (process.token !== null && shownValue(system, state, process.token) === "0") return ["", "is parked", "until somebody enters it"];
  const missing = missingOf(system, state, here);
  return ["warn", "waits", missing.length ? `for ${missing.join(", or ")}` : ""];
}

/**
 * What a process could do where it stands.
 * @param {System} system
 * @param {number} index
 * @param {{number: number, place: Place} | null} at
 */
function actionsAt({ tables }, index, at) {
  return tables.actions.filter((action) => action.process === index && (action.place === null || action.place === at?.number));
}

/**
 * The conditions that keep a process where it is.
 * @param {System} system
 * @param {number} state
 * @param {Action[]} here
 */
function missingOf(system, state, here) {
  const missing = here.map((action) => action.demands.filter((demand) => !system.holds(state, demand)).map((demand) => system.tables.conditions[demand]));
  return [...new Set(missing.filter((each) => each.length).map((each) => each.join(" and ")))];
}

/**
 * @param {System} system
 * @param {Waiting} waiting
 */
function endOfWaiting(system, waiting) {
  const names = system.tables.processes.map((process) => process.name);
  const lines = waiting.lines.map(([text, kind]) => make("span", { class: `line pre ${kind === "bad" ? "bad" : ""}` }, text));
  return make("div", {}, waiting.edges.length ? pictureOfWaiting(names, waiting) : null, make("div", { class: "mono stack" }, ...lines));
}

/**
 * Processes around a circle, with an arrow from each to whom it waits for.
 * @param {string[]} names
 * @param {Waiting} waiting
 */
function pictureOfWaiting(names, waiting) {
  const nodes = [...new Set(waiting.edges.flat())];
  const middle = 160, radius = nodes.length > 2 ? 78 : 60;
  /** @param {number} node */
  const at = (node) => {
    const angle = (2 * Math.PI * nodes.indexOf(node)) / nodes.length - Math.PI / 2;
    return [middle + Math.cos(angle) * radius * 1.45, 110 + Math.sin(angle) * radius];
  };
  const said = waiting.edges.map(([from, to]) => `${names[from]} waits for ${names[to]}`).join("; ");
  return draw("svg", { viewBox: "0 0 320 220", width: 320, height: 220, role: "img", "aria-label": visible(said) },
    ...waiting.edges.map(([from, to]) => edgeOfWaiting(at(from), at(to))),
    ...nodes.flatMap((node) => nodeOfWaiting(at(node), names[node], waiting.circle.includes(node))));
}

/**
 * @param {number[]} from
 * @param {number[]} to
 */
function edgeOfWaiting([x1, y1], [x2, y2]) {
  const long = Math.hypot(x2 - x1, y2 - y1) || 1, short = 26 / long;
  const bend = [(x1 + x2) / 2 + (y2 - y1) * 0.15, (y1 + y2) / 2 - (x2 - x1) * 0.15];
  return draw("path", { d: `M${x1},${y1} Q${bend[0]},${bend[1]} ${x2 + (bend[0] - x2) * short},${y2 + (bend[1] - y2) * short}`, class: "arrow near", "marker-end": "url(#head)" });
}

/**
 * @param {number[]} at
 * @param {string} name
 * @param {boolean} stuck
 */
function nodeOfWaiting([x, y], name, stuck) {
  const text = shortened(name, 18), wide = text.length * 7 + 14;
  return [draw("rect", { x: x - wide / 2, y: y - 12, width: wide, height: 24, rx: 6, class: stuck ? "node stuck" : "node" }),
    draw("text", { x, y: y + 4, "text-anchor": "middle" }, text)];
}
