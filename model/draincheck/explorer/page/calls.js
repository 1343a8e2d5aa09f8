// A path replayed as calls: which part took place when, on which call stack, and what it changed. The same reading as
// draincheck.report.calls, for paths that nobody has taken before.

/** @typedef {{frame: number, number: number}} Call  a call; compared by identity, for a second call of a function is another one */
/** @typedef {{variable: number, before: number, after: number}} Change  positions of values */
/** @typedef {{label: string, mark: string, stack: Call[], changes: Change[]}} CallEvent */
/** @typedef {{number: number, variant: number, process: number, state: number, events: CallEvent[], changes: Change[]}} Step  the state is the one after it */

/**
 * The steps of a path.
 * @param {System} system
 * @param {number[]} states
 * @param {number[]} variants
 * @returns {Step[]}
 */
function stepsOf(system, states, variants) {
  const replay = new Replay(system.tables);
  return variants.map((variant, i) => {
    const changes = changesBetween(system, states[i], states[i + 1]);
    const events = replay.step(system.tables.variants[variant], changes);
    return { number: i + 1, variant, process: system.processOf(variant), state: states[i + 1], events, changes };
  });
}

/**
 * What is different afterwards, of what traces show.
 * @param {System} system
 * @param {number} before
 * @param {number} after
 * @returns {Change[]}
 */
function changesBetween(system, before, after) {
  return system.tables.variables
    .map((_, variable) => ({ variable, before: system.value(before, variable), after: system.value(after, variable) }))
    .filter((change) => change.before !== change.after && !system.tables.variables[change.variable].hidden);
}

/** The calls open in each process, and where each coroutine was entered from. */
class Replay {
  /** @param {SystemTables} tables */
  constructor(tables) {
    this.tables = tables;
    /** @type {Map<number, Call[]>} */
    this.open = new Map();
    /** @type {Map<number, Call[]>} */
    this.enteredFrom = new Map();
    /** @type {Map<string, number>} */
    this.counts = new Map();
  }

  /**
   * The events of one step. Parts that were skipped are followed too: later ones may stand in the calls they open.
   * @param {Variant} variant
   * @param {Change[]} changes
   * @returns {CallEvent[]}
   */
  step(variant, changes) {
    const { process, parts } = this.tables.actions[variant.action];
    if (!parts.length) return [this.event(process, this.nameless(process), changes)];
    const owner = ownersOf(parts, variant.taken);
    /** @type {CallEvent[]} */
    const events = [];
    parts.forEach((part, place) => {
      this.stand(process, part);
      if (variant.taken.includes(place)) events.push(this.event(process, part, changes.filter((change) => owner.get(change.variable) === place)));
    });
    return events;
  }

  /**
   * Keep the calls that the part says were open before, as far as they are; the rest is called anew.
   * @param {number} process
   * @param {Part} part
   */
  stand(process, part) {
    const before = this.calls(process).slice(0, part.opens);
    let kept = 0;
    while (kept < before.length && kept < part.frames.length && before[kept].frame === part.frames[kept]) kept++;
    this.open.set(process, [...before.slice(0, kept), ...part.frames.slice(kept).map((frame) => ({ frame, number: 0 }))]);
  }

  /**
   * @param {number} process
   * @param {Part} part
   * @param {Change[]} changes
   * @returns {CallEvent}
   */
  event(process, part, changes) {
    const own = this.calls(process).map((call) => this.numbered(process, call));
    this.open.set(process, own);
    const stack = [...(this.enteredFrom.get(process) ?? []), ...own];
    if (typeof part.enters === "number") this.enteredFrom.set(part.enters, stack);
    return { label: part.label ?? "", mark: part.mark ?? "", stack, changes };
  }

  /**
   * The part that an action without parts is taken for: its process stands where it stood.
   * @param {number} process
   * @returns {Part}
   */
  nameless(process) {
    const frames = this.calls(process).map((call) => call.frame);
    return { frames, opens: frames.length };
  }

  /**
   * Count a numbered call when the first thing takes place in it.
   * @param {number} process
   * @param {Call} call
   * @returns {Call}
   */
  numbered(process, call) {
    if (call.number || !this.tables.frames[call.frame][1]) return call;
    const key = `${process} ${call.frame}`, number = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, number);
    return { frame: call.frame, number };
  }

  /**
   * @param {number} process
   * @returns {Call[]}
   */
  calls(process) {
    return this.open.get(process) ?? [];
  }
}

/**
 * A change belongs to the last part that took place and says that it writes the variable.
 * @param {Part[]} parts
 * @param {number[]} taken
 * @returns {Map<number, number>}
 */
function ownersOf(parts, taken) {
  return new Map(taken.flatMap((place) => (parts[place].writes ?? []).map((variable) => /** @type {[number, number]} */ ([variable, place]))));
}

/**
 * @param {SystemTables} tables
 * @param {Call} call
 */
function callText(tables, call) {
  const [name] = tables.frames[call.frame];
  return call.number ? `${name} # ${call.number}` : name;
}

/**
 * A variable with a value, as traces show it.
 * @param {SystemTables} tables
 * @param {number} variable
 * @param {number} value  its position
 */
function assigned(tables, variable, value) {
  return `${tables.variables[variable].name}=${tables.variables[variable].values[value]}`;
}
