// The history: where it comes from, and a strip of its steps, which shows the features that each step lights.

/**
 * Where a history comes from: a test user, titles, pasted ids.
 * @param {About} about
 * @param {object} acts
 * @param {(user: number) => void} acts.user
 * @param {(item: number) => void} acts.add
 * @param {(items: number[]) => void} acts.replace
 * @param {(line: string) => void} acts.refuse
 */
function historySources(about, acts) {
  const search = wordSearch(about.items.title, about.items.id);
  const userId = freshId();
  const users = element("select", { id: userId }, element("option", { value: "" }, "own history"), ...about.users.map(({ name, n }, place) => element("option", { value: place }, `${shortTitle(name)} (${n} items)`)));
  users.addEventListener("change", () => users.value !== "" && acts.user(Number(users.value)));
  const titles = combobox({
    label: "Add an item by its title",
    placeholder: "words of a title",
    find: (text) => search(text).map((index) => ({ index, text: shortTitle(about.items.title[index]) })),
    choose: acts.add,
  });
  return {
    node: element("div", { className: "sources" }, element("div", {}, element("label", { for: userId }, "A test user"), users), titles, pasteIds(about, acts)),
    setUser: (/** @type {number | null} */ place) => (users.value = place === null ? "" : String(place)),
  };
}

/**
 * @param {About} about
 * @param {{replace: (items: number[]) => void, refuse: (line: string) => void}} acts
 */
function pasteIds(about, { replace, refuse }) {
  const id = freshId();
  const input = element("input", { id, type: "text", placeholder: about.items.id.slice(0, 3).join(", "), autocomplete: "off", spellcheck: false });
  const places = new Map(about.items.id.map((item, place) => [String(item), place]));
  const use = () => {
    const ids = readIds(input.value);
    const unknown = ids.find((item) => !places.has(item));
    if (!ids.length) return refuse(`There is no item id in this history: write them like ${about.items.id.slice(0, 3).join(", ")}.`);
    if (unknown !== undefined) return refuse(`The recommender knows no item ${shortTitle(unknown)}: leave it out, or search by title.`);
    input.value = "";
    replace(ids.map((item) => /** @type {number} */ (places.get(item))));
  };
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && use());
  const button = element("button", { type: "button", onclick: use }, "Use");
  return element("div", {}, element("label", { for: id }, "Or paste item ids"), element("span", { className: "field" }, input, button));
}

/** Ids between commas, semicolons or line ends, or else between spaces; brackets and quotes are passed over. */
function readIds(/** @type {string} */ text) {
  const inside = text.trim().replace(/^[[(]+|[\])]+$/g, "");
  const parts = inside.split(/[,;\n\t]/.test(inside) ? /[,;\n\t]+/ : /\s+/);
  return parts.map((part) => part.trim().replace(/^['"]+|['"]+$/g, "")).filter(Boolean);
}

/**
 * The steps of a history as a strip of buttons, of which one is chosen: arrow keys choose another one, Delete takes it out.
 * @param {About} about
 * @param {Options} options
 * @param {{remove: (step: number) => void, addFeature: (feature: number) => void}} acts
 */
function historyStrip(about, options, acts) {
  const strip = element("ol", { className: "strip", "aria-label": "History, oldest first" });
  const detail = element("div", { className: "lit", "aria-live": "polite" });
  /** @type {number[]} */
  let history = [];
  /** @type {Light[]} */
  let lights = [];
  let chosen = -1;

  const lightOf = (/** @type {number} */ step) => lights[step - (history.length - lights.length)];
  const isRead = (/** @type {number} */ step) => step >= history.length - (about.max_history ?? history.length);
  function show(/** @type {number[]} */ items) {
    [history, lights, chosen] = [items, [], items.length - 1];
    strip.replaceChildren(...items.map(stepElement));
    choose(chosen);
  }
  function light(/** @type {Light[]} */ answer) {
    lights = answer;
    [...strip.children].forEach((node, step) => node.querySelector(".strongest").replaceChildren(...strongest(step)));
    choose(chosen);
  }
  function strongest(/** @type {number} */ step) {
    if (!isRead(step)) return ["not read"];
    const first = lightOf(step)?.features[0];
    return first ? [activationElement(about, first), featureText(about, first[0])] : ["nothing lit"];
  }
  function stepElement(/** @type {number} */ item, /** @type {number} */ step) {
    const title = about.items.title[item];
    const button = element("button", { type: "button", className: "step", "aria-pressed": "false", tabIndex: -1, "aria-keyshortcuts": "Delete" }, element("small", {}, `step ${step}`), titleElement(title), element("span", { className: "strongest" }));
    button.addEventListener("click", () => choose(step));
    const remove = element("button", { type: "button", className: "remove", tabIndex: -1, "aria-label": `Remove ${shortTitle(title)}` }, "×");
    remove.addEventListener("click", () => acts.remove(step));
    return element("li", {}, button, remove);
  }
  function choose(/** @type {number} */ step) {
    chosen = step;
    strip.querySelectorAll(".step").forEach((/** @type {any} */ button, /** @type {number} */ place) => {
      button.setAttribute("aria-pressed", String(place === step));
      button.tabIndex = place === step ? 0 : -1;
    });
    const node = strip.children[step];
    if (node) strip.scrollLeft = node.offsetLeft - (strip.clientWidth - node.offsetWidth) / 2;
    detail.replaceChildren(...(history.length && lights.length ? details(step) : []));
  }
  function details(/** @type {number} */ step) {
    if (!isRead(step)) return [element("p", {}, `Step ${step}, `, itemElement(about, history[step], options), `, is not read: the model sees the last ${about.max_history} items.`)];
    const features = lightOf(step)?.features ?? [];
    const head = element("p", {}, `Step ${step}, `, itemElement(about, history[step], options), ", lights ", ...(features.length ? [] : ["no feature."]));
    const chips = features.map(([feature, activation]) => {
      const turn = element("button", { type: "button", className: "turn", "aria-label": `Add a slider for ${featureText(about, feature)}`, title: "Add a slider" }, "+");
      turn.addEventListener("click", () => acts.addFeature(feature));
      return element("li", {}, activationElement(about, [feature, activation]), featureElement(about, feature, options), turn);
    });
    return [head, element("ul", { "aria-label": `Features at step ${step}` }, ...chips)];
  }
  strip.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const last = history.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: Math.max(0, chosen - 1), ArrowRight: Math.min(last, chosen + 1), Home: 0, End: last };
    if (event.key in moves) {
      choose(moves[event.key]);
      /** @type {any} */ (strip.children[chosen]?.firstChild)?.focus();
    } else if (event.key === "Delete" || event.key === "Backspace") acts.remove(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const focus = (/** @type {number} */ step) => {
    choose(Math.min(step, history.length - 1));
    /** @type {any} */ (strip.children[chosen]?.firstChild)?.focus();
  };
  return { node: element("div", { className: "steps" }, strip, detail), show, light, focus };
}

/**
 * An activation with a bar: its share of the feature's largest one.
 * @param {About} about
 * @param {[number, number]} light
 */
function activationElement(about, [feature, activation]) {
  const largest = about.features[feature].max ?? activation;
  const bar = element("i", { "aria-hidden": "true" });
  bar.style.setProperty("--a", (largest > 0 ? Math.min(1, Math.max(0, activation / largest)) : 0).toFixed(2));
  return element("span", { className: "activation" }, bar, activation.toPrecision(2));
}
