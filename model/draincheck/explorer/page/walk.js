// A walk: the steps of a counterexample up to one of them, and from there on, if somebody leaves it, one's own. It stands in the URL.

/**
 * @typedef {object} Route  where somebody is
 * @property {"answer" | "subject" | "walk"} page
 * @property {number} subject
 * @property {number | null} evidence  which of the subject's; null: a walk from a first state
 * @property {number | null} step  the selected step of the counterexample, or the last one before it was left; without one, which of the first states; null: the
 *   step that its story begins with
 * @property {number[]} own  of each own step which of the enabled ones it is
 */
/** @typedef {{states: number[], variants: number[], left: number, own: number}} Walk  `left` steps of the counterexample, then `own` ones of one's own */

/**
 * The route that a URL names; what it does not say is the beginning.
 * @param {string} hash  as `#/2/0/25/1.0`: subject, counterexample (`-` for none), step, own choices
 * @returns {Route}
 */
function routeOf(hash) {
  const [subject, evidence, step, own] = hash.replace(/^#\/?/, "").split("/");
  const page = numberIn(subject) === null ? "answer" : evidence === undefined ? "subject" : "walk";
  const choices = /** @type {number[]} */ ((own ?? "").split(".").map(numberIn).filter((each) => each !== null));
  return { page, subject: numberIn(subject) ?? 0, evidence: numberIn(evidence), step: numberIn(step), own: choices };
}

/**
 * @param {Route} route
 * @returns {string}
 */
function hashOf(route) {
  if (route.page === "answer") return "#/";
  if (route.page === "subject") return `#/${route.subject}`;
  if (route.step === null) return `#/${route.subject}/${route.evidence ?? "-"}`;
  const own = route.own.length ? `/${route.own.join(".")}` : "";
  return `#/${route.subject}/${route.evidence ?? "-"}/${route.step}${own}`;
}

/**
 * @param {string | undefined} text
 * @returns {number | null}
 */
function numberIn(text) {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : null;
}

/**
 * The walk that a route names. What cannot be walked is left out: a step too many, a choice that is none.
 * @param {System} system
 * @param {Evidence | null} evidence
 * @param {Route} route
 * @returns {Walk}
 */
function walkOf(system, evidence, route) {
  const step = route.step ?? evidence?.story[0]?.step ?? 0;
  const left = evidence ? Math.min(step, evidence.variants.length) : 0;
  const states = evidence ? evidence.states.slice(0, left + 1) : [Math.min(step, system.tables.graph.roots - 1)];
  const variants = evidence ? evidence.variants.slice(0, left) : [];
  for (const choice of route.own) {
    const edge = system.edges(states[states.length - 1])[choice];
    if (!edge || edge.target === null) break;
    states.push(edge.target);
    variants.push(edge.variant);
  }
  return { states, variants, left, own: variants.length - left };
}

/**
 * The number of the step with which the counterexample goes on: the next one, or from the last the first of those that repeat; null if it does not.
 * @param {Evidence | null} evidence
 * @param {Walk} walk
 */
function nextOfTrace(evidence, walk) {
  if (!evidence || walk.own) return null;
  if (walk.left < evidence.variants.length) return walk.left + 1;
  return evidence.loop === null ? null : evidence.loop + 1;
}

/**
 * Where among the enabled steps of a state the counterexample goes on; -1 at its end, and away from it.
 * @param {System} system
 * @param {Evidence | null} evidence
 * @param {Walk} walk
 */
function choiceOfTrace(system, evidence, walk) {
  const next = nextOfTrace(evidence, walk);
  if (!evidence || next === null) return -1;
  return system.edges(walk.states[walk.left]).findIndex((edge) => edge.variant === evidence.variants[next - 1] && edge.target === evidence.states[next]);
}

/**
 * What is possible from a state, as far as a property is concerned: a key of POSSIBILITIES, "" where nobody knows.
 * @param {System} system
 * @param {number} state
 * @param {number} property
 */
function possible(system, state, property) {
  const fate = system.fate(state, property);
  return fate ? possibility(system.tables.properties[property], fate) : "";
}

/**
 * What a fate is called where the demand is one on whole runs, and where it is not.
 * @param {Property} property
 * @param {Fate} fate
 */
function possibility({ form }, fate) {
  const isAboutRuns = form === "eventually" || form === "leads to";
  return isAboutRuns && fate === "avoidable" ? "in reach" : isAboutRuns && fate === "doomed" ? "out of reach" : fate;
}

/**
 * By what is possible its colour, a word, and a sentence. Nothing is said to be bound to come: a run may always stop where it is, if nobody has promised
 * that it goes on.
 */
const POSSIBILITIES = /** @type {Record<string, {tone: Tone, word: string, told: (name: string) => string}>} */ ({
  safe: { tone: "good", word: "safe", told: (name) => `${name} can no longer be violated` },
  avoidable: { tone: "warn", word: "avoidable", told: (name) => `${name} may be violated, and can still be made safe` },
  doomed: { tone: "bad", word: "doomed", told: (name) => `nothing makes ${name} safe any more` },
  violated: { tone: "bad", word: "violated", told: (name) => `${name} is violated there` },
  "in reach": { tone: "warn", word: "in reach", told: (name) => `the goal of ${name} can still be reached` },
  "out of reach": { tone: "bad", word: "out of reach", told: (name) => `the goal of ${name} can no longer be reached` },
});

/** @typedef {{property: number, word: string, tone: Tone, step: number | null}} Standing  how it stands with a property, and since which step */

/**
 * How it stands with a property after the steps of a walk.
 * @param {System} system
 * @param {number} index
 * @param {number[]} states
 * @param {number[]} variants
 * @returns {Standing}
 */
function standingOf(system, index, states, variants) {
  const { form, conditions } = system.tables.properties[index], { holds, goal, trigger } = conditions;
  if (form === "reachable") return { property: index, ...reached(system, goal, states) };
  if (form === "eventually") return { property: index, ...reached(system, goal, states) };
  if (form === "leads to") return { property: index, ...owed(system, trigger, goal, states) };
  const broken = variants.findIndex((variant) => system.tables.variants[variant].broken?.includes(index)) + 1;
  const lost = states.findIndex((state) => (holds === undefined ? system.fate(state, index) === "violated" : !system.holds(state, holds)));
  if (broken || lost >= 0) return { property: index, word: "violated", tone: "bad", step: broken || lost };
  const told = holds !== undefined || form === "assertion" || system.column("fate", index).length > 0;
  return told ? { property: index, word: "not violated so far", tone: "good", step: null } : { property: index, word: "not known step by step", tone: "unknown", step: null };
}

/**
 * @param {System} system
 * @param {number} goal
 * @param {number[]} states
 * @returns {{word: string, tone: Tone, step: number | null}}
 */
function reached(system, goal, states) {
  const step = states.findIndex((state) => system.holds(state, goal));
  return step < 0 ? { word: "not reached so far", tone: "unknown", step: null } : { word: "reached", tone: "good", step };
}

/**
 * @param {System} system
 * @param {number} trigger
 * @param {number} goal
 * @param {number[]} states
 * @returns {{word: string, tone: Tone, step: number | null}}
 */
function owed(system, trigger, goal, states) {
  const last = states.findLastIndex((state) => system.holds(state, goal));
  const since = states.findIndex((state, step) => step > last && system.holds(state, trigger));
  return since < 0 ? { word: "nothing owed", tone: "good", step: null } : { word: "owed", tone: "warn", step: since };
}
