// The lanes: time to the right, one lane a thread or context, the steps of a counterexample and, beside them, those of one's own path.

/**
 * @typedef {object} Dot  a step as it is drawn
 * @property {number} step  its number
 * @property {number} lane
 * @property {string} label
 * @property {string} mark
 * @property {string} tone  "bad" where something is violated, else ""
 * @property {boolean} folded  whether it may be left out
 * @property {string} fate  a key of POSSIBILITIES, "" where nothing is known
 */
/**
 * @typedef {object} Scene  all that is drawn
 * @property {{name: string, detail: string, group: string}[]} lanes  those of a group stand side by side
 * @property {Dot[]} dots
 * @property {Dot[]} own  the steps of one's own path, which begins after step `left`
 * @property {number} left
 * @property {{first: number, last: number, name: string, group: string}[]} bands
 * @property {{first: number, last: number, name: string}[]} windows
 * @property {{from: number, to: number, label: string}[]} arrows
 * @property {{step: number, text: string}[]} pins  what is written above the lanes
 * @property {number | null} noReturn  the last step before which everything could still be avoided
 * @property {number | null} loop  how many steps come before those that repeat for ever
 * @property {number} selected
 * @property {boolean} folded  whether steps are left out
 * @property {number} room  how wide the drawing may be without being scrolled
 * @property {(step: number) => void} go
 */
/** @typedef {{x: Map<number, number>, gaps: {x: number, count: number}[], wide: number, width: number}} Columns  `wide`: one of them */

/** how far below a lane's middle the last line of its name stands */
const NAME_LINE = 13;
const COLUMN = 26, WIDEST = 130, LABELLED = 84, LANE = 42, PIN = 18, LETTER = 6.7, MARGIN = 18;
const NARROW = matchMedia("(max-width: 640px)");

function namesWidth() {
  return NARROW.matches ? 104 : 190;
}

/**
 * Where each step stands. Steps that are left out share a narrow gap; few steps share all the room there is.
 * @param {Scene} scene
 * @returns {Columns}
 */
function columnsOf(scene) {
  const last = Math.max(scene.dots.length, scene.left + scene.own.length);
  /** @type {number[][]} */
  const groups = [[0]];
  for (let step = 1; step <= last; step++) {
    const previous = groups[groups.length - 1];
    if (isLeftOut(scene, step) && isLeftOut(scene, previous[0])) previous.push(step);
    else groups.push([step]);
  }
  const wide = Math.max(COLUMN, Math.min(WIDEST, Math.floor((scene.room - 2 * MARGIN) / groups.length)));
  const x = new Map(groups.flatMap((group, i) => group.map((step) => /** @type {[number, number]} */ ([step, MARGIN + i * wide]))));
  const gaps = groups.filter((group) => isLeftOut(scene, group[0])).map((group) => ({ x: x.get(group[0]) ?? 0, count: group.length }));
  return { x, gaps, wide, width: MARGIN * 2 + groups.length * wide };
}

/**
 * @param {Scene} scene
 * @param {number} step
 */
function isLeftOut(scene, step) {
  return scene.folded && scene.dots[step - 1]?.folded && step !== scene.selected && !(scene.own.length && step > scene.left);
}

/**
 * Where the meanings of the marks stand, row by row, so that none covers another.
 * @param {Scene} scene
 * @param {Columns} columns
 */
function pinsOf(scene, columns) {
  /** @type {number[]} */
  const ends = [];
  return scene.pins.filter((pin) => scene.dots[pin.step - 1]).map((pin) => {
    const text = shortened(pin.text, 56), long = text.length * LETTER, at = columns.x.get(pin.step) ?? 0, dot = scene.dots[pin.step - 1];
    const start = Math.max(4, Math.min(at - long / 2, columns.width - long - 4));
    let row = ends.findIndex((end) => end < start);
    if (row < 0) row = ends.length;
    ends[row] = start + long + 14;
    return { dot, text, start, at, row };
  });
}

/** The drawing of a scene: the names of the lanes, which stay, and what is beside them, which scrolls. */
class Drawing {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.columns = columnsOf(scene);
    this.pins = pinsOf(scene, this.columns);
    const rows = Math.max(0, ...this.pins.map((pin) => pin.row + 1));
    this.top = 12 + rows * PIN + 24;
    this.bottom = this.top + scene.lanes.length * LANE;
    this.height = this.bottom + 46 + 16 * [scene.noReturn !== null, scene.loop !== null, scene.windows.length > 0].filter(Boolean).length;
    this.width = Math.max(this.columns.width, scene.room, ...this.pins.map((pin) => pin.text.length * LETTER + 12));
  }

  /** @param {number} step */
  x(step) {
    return this.columns.x.get(step) ?? MARGIN;
  }

  /**
   * Whether one's own path has left the counterexample before a step of it.
   * @param {number} step
   */
  isLeft(step) {
    return this.scene.own.length > 0 && step > this.scene.left;
  }

  /** @param {number} lane */
  y(lane) {
    return this.top + lane * LANE + LANE / 2;
  }

  /** The names of the lanes. */
  names() {
    const width = namesWidth(), [x, letters] = NARROW.matches ? [6, 12] : [12, 22];
    return draw("svg", { width, height: this.height, "aria-hidden": "true" }, ...this.scene.lanes.flatMap((lane, i) => [
      ...this.nameOf(lane, i, x, letters),
    ]), this.scene.dots.some((dot) => dot.fate) && draw("text", { x, y: this.bottom + 15, class: "faint" }, NARROW.matches ? "still possible" : "what can still come"),
      draw("text", { x, y: this.bottom + 34, class: "faint" }, "step"));
  }

  /**
   * A lane's name, in two lines where it is too long for one, and what it is.
   * @param {{name: string, detail: string}} lane
   * @param {number} number
   * @param {number} x
   * @param {number} letters
   */
  nameOf(lane, number, x, letters) {
    const lines = inTwo(lane.name, letters), first = this.y(number) + (lane.detail ? -2 : 4) - (lines.length - 1) * NAME_LINE / 2;
    return [...lines.map((line, i) => draw("text", { x, y: first + i * NAME_LINE, class: "name" }, line)),
      lane.detail && draw("text", { x, y: first + lines.length * NAME_LINE + 1, class: "faint" }, shortened(lane.detail, letters + 4)),
      draw("title", {}, lane.name)];
  }

  /** What goes on in them. */
  time() {
    const { scene } = this;
    const summary = `${counted(scene.dots.length, "step")} in ${counted(scene.lanes.length, "lane")}. The list of all steps as text stands below.`;
    const attributes = { width: this.width, height: this.height, role: "group", "aria-label": `Timeline: ${summary}` };
    return draw("svg", attributes,
      ...this.bands(), ...this.windows(), ...this.lines(), this.here(), ...this.strip(), ...this.gaps(), ...this.noReturn(),
      ...this.pinned(), ...this.arrows(), ...this.loop(),
      ...this.flow(scene.dots, "flow"), ...this.ownFlow(),
      ...scene.dots.map((dot) => this.dot(dot)),
      ...scene.own.map((dot) => this.ownDot(dot)));
  }

  /** Rounds of loops, every other one shaded: over all lanes if only one thread has any, else over those of the thread. */
  bands() {
    const groups = new Set(this.scene.bands.map((band) => band.group));
    return [...groups].flatMap((group) => {
      const { y, height } = groups.size > 1 ? this.lanesOf(group) : { y: this.top - 22, height: this.bottom - this.top + 22 };
      return this.scene.bands.filter((band) => band.group === group).flatMap((band, i) => {
        const start = this.x(band.first) - this.columns.wide / 2, width = this.x(band.last) + this.columns.wide / 2 - start;
        return [i % 2 === 0 && draw("rect", { x: start, y, width, height, class: "band" }),
          draw("text", { x: start + 4, y: y + 12, class: "faint" }, fitting(band.name, width - 6))];
      });
    });
  }

  /**
   * Where the lanes of a group stand.
   * @param {string} group
   */
  lanesOf(group) {
    const own = this.scene.lanes.map((lane, i) => (lane.group === group ? i : -1)).filter((i) => i >= 0);
    return { y: this.top + (own[0] ?? 0) * LANE, height: Math.max(1, own.length) * LANE };
  }

  windows() {
    return this.scene.windows.flatMap((window) => {
      const start = this.x(window.first) - this.columns.wide / 2, width = this.x(window.last) + this.columns.wide / 2 - start;
      const at = Math.max(4, Math.min(start, this.width - window.name.length * 6.3));
      return [
        draw("rect", { x: start, y: this.top, width, height: this.bottom - this.top, class: "window" }),
        draw("text", { x: at, y: this.height - 8, class: "windowname" }, window.name),
      ];
    });
  }

  lines() {
    return this.scene.lanes.map((_, i) => draw("line", { x1: 0, x2: this.width, y1: this.y(i), y2: this.y(i), class: "lane" }));
  }

  here() {
    const x = this.x(this.scene.selected);
    return draw("rect", { x: x - this.columns.wide / 2, y: this.top - 22, width: this.columns.wide, height: this.bottom - this.top + 62, class: "here" });
  }

  /** What could still come after each step: runs of the same word. */
  strip() {
    const { scene } = this;
    const shown = scene.own.length ? [...scene.dots.slice(0, scene.left), ...scene.own] : scene.dots;
    /** @type {{fate: string, first: number, last: number}[]} */
    const runs = [];
    for (const dot of shown) {
      const run = runs[runs.length - 1];
      if (run?.fate === dot.fate) run.last = dot.step;
      else runs.push({ fate: dot.fate, first: dot.step, last: dot.step });
    }
    const numbers = shown.filter((dot) => dot.step === 1 || dot.step % 5 === 0 || dot.step === scene.selected || this.columns.wide > 2 * COLUMN);
    return [
      draw("g", { class: "fates" }, ...runs.filter((run) => POSSIBILITIES[run.fate]).flatMap((run) => this.fate(run))),
      ...numbers.filter((dot, i) => dot.step === scene.selected || Math.abs(this.x(dot.step) - this.x(scene.selected)) > COLUMN * 0.8 || i === 0)
        .map((dot) => draw("text", { x: this.x(dot.step), y: this.bottom + 34, "text-anchor": "middle", class: dot.step === scene.selected ? "" : "faint" }, String(dot.step))),
    ];
  }

  /** @param {{fate: string, first: number, last: number}} run */
  fate(run) {
    const { tone, word } = POSSIBILITIES[run.fate];
    const start = this.x(run.first) - this.columns.wide / 2, width = this.x(run.last) + this.columns.wide / 2 - start;
    return [
      draw("rect", { x: start + 1, y: this.bottom + 4, width: width - 2, height: 15, rx: 3, class: tone }),
      draw("text", { x: start + 6, y: this.bottom + 15 }, fitting(word, width - 8)),
    ];
  }

  gaps() {
    return this.columns.gaps.map((gap) => draw("text", { x: gap.x, y: this.top + 12, "text-anchor": "middle", class: "faint" }, `⋯${gap.count}`));
  }

  noReturn() {
    const { noReturn } = this.scene;
    if (noReturn === null) return [];
    const x = this.x(noReturn) - this.columns.wide / 2;
    const name = "point of no return", long = name.length * LETTER + 8, left = x + long > this.width && x > long;
    return [
      draw("line", { x1: x, x2: x, y1: this.top, y2: this.bottom + 42, class: "noreturn" }),
      draw("text", { x: left ? x - 5 : x + 5, y: this.bottom + 49, class: "noreturnname", "text-anchor": left ? "end" : "start" }, name),
    ];
  }

  pinned() {
    return this.pins.flatMap(({ dot, text, start, at, row }) => {
      const y = 20 + row * PIN;
      return [
        draw("line", { x1: at, x2: at, y1: y + 5, y2: this.y(dot.lane), class: `pin ${dot.tone}${this.isLeft(dot.step) ? " left" : ""}` }),
        draw("text", { x: start, y, class: this.isLeft(dot.step) ? "faint" : `pinname ${dot.tone}` }, text),
      ];
    });
  }

  arrows() {
    return this.scene.arrows.map((arrow) => {
      const from = this.scene.dots[arrow.from - 1], to = this.scene.dots[arrow.to - 1];
      if (!from || !to) return null;
      const left = this.isLeft(arrow.to), near = !left && (arrow.from === this.scene.selected || arrow.to === this.scene.selected);
      const path = curve(this.x(arrow.from), this.y(from.lane), this.x(arrow.to), this.y(to.lane));
      return draw("path", { d: path, class: left ? "arrow left" : near ? "arrow near" : "arrow", "marker-end": "url(#head)" }, draw("title", {}, `${arrow.label}: step ${arrow.from} to ${arrow.to}`));
    });
  }

  loop() {
    const { loop, dots } = this.scene;
    if (loop === null || !dots.length) return [];
    const from = this.x(dots.length), to = this.x(loop + 1), y = this.bottom + (this.scene.noReturn === null ? 42 : 58);
    return [
      draw("path", { d: `M${from + 6},${y} v8 H${to - 6} v-8`, class: "arrow near", "marker-end": "url(#head)" }),
      draw("text", { x: (from + to) / 2, y: y + 4, "text-anchor": "middle", class: "windowname" }, "again and again"),
    ];
  }

  /**
   * @param {Dot[]} dots
   * @param {string} kind
   */
  flow(dots, kind) {
    if (dots.length < 2) return [];
    return [draw("polyline", { points: dots.map((dot) => `${this.x(dot.step)},${this.y(dot.lane)}`).join(" "), class: kind })];
  }

  ownFlow() {
    const { own, dots, left } = this.scene;
    const origin = dots[left - 1];
    return this.flow(origin ? [origin, ...own] : own, "ownflow");
  }

  /** @param {Dot} dot */
  dot(dot) {
    const { scene } = this;
    const selected = dot.step === scene.selected && !scene.own.length;
    if (isLeftOut(scene, dot.step)) return null;
    const classes = ["step", dot.mark && "mark", dot.tone, selected && "selected", this.isLeft(dot.step) && "left"].filter(Boolean).join(" ");
    const x = this.x(dot.step), y = this.y(dot.lane);
    return this.target(dot, classes, selected,
      draw("circle", { cx: x, cy: y, r: dot.mark ? 9 : 6, class: "dot" }),
      dot.mark && draw("text", { x, y: y + 4, class: "letter" }, dot.mark), this.label(dot));
  }

  /**
   * What a step does, where there is room.
   * @param {Dot} dot
   */
  label(dot) {
    const { wide } = this.columns;
    return wide >= LABELLED && draw("text", { x: this.x(dot.step), y: this.y(dot.lane) + 21, "text-anchor": "middle", class: "faint" }, fitting(dot.label, wide - 6));
  }

  /** @param {Dot} dot */
  ownDot(dot) {
    const selected = dot.step === this.scene.selected;
    const x = this.x(dot.step), y = this.y(dot.lane);
    const half = dot.mark ? 9 : 6;
    return this.target(dot, ["step own", dot.mark && "mark", dot.tone, selected && "selected"].filter(Boolean).join(" "), selected,
      draw("rect", { x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 2, class: "dot" }),
      dot.mark && draw("text", { x, y: y + 4, class: "letter" }, dot.mark), this.label(dot));
  }

  /**
   * What can be chosen with the mouse and read out; the keyboard comes to the selected one alone, and steps from there.
   * @param {Dot} dot
   * @param {string} classes
   * @param {boolean} selected
   * @param {...(Child)} children
   */
  target(dot, classes, selected, ...children) {
    const where = this.scene.lanes[dot.lane]?.name ?? "";
    const label = `step ${dot.step}, ${where}: ${dot.label}${dot.mark ? ` (${dot.mark})` : ""}`;
    const attributes = { class: classes, role: "button", tabindex: selected ? 0 : -1, "aria-label": visible(label), "aria-current": selected ? "step" : null,
      "data-key": `dot ${dot.step}${classes.includes("own") ? " own" : ""}`, click: () => this.scene.go(dot.step) };
    return draw("g", attributes, ...children, draw("title", {}, label));
  }
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function curve(x1, y1, x2, y2) {
  const bend = Math.max(10, (x2 - x1) / 2), down = y1 === y2 ? 16 : 0;
  return `M${x1 + 7},${y1 + down / 4} C${x1 + bend},${y1 + down} ${x2 - bend},${y2 + down} ${x2 - 9},${y2 + down / 4}`;
}

/**
 * @param {string} text
 * @param {number} width
 */
function fitting(text, width) {
  return shortened(text, Math.floor(width / 6.2));
}

/**
 * @param {string} text
 * @param {number} length
 */
function shortened(text, length) {
  return text.length <= length ? text : length < 4 ? "" : text.slice(0, length - 1) + "…";
}

/**
 * A name in one line, or in two: it is parted behind a sign between words, if there is one near.
 * @param {string} name
 * @param {number} letters  of a line
 */
function inTwo(name, letters) {
  if (name.length <= letters) return [name];
  const found = Math.max(...["_", " ", "-", "."].map((sign) => name.lastIndexOf(sign, letters - 1))) + 1;
  const at = found > letters / 3 ? found : letters;
  return [name.slice(0, at), shortened(name.slice(at), letters)];
}

/** The head of all arrows. */
function arrowHead() {
  const marker = draw("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto-start-reverse" },
    draw("path", { d: "M0,0 L8,4 L0,8 z", class: "head" }));
  return draw("svg", { width: 0, height: 0, "aria-hidden": "true" }, draw("defs", {}, marker));
}
