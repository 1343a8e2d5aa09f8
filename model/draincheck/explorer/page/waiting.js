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
  const enabled = edges.some((edge) => system.processOf(edge.variant) === index);
  const at = placeOf(system, state, process), here = actionsAt(system, index, at);
  const [tone, word, why] = doingOf(system, state, process, enabled, at, here);
  const where = at?.place.names.length ? `at: ${at.place.names.join(", ")}` : "";
  const missing = word === "waits" && !why ? missingOf(system, state, here) : [];
  return make("tr", {}, make("td", {}, process.name), make("td", {}, make("b", { class: tone }, word), why ? ` ${why}` : "",
    where ? make("div", { class: "sub" }, where) : null, ...missing.map((demands) => missingPart(system, demands))));
}

/**
 * Conditions that are false together, and whose steps could make them true.
 * @param {System} system
 * @param {number[]} demands
 */
function missingPart({ tables }, demands) {
  return make("div", {}, "for ", demands.map((demand) => tables.conditions[demand]).join(" and "), ...demands.map((demand) => {
    const helpers = [...new Set(tables.makers[demand].map((action) => helperOf(tables, action)))];
    const more = helpers.length > HELPERS ? `, and ${helpers.length - HELPERS} others` : "";
    const never = tables.graph.complete ? "nothing ever makes it true" : "nothing in this file makes it true";
    return make("div", { class: "sub" }, helpers.length ? `made true by ${helpers.slice(0, HELPERS).join(", ")}${more}` : never);
  }));
}

/** so many of those who could help are named */
const HELPERS = 3;

/**
 * @param {SystemTables} tables
 * @param {number} action
 */
function helperOf(tables, action) {
  const { process, parts } = tables.actions[action], label = parts.map((part) => part.label ?? "").find(Boolean);
  return label ? `${tables.processes[process].name} (${label})` : tables.processes[process].name;
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
 * @param {boolean} enabled
 * @param {{number: number, place: Place} | null} at
 * @param {Action[]} here
 * @returns {[Tone | "", string, string]}
 */
function doingOf(system, state, process, enabled, at, here) {
  const { processes, halted } = system.tables;
  if (halted !== null && system.holds(state, halted)) return ["bad", "has stopped with the program", ""];
  if (enabled) return ["good", "can go on", ""];
  if (at && typeof at.place.awaits === "number" && at.place.back !== null && !system.holds(state, at.place.back)) return ["", "waits", `until ${processes[at.place.awaits].name} gives control back`];
  if (at?.place.ended || !here.length) return ["", "has no step left", ""];
  if (process.token !== null && shownValue(system, state, process.token) === "0") return ["", "is parked", "until somebody enters it"];
  return ["warn", "waits", ""];
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
 * The conditions that keep a process where it is: for each of its ways on those that are false.
 * @param {System} system
 * @param {number} state
 * @param {Action[]} here
 * @returns {number[][]}
 */
function missingOf(system, state, here) {
  const ways = here.map((action) => action.demands.filter((demand) => !system.holds(state, demand))).filter((way) => way.length);
  return [...new Map(ways.map((way) => [way.join(" "), way])).values()];
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
