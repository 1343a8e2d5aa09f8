// What leaves the page: a path as a trace file (`check-invariants trace show` reads it), and the link to what is seen.

/**
 * The path as a trace file says it.
 * @param {View} view
 * @returns {string}
 */
function traceFile(view) {
  const { system, subject, walk } = view, { tables } = system;
  const first = walk.states[0];
  /** @param {Variable} variable @param {number} index @returns {[string, unknown]} */
  const initially = (variable, index) => [variable.name, valueOf(variable, variable.values[system.value(first, index)])];
  const whole = !walk.own && view.evidence !== null && walk.left === view.evidence.variants.length;
  return JSON.stringify({
    format: "check-invariants/trace", version: 1, model: subject.model, digest: tables.digest, source: subject.source,
    property: whole && view.evidence ? tables.properties[view.evidence.property].name : "", verdict: null,
    variables: tables.variables.map((variable) => ({ name: variable.name, sort: variable.sort, internal: variable.hidden })),
    initial: Object.fromEntries(tables.variables.map(initially)),
    loop: whole ? view.evidence?.loop ?? null : null,
    steps: view.steps.map((step) => stepOfFile(system, step)),
  }, null, 2) + "\n";
}

/**
 * A value as a file has it.
 * @param {Variable} variable
 * @param {string} shown
 */
function valueOf(variable, shown) {
  if (variable.sort === "bool") return shown === "1";
  return typeof variable.sort === "object" && variable.sort !== null && "int" in variable.sort ? Number(shown) : shown;
}

/**
 * @param {System} system
 * @param {Step} step
 */
function stepOfFile({ tables }, step) {
  const { action, broken } = tables.variants[step.variant];
  /** @param {Change} change @returns {[string, unknown[]]} */
  const change = ({ variable, before, after }) => [tables.variables[variable].name, [before, after].map((value) => valueOf(tables.variables[variable], tables.variables[variable].values[value]))];
  return { action, process: tables.processes[step.process].name, parts: [], changes: Object.fromEntries(step.changes.map(change)), broken: (broken ?? []).map((index) => tables.properties[index].name) };
}

/** The address of what is seen; of a file on a disk its name alone: where it lies is nobody else's business. */
function linkHere() {
  return location.protocol === "file:" ? location.pathname.replace(/^.*\//, "") + location.hash : location.href;
}

/**
 * A window with a text to copy, and to save if it has a name.
 * @param {string} title
 * @param {string} text
 * @param {string} [file]
 */
function offer(title, text, file) {
  const area = /** @type {HTMLTextAreaElement} */ (make("textarea", { readonly: true, "aria-label": title }));
  area.value = text;
  const save = file && make("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: file }, `save as ${file}`);
  const copy = button("copy", () => { area.select(); navigator.clipboard?.writeText(text).catch(() => document.execCommand("copy")); }, {}, "copy");
  openDialog(title, area, make("p", { class: "row" }, copy, save));
  area.select();
}

/**
 * @param {string} title
 * @param {...Child} children
 */
function openDialog(title, ...children) {
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", { "aria-label": title, close: (event) => /** @type {Element} */ (event.target).remove() },
    make("h2", {}, title), ...children, button("close", () => dialog.close(), {}, "close")));
  document.body.append(dialog);
  dialog.showModal();
  dialog.scrollTop = 0;
}
