// What is seen first: the answer, the matrix, and what leads to the evidence.

/** subjects from which on only the matrix leads to them */
const MANY = 14;

/**
 * The answer, the matrix, and the counterexamples.
 * @param {ExplorerDocument} file
 */
function answerPage(file) {
  const { answer } = file;
  const all = file.subjects.map((subject, i) => (isLogged(subject) && subject.tone === "good" ? null : subjectPart(file, subject, i)));
  const shown = file.subjects.length < MANY || !file.matrix ? all : [];
  return make("div", {}, make("h1", { class: answer.tone === "bad" ? "bad" : "" }, answer.headline),
    answer.sentence ? make("p", {}, answer.sentence) : null, codeBaseOfAll(file),
    file.matrix ? matrixOf(file, file.matrix) : null, ...shown, madeBy(file));
}

/** @param {ExplorerDocument} file */
function madeBy(file) {
  return make("p", { class: "sub" }, `Made by ${file.generator}. Again: `, make("code", {}, file.command));
}

/**
 * @param {ExplorerDocument} file
 * @param {Matrix} matrix
 */
function matrixOf(file, matrix) {
  const head = matrix.columns.map(([name, meaning]) => make("th", { scope: "col", title: visible(meaning) }, name));
  const rows = matrix.rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row.name, row.note ? make("small", {}, row.note) : null), ...row.cells.map((cell) => cellOf(file, cell))));
  return make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "matrix" },
    make("table", { class: "matrix" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, ""), ...head)), make("tbody", {}, ...rows)),
    matrix.legend.length ? make("div", { class: "sub", role: "group", "aria-label": "legend" }, wordTable(matrix.legend)) : null);
}

/**
 * What was checked, where all of the file is about the same code base.
 * @param {ExplorerDocument} file
 */
function codeBaseOfAll({ subjects }) {
  const all = new Set(subjects.map(codeBaseOf));
  return all.size === 1 ? make("p", { class: "sub" }, [...all][0]) : null;
}

/**
 * Which code base it is: its commit, release and date; "" for a model of one's own.
 * @param {Subject} subject
 */
function codeBaseOf({ kind, facts }) {
  return kind === "code base" ? facts.find(([name]) => name === kind)?.[1] ?? "" : "";
}

/**
 * @param {ExplorerDocument} file
 * @param {Cell | null} cell
 */
function cellOf(file, cell) {
  if (!cell) return make("td", { class: "sub" }, "–");
  const word = judgement(cell.tone, cell.text);
  const inside = cell.inside.length ? [" (", ...namesOf(file, cell, cell.inside), ")"] : [];
  return make("td", {}, cell.subject === null ? word : make("a", { href: `#/${cell.subject}` }, word), make("br"),
    make("span", { class: "mono sub" }, ...namesOf(file, cell, cell.visible), ...inside), cell.as_expected ? null : make("b", { class: "bad" }, " not as expected"));
}

/**
 * Names of rules, each with a way to the run that is about it, if there is one.
 * @param {ExplorerDocument} file
 * @param {Cell} cell
 * @param {string[]} names
 * @returns {Child[]}
 */
function namesOf(file, cell, names) {
  const runs = cell.subject === null ? [] : file.subjects[cell.subject].evidence.map((item) => item.property);
  return names.flatMap((name, i) => [i ? " " : "", runs.includes(name) ? make("a", { href: `#/${cell.subject}/${runs.indexOf(name)}` }, name) : name]);
}

/**
 * A subject with what leads to its evidence.
 * @param {ExplorerDocument} file
 * @param {Subject} subject
 * @param {number} number
 */
function subjectPart(file, subject, number) {
  const alone = file.subjects.length === 1, isTold = file.subjects.filter((each) => each.scenario === subject.scenario).length === 1;
  return make("section", { "aria-label": visible(subject.title) },
    make("h2", {}, make("a", { href: `#/${number}` }, (isTold && subject.scenario) || subject.title), alone && subject.headline === file.answer.headline ? "" : `: ${subject.headline}`),
    casesOf(subject, number), mendedOf(subject));
}

/**
 * Since when the worst of it is mended, where somebody knows.
 * @param {Subject} subject
 */
function mendedOf({ evidence }) {
  const worst = evidence.find((item) => item.tone === "bad");
  return worst?.remedy ? make("p", { class: "sub" }, worst.remedy.sentence) : null;
}

/**
 * Counterexamples: those that are bad news as cards, what else there is to see in a line.
 * @param {Subject} subject
 * @param {number} number
 */
function casesOf(subject, number) {
  const all = subject.evidence.map((item, i) => ({ item, href: `#/${number}/${i}` }));
  const bad = all.filter(({ item }) => item.tone === "bad"), others = all.filter(({ item }) => item.tone !== "bad");
  const cards = bad.map(({ item, href }) => make("li", {}, make("a", { href }, make("b", { class: "bad" }, item.property), item.headline)));
  const links = others.flatMap(({ item, href }) => [make("a", { href, title: visible(item.headline) }, item.property), ", "]);
  return make("div", {}, cards.length ? make("ul", { class: "cases" }, ...cards) : null,
    isLogged(subject) ? make("p", { class: "also" }, ...links.slice(0, -1)) : make("p", { class: "also" }, cards.length ? "Also to see: " : "To see: ", ...links, make("a", { href: `#/${number}/-` }, "a walk from the first state")));
}

/**
 * One subject: verdicts, counterexamples, facts.
 * @param {ExplorerDocument} file
 * @param {Subject} subject
 * @param {number} number
 * @param {System} system
 */
function subjectPage(file, subject, number, system) {
  const facts = subject.facts.map(([name, text]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, text)));
  return make("div", {}, make("h1", { class: subject.tone === "bad" ? "bad" : "" }, subject.headline),
    make("p", { class: "sub" }, subject.title, subject.counts ? ` · ${subject.counts}` : ""),
    codeBaseOf(subject) ? make("p", { class: "sub" }, codeBaseOf(subject)) : null, casesOf(subject, number), mendedOf(subject), make("h2", {}, "Verdicts"), verdictsOf(subject, number, system),
    ...subject.warnings.map((warning) => make("p", { class: "warn" }, `warning: ${warning}`)),
    make("h2", {}, "Facts"), make("table", { class: "rules" }, make("tbody", {}, ...facts)), make("p", {}, make("code", {}, subject.command)), madeBy(file));
}

/**
 * @param {Subject} subject
 * @param {number} number
 * @param {System} system
 */
function verdictsOf(subject, number, system) {
  const rows = subject.verdicts.map((verdict) => {
    const { name, meaning, source } = system.tables.properties[verdict.property];
    const word = judgement(verdict.tone, verdict.outcome);
    const asked = verdict.as_expected ? "" : `expected: ${verdict.expected}. ${verdict.argument}`;
    const notes = [verdict.reason, asked, ...verdict.limits, source && `source: ${source}`].filter(Boolean).join(" · ");
    return make("tr", {}, make("td", {}, name), make("td", {}, verdict.evidence === null ? word : make("a", { href: `#/${number}/${verdict.evidence}` }, word)),
      make("td", {}, meaning, make("br"), make("span", { class: "sub" }, notes)));
  });
  return make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "verdicts" }, make("table", { class: "rules" }, make("tbody", {}, ...rows)));
}
