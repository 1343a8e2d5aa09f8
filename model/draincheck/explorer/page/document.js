// The document that the page shows: what draincheck.explorer.document says, and how a packed system becomes one to walk in.

/** @typedef {"bad" | "warn" | "good" | "unknown"} Tone */
/** @typedef {"safe" | "avoidable" | "doomed" | "violated"} Fate */
/** @typedef {{name: string, sort: unknown, hidden: boolean, values: string[], initial: number}} Variable */
/** @typedef {{names: string[], line: string, awaits: number | null, inside: string, back: number | null, ended: boolean}} Place */
/** @typedef {{name: string, coroutine: boolean, counter: number | null, token: number | null, places: Place[], framed: boolean, may_stop: boolean}} Process */
/** @typedef {{frames: number[], opens: number, label?: string, mark?: string, writes?: number[], enters?: number | null, line?: string}} Part */
/** @typedef {{process: number, place: number | null, demands: number[], parts: Part[]}} Action */
/** @typedef {{action: number, label: string, taken: number[], lane?: number, broken?: number[], error?: string}} Variant */
/** @typedef {{name: string, meaning: string, source: string, form: string, conditions: Record<string, number>}} Property */
/** @typedef {{of: string, index: number, width: 1 | 2 | 4, count: number}} Column */
/** @typedef {{states: number, edges: number, roots: number, expanded: number, complete: boolean, said: string, columns: Column[]}} GraphTables */
/** @typedef {{step: number, mark: string, title: string, text: string, detail: string, tone: Tone}} StoryStep */
/** @typedef {{variant: number, target: number, text: string, fate: Fate, rest: string[], sentence: string}} Alternative */
/** @typedef {{lost_at: number | null, sentence: string, step: number | null, alternatives: Alternative[]}} TurningPoint */
/** @typedef {{lines: [string, string][], edges: [number, number][], circle: number[]}} Waiting */
/** @typedef {{first: number, last: number, name: string}} Span */
/** @typedef {{name: string, kind: string, group: string}} Lane */
/** @typedef {{lanes: number[], steps: number[], bands: (Span & {group: string})[], windows: Span[], arrows: {kind: string, start: number, end: number, what: string[]}[]}} LanesDrawing */
/**
 * @typedef {object} Evidence  a run that shows something
 * @property {number} property
 * @property {number[]} also
 * @property {number[]} states
 * @property {number[]} variants
 * @property {boolean[]} folded
 * @property {string[]} iterations
 * @property {number | null} loop
 * @property {string} title
 * @property {StoryStep[]} story
 * @property {{kind: string, sentence: string, lines: string[]}} end
 * @property {TurningPoint | null} turning
 * @property {string} untold
 * @property {Waiting | null} waiting
 * @property {LanesDrawing | null} drawing
 * @property {number[]} logged  of a run that a log shows, for each step the number of its line
 * @property {[number, string][]} excerpt  lines of that log, with their numbers
 */
/**
 * @typedef {object} SystemTables  what a system says beside its graph
 * @property {string} digest
 * @property {Variable[]} variables
 * @property {Process[]} processes
 * @property {[string, boolean][]} frames
 * @property {string[]} conditions
 * @property {number[][]} makers  for each condition the actions that make it true somewhere
 * @property {number | null} halted  the condition that the program was aborted
 * @property {Property[]} properties
 * @property {Action[]} actions
 * @property {Variant[]} variants
 * @property {Lane[]} lanes
 * @property {GraphTables} graph
 * @property {Evidence[]} evidence
 */
/** @typedef {{property: number, outcome: string, tone: Tone, reason: string, expected: string, argument: string, as_expected: boolean, matters: boolean, limits: string[], evidence: number | null}} Verdict */
/** @typedef {{sentence: string, rows: [string, string, string][], lost_here: boolean, lost_later: boolean}} Bytes */
/** @typedef {{title: string, sentence: string, lines: string[], subject: number | null}} Note */
/** @typedef {{evidence: number, property: string, headline: string, tone: Tone, command: string, replay: Bytes | null, remedy: {sentence: string, lines: string[]} | null, notes: Note[]}} Shown */
/**
 * @typedef {object} Subject
 * @property {string} title
 * @property {string} model  its name in trace files
 * @property {string} kind
 * @property {string} scenario
 * @property {string} headline
 * @property {Tone} tone
 * @property {[string, string][]} facts
 * @property {string} command
 * @property {string} counts
 * @property {Record<string, string>} marks
 * @property {Record<string, unknown>} source  empty where it is not known how the model is built again
 * @property {Verdict[]} verdicts
 * @property {Shown[]} evidence
 * @property {string[]} warnings
 * @property {string} system
 */
/** @typedef {{text: string, tone: Tone, visible: string[], inside: string[], as_expected: boolean, subject: number | null}} Cell */
/** @typedef {{columns: [string, string][], rows: {name: string, note: string, cells: (Cell | null)[]}[], legend: [string, string][]}} Matrix */
/** @typedef {{title: string, generator: string, command: string, answer: {tone: Tone, headline: string, sentence: string}, matrix: Matrix | null, subjects: Subject[], systems: Record<string, string>, glossary: Record<string, string>}} ExplorerDocument */
/** @typedef {{variant: number, target: number | null}} Edge */

const FATE_WORDS = /** @type {Fate[]} */ (["safe", "avoidable", "doomed", "violated"]);

/** A system with its graph. */
class System {
  /**
   * @param {SystemTables} tables
   * @param {Uint8Array} data
   */
  constructor(tables, data) {
    this.tables = tables;
    this.columns = columnsByName(tables.graph.columns, data);
    this.starts = startsOf(this.column("degree", 0));
  }

  /**
   * A column of numbers. One that is not there is empty.
   * @param {string} of
   * @param {number} index
   * @returns {ArrayLike<number>}
   */
  column(of, index) {
    return this.columns.get(`${of} ${index}`) ?? [];
  }

  /**
   * The position of a variable's value in a state.
   * @param {number} state
   * @param {number} variable
   */
  value(state, variable) {
    return this.column("value", variable)[state];
  }

  /**
   * What is enabled in a state.
   * @param {number} state
   * @returns {Edge[]}
   */
  edges(state) {
    const variants = this.column("variant", 0), targets = this.column("target", 0);
    /** @type {Edge[]} */
    const found = [];
    for (let edge = this.starts[state]; edge < this.starts[state + 1]; edge++) {
      const target = targets[edge];
      found.push({ variant: variants[edge], target: target < this.tables.graph.states ? target : null });
    }
    return found;
  }

  /**
   * What is possible from a state, as far as a property is concerned; null where nothing is known.
   * @param {number} state
   * @param {number} property
   * @returns {Fate | null}
   */
  fate(state, property) {
    return FATE_WORDS[this.column("fate", property)[state]] ?? null;
  }

  /**
   * Whether a condition is true in a state.
   * @param {number} state
   * @param {number} condition
   */
  holds(state, condition) {
    const first = condition - (condition % 8);
    return ((this.column("truth", first)[state] >> (condition % 8)) & 1) === 1;
  }

  /**
   * Whether all that is enabled in a state is known here.
   * @param {number} state
   */
  isExpanded(state) {
    return state < this.tables.graph.expanded;
  }

  /** @param {number} variant */
  processOf(variant) {
    return this.tables.actions[this.tables.variants[variant].action].process;
  }
}

/**
 * @param {Column[]} columns
 * @param {Uint8Array} data
 * @returns {Map<string, ArrayLike<number>>}
 */
function columnsByName(columns, data) {
  const kinds = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  let offset = 0;
  return new Map(columns.map((column) => {
    const bytes = data.slice(offset, offset += column.width * column.count);
    return [`${column.of} ${column.index}`, new kinds[column.width](bytes.buffer)];
  }));
}

/**
 * Where the edges of each state begin, and where the last ones end.
 * @param {ArrayLike<number>} degrees
 */
function startsOf(degrees) {
  const starts = new Uint32Array(degrees.length + 1);
  for (let state = 0; state < degrees.length; state++) starts[state + 1] = starts[state] + degrees[state];
  return starts;
}

/**
 * A system as it was packed (draincheck.explorer.packing).
 * @param {string} text
 * @returns {Promise<System>}
 */
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const plain = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(plain.buffer).getUint32(0, true);
  const tables = JSON.parse(new TextDecoder().decode(plain.subarray(4, 4 + length)));
  return new System(tables, plain.subarray(4 + length));
}
