// The equalizer: a history, sliders, lists before and after, and why. It draws itself from a backend alone
// (equalizer_contract.js), so that pages, the local server and notebooks show the same.

const IDLE = 250; // milliseconds without a change, after which reasons are asked for

/**
 * @param {HTMLElement} root an empty element
 * @param {Backend} backend
 * @param {Options} [options]
 * @returns {Promise<{addFeature: (number: number, value?: number) => void, destroy: () => void}>}
 */
async function mountEqualizer(root, backend, options = {}) {
  const about = await backend.about();
  const level = options.heading ?? 2;
  /** @type {{history: number[], settings: Setting[], boosting: boolean}} */
  const state = { history: [], settings: [], boosting: false };

  const refusal = element("p", { className: "refusal", role: "alert", hidden: true });
  const say = (/** @type {string} */ line) => {
    refusal.hidden = !line;
    refusal.textContent = line;
  };
  const status = element("p", { className: "summary", role: "status" });
  const [shares, lists, code] = ["shares-box", "lists", "code"].map((className) => element("div", { className }));

  const sliders = sliderPanel(about, { change: (settings) => change({ settings }), level });
  const sources = historySources(about, {
    user: takeUser,
    add: (item) => changeHistory([...state.history, item]),
    replace: changeHistory,
    refuse: say,
  });
  const strip = historyStrip(about, options, {
    remove: (step) => {
      changeHistory(state.history.filter((_, place) => place !== step));
      strip.focus(step);
    },
    addFeature: (feature) => sliders.addFeature(feature),
  });
  const why = whyWindow(about, options, { add: (item) => changeHistory([...state.history, item]) });
  const receipt = receiptPart(about, backend, () => state.settings);

  const boost = element("input", { type: "checkbox", id: freshId() });
  boost.addEventListener("change", () => change({ boosting: boost.checked }));
  const boosting = element("label", { className: "check", for: boost.id }, boost, "Beside it: re-ranking to the same share");
  const clear = element("button", { type: "button" }, "Clear");
  clear.addEventListener("click", () => changeHistory([]));

  const showLists = newest(
    async (/** @type {Query & {boosting: boolean}} */ { boosting: wanted, ...request }) => {
      if (!request.history.length) return null;
      const result = await backend.run({ ...request, reasons: false });
      return wanted ? withBoosts(about, backend, request, result) : result;
    },
    (result, request) => show(result, request),
    (error) => say(errorText(error)),
  );
  /** @type {ReturnType<typeof setTimeout>} */
  let idle;
  const showReasons = newest(
    async (/** @type {{query: Query, columns: ReturnType<typeof listColumns>}} */ { query: { history, settings } }) => backend.run({ history, settings, boosts: {}, reasons: true }),
    ({ reasons }, { query, columns }) => columns.say(reasons, directionOf(query.settings)),
    (error) => say(errorText(error)),
  );
  const showLights = newest(
    async (/** @type {number[]} */ history) => (history.length ? backend.lights({ history }) : []),
    (lights, history) => history === state.history && strip.light(lights),
    (error) => say(errorText(error)),
  );

  function change(/** @type {Partial<typeof state>} */ part) {
    Object.assign(state, part);
    root.classList.add("working");
    showLists({ history: state.history, settings: state.settings, boosts: {}, boosting: state.boosting && state.settings.length > 0 });
    receipt.forget();
  }
  function changeHistory(/** @type {number[]} */ history, /** @type {number | null} */ user = null) {
    say("");
    sources.setUser(user);
    strip.show(history);
    change({ history });
    showLights(history);
  }
  async function takeUser(/** @type {number} */ place) {
    try {
      changeHistory((await backend.user(place)).history, place);
    } catch (error) {
      say(errorText(error));
    }
  }
  function show(/** @type {Result | null} */ result, /** @type {Query} */ request) {
    root.classList.remove("working");
    if (!result) {
      status.textContent = "There is no history yet: choose a test user, or add items.";
      return [shares, lists, code].forEach((part) => part.replaceChildren());
    }
    say("");
    const count = result.after.filter(({ move }) => move === "enters").length;
    status.textContent = count ? `${count} of ${result.after.length} items enter, as many leave.` : request.settings.length ? "No item enters or leaves." : "Nothing is turned: both lists are the same.";
    shares.replaceChildren(...(about.concepts.length ? [element("p", { className: "hint" }, "Share of the list that has a concept, before → after"), ...shareRows(about, result.shares)] : []));
    const columns = listColumns(about, options, result, { level: level + 1, explain: (item, side) => explain(item, side, request) });
    lists.replaceChildren(columns.node);
    clearTimeout(idle);
    if (Object.keys(result.reasons).length) columns.say(result.reasons, directionOf(request.settings));
    else if (count) idle = setTimeout(() => showReasons({ query: request, columns }), IDLE);
    code.replaceChildren(...codeParts(result));
  }
  function explain(/** @type {number} */ item, /** @type {Side} */ side, /** @type {Query} */ { history, settings }) {
    const where = { before: "in the list without the sliders", after: "in the list with the sliders", boosted: "where re-ranking puts it, by its score without sliders" }[side];
    why.open({ item, where, history, explanation: backend.explain({ history, settings: side === "after" ? settings : [], item }) });
  }

  const history = element("section", { className: "card past", "aria-label": "History" }, element("div", { className: "between" }, element(`h${level}`, {}, "History"), clear), sources.node, strip.node);
  const results = element("section", { className: "card results", "aria-label": "Lists" }, element("div", { className: "between" }, element(`h${level}`, {}, "Lists"), status, boosting), shares, lists, ...receipt.nodes, code);
  root.classList.add("eq");
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys
  root.replaceChildren(...notesOf(about), refusal, element("div", { className: "desk" }, history, sliders.node, results), why.node);
  if (about.users.length) await takeUser(0);
  else changeHistory([]);
  return {
    addFeature: (number, value = 0) => {
      const place = about.features.findIndex(({ index }) => index === number);
      if (place < 0) return;
      sliders.node.scrollIntoView({ block: "start" });
      sliders.addFeature(place, value);
    },
    destroy: () => root.replaceChildren(),
  };
}

/** 1 where all sliders are turned up, −1 where all are turned down, else 0. */
function directionOf(/** @type {Setting[]} */ settings) {
  const signs = new Set(settings.map(({ value }) => Math.sign(value)));
  return signs.size === 1 ? [...signs][0] : 0;
}

function notesOf(/** @type {About} */ { warning, notes = [] }) {
  return [...(warning ? [warning] : []), ...notes].map((line) => element("p", { className: "note" }, line));
}

/** The same in Python and as JSON, where the backend has it. */
function codeParts(/** @type {Result} */ { python, json }) {
  return [["The same in Python", python], ["The steer as JSON, for a service", json]].flatMap(([name, text]) =>
    text ? [element("details", {}, element("summary", {}, /** @type {string} */ (name)), element("pre", { tabIndex: 0, "aria-label": name }, text))] : [],
  );
}

/**
 * The receipt of the sliders on the test users, when it is asked for.
 * @param {About} about
 * @param {Backend} backend
 * @param {() => Setting[]} settings
 */
function receiptPart(about, { measure }, settings) {
  if (!measure) return { nodes: about.measure_note ? [element("p", { className: "hint" }, about.measure_note)] : [], forget() {} };
  const button = element("button", { type: "button" }, "Receipt on the test users");
  const body = element("div", { className: "receipt", "aria-live": "polite" });
  let asked = 0;
  button.addEventListener("click", async () => {
    const own = (asked += 1);
    body.replaceChildren("… some seconds …");
    try {
      const { html } = await measure({ settings: settings() });
      if (own === asked) body.replaceChildren(...textOf(html));
    } catch (error) {
      if (own === asked) body.replaceChildren(element("p", { className: "refusal", role: "alert" }, errorText(error)));
    }
  });
  return { nodes: [button, body], forget: () => ((asked += 1), body.replaceChildren()) };
}

/** Tables and paragraphs of HTML as new elements that hold text only: nothing else of it reaches the page. */
function textOf(/** @type {string} */ html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.querySelectorAll("p, table")].map((part) => {
    if (!(part instanceof HTMLTableElement)) return element("p", {}, part.textContent ?? "");
    const rows = [...part.rows].map((row) => element("tr", {}, ...[...row.cells].map((cell) => element(cell.tagName.toLowerCase(), {}, cell.textContent ?? ""))));
    return element("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Receipt" }, element("table", {}, ...rows));
  });
}
