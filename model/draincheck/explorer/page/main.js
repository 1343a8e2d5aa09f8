// The page: what the URL names is drawn, and drawn anew when it changes.

/** A page in a browser. */
class Page {
  /** @param {ExplorerDocument} file */
  constructor(file) {
    this.file = file;
    /** @type {Map<string, Promise<System>>} */
    this.systems = new Map();
    /** @type {Settings} */
    this.settings = { filter: "told", folded: true, open: new Set() };
    this.app = make("div", { class: "app" });
    this.bar = make("header", { class: "bar" });
    this.said = make("div", { class: "sr", "aria-live": "polite" });
    this.note = make("div", { class: "hint", role: "status" });
    /** @type {View | null} */
    this.view = null;
    this.drawn = "";
    this.silence = 0;
  }

  /** Begin. */
  start() {
    document.documentElement.classList.add("live");
    document.body.prepend(this.bar);
    document.querySelector("main")?.prepend(this.app);
    document.body.append(this.said, this.note, arrowHead());
    addEventListener("hashchange", () => void this.draw());
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => void this.draw());
    return this.draw();
  }

  /** Where the URL leads; a file with one counterexample begins with it. */
  get route() {
    const route = routeOf(location.hash);
    const { subjects } = this.file;
    if (route.page === "answer" && !location.hash && subjects.length === 1 && subjects[0].evidence.length === 1 && !this.file.matrix) return routeOf("#/0/0");
    return subjects[route.subject] ? route : routeOf("#/");
  }

  /**
   * @param {string} key
   * @returns {Promise<System>}
   */
  system(key) {
    const known = this.systems.get(key) ?? unpacked(this.file.systems[key]);
    this.systems.set(key, known);
    return known;
  }

  /** Draw what the URL names. */
  async draw() {
    const { route } = this, subject = this.file.subjects[route.subject];
    const key = `${route.page} ${route.subject} ${route.evidence}`;
    const system = route.page === "answer" ? null : await this.system(subject.system);
    const scrolled = key === this.drawn ? document.querySelector(".lanes .time")?.scrollLeft ?? 0 : 0;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.key;
    this.view = system && route.page === "walk" ? this.viewOf(route, subject, system) : null;
    this.bar.replaceChildren(barOf(this));
    const strayed = strayedFrom(this);
    this.app.replaceChildren(...(strayed ? [make("p", { class: "notice", role: "status" }, strayed)] : []),
      this.view ? walkPage(this.view) : system ? subjectPage(this.file, subject, route.subject, system) : answerPage(this.file));
    this.settle(key, focused);
    if (this.view) scrollToSelected(scrolled);
  }

  /**
   * Have the focus, the window and the printed text follow.
   * @param {string} key
   * @param {string | undefined} focused
   */
  settle(key, focused) {
    if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
    if (key !== this.drawn) scrollTo(0, 0);
    this.drawn = key;
    const { route } = this;
    document.documentElement.classList.toggle("focused", this.view !== null && route.evidence !== null);
    document.querySelectorAll(".static .case").forEach((each) => each.classList.toggle("current", each.id === `case-${route.subject}-${route.evidence}`));
    if (this.view) {
      tellOnPaper(this.view);
      this.announce(this.view);
    }
  }

  /** @param {View} view */
  announce(view) {
    const step = view.steps[view.steps.length - 1];
    this.said.textContent = step ? `step ${step.number}: ${visible(view.system.tables.variants[step.variant].label)}` : "first state";
  }

  /**
   * @param {Route} route
   * @param {Subject} subject
   * @param {System} system
   * @returns {View}
   */
  viewOf(route, subject, system) {
    const shown = route.evidence === null ? null : subject.evidence[route.evidence] ?? null;
    const evidence = shown ? system.tables.evidence[shown.evidence] : null;
    const walk = walkOf(system, evidence, route);
    const steps = stepsOf(system, walk.states, walk.variants);
    return { file: this.file, subject, shown, system, evidence, route: { ...route, evidence: shown ? route.evidence : null, step: evidence ? walk.left : walk.states[0] }, walk, steps,
      state: walk.states[walk.states.length - 1], settings: this.settings, go: (change) => this.go(change), redraw: () => void this.draw(), say: (text) => this.say(text) };
  }

  /**
   * Go elsewhere; what is a way back worth goes into the history.
   * @param {Partial<Route>} change
   */
  go(change) {
    const before = this.view?.route ?? this.route, after = { ...before, page: /** @type {const} */ ("walk"), ...change };
    const isStep = after.subject === before.subject && after.evidence === before.evidence && !after.own.length && !before.own.length;
    history[isStep ? "replaceState" : "pushState"](null, "", hashOf(after));
    void this.draw();
  }

  /**
   * Say why a key does nothing, for a while.
   * @param {string} text
   */
  say(text) {
    this.note.textContent = text;
    clearTimeout(this.silence);
    this.silence = setTimeout(() => { this.note.textContent = ""; }, 6000);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || event.target instanceof HTMLTextAreaElement) return;
    const act = event.key === "?" ? () => help(this.file) : event.key === "o" ? () => { location.hash = "#/"; } : this.view && actOf(event.key, this.view);
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/**
 * What the address names and this file does not have; "" if it has all of it.
 * @param {Page} page
 */
function strayedFrom({ file, view }) {
  const { hash } = location, asked = routeOf(hash), subject = file.subjects[asked.subject];
  if (!/^#?\/?$/.test(hash) && (asked.page === "answer" || !subject)) return `This file has nothing at ${hash}: here is the answer.`;
  if (!view) return "";
  if (asked.evidence !== null && !subject.evidence[asked.evidence]) return `There is no counterexample ${asked.evidence} here, as ${hash} has it: this is a walk from the first state.`;
  const last = view.evidence?.variants.length ?? 0;
  if (view.evidence && (asked.step ?? 0) > last) return `There is no step ${asked.step} here: the last one is ${last}.`;
  return asked.own.length > view.walk.own ? `Of the own path in ${hash} not all can be taken: it ends after step ${view.walk.variants.length}.` : "";
}

/**
 * Bring the selected step into what is seen of the lanes, which were scrolled so far.
 * @param {number} scrolled
 */
function scrollToSelected(scrolled) {
  const time = document.querySelector(".lanes .time"), here = time?.querySelector(".here");
  if (!time || !here) return;
  const x = Number(here.getAttribute("x"));
  time.scrollLeft = scrolled;
  if (x < time.scrollLeft + 30 || x > time.scrollLeft + time.clientWidth - 60) time.scrollLeft = x - time.clientWidth / 2;
}

/**
 * Have the steps on paper also where the file, which is about many subjects, has them not as text; and one's own path beside them.
 * @param {View} view
 */
function tellOnPaper(view) {
  const told = document.querySelector(".static .current");
  document.querySelector(".static .ownpath")?.remove();
  if (told && !told.querySelector("pre.trace")) told.append(make("pre", { class: "trace" }, stepsAsText(view, stepsOfAll(view))));
  if (told && hasLeft(view)) told.append(make("div", { class: "ownpath" }, make("h3", {}, `Your own path, which leaves it after step ${view.walk.left}`), make("pre", {}, stepsAsText(view, view.steps))));
}

const THEMES = ["auto", "dark", "light"];

/** The next of light, dark, and what the system says. */
function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
}

/**
 * The head of the page, which stays.
 * @param {Page} page
 */
function barOf(page) {
  const { view, route } = page;
  const theme = document.documentElement.dataset.theme ?? "auto";
  const home = page.view || route.page !== "answer" ? make("a", { href: "#/", "data-key": "home" }, "‹ the answer") : make("span", {}, page.file.title);
  const subject = route.page === "walk" ? make("a", { href: `#/${route.subject}`, "data-key": "subject" }, page.file.subjects[route.subject].title) : null;
  return make("div", {}, make("nav", { class: "where", "aria-label": "where you are" }, home, subject && " › ", subject, view && ` › ${view.shown ? view.shown.property : "walk"}`),
    view && stepsOfBar(view),
    make("div", { class: "tools" },
      view && button("link", () => offer("Link to this step", linkHere()), { title: "link to this step" }, "link"),
      view && Object.keys(view.subject.source).length > 0 && button("export", () => offer("This path as a trace file", traceFile(view), "path.json"), { title: "the path so far as a trace file" }, "export"),
      button("theme", () => { nextTheme(); void page.draw(); }, { title: "light, dark, or as the system says" }, `theme: ${theme}`),
      button("help", () => help(page.file), { title: "keys and words" }, "? help")));
}

/** @param {View} view */
function stepsOfBar(view) {
  const { walk, evidence } = view;
  const total = evidence ? ` of ${evidence.variants.length}` : "";
  const count = walk.own ? `step ${walk.variants.length}, your own` : `step ${walk.left}${total}`;
  const last = evidence ? evidence.variants.length : 0;
  const atEnd = walk.own > 0 || walk.left === last;
  return make("div", { class: "steps", role: "group", "aria-label": "steps" },
    button("first", () => view.go({ step: evidence ? 0 : view.route.step, own: [] }), { "aria-label": "first state", disabled: !walk.variants.length }, "|◀"),
    button("back", () => back(view), { "aria-label": "one step back", disabled: !walk.variants.length }, "◀"),
    make("span", { class: "count" }, count),
    button("on", () => forward(view), { "aria-label": "one step on", disabled: !canGoOn(view) }, "▶"),
    button("last", () => view.go({ step: last, own: [] }), { "aria-label": "last step", disabled: atEnd }, "▶|"));
}

void new Page(JSON.parse(document.getElementById("document")?.textContent ?? "")).start();
