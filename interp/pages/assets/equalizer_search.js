// A field with a list of choices below it, by mouse and by keyboard (the combobox pattern of the ARIA practices).

const CHOICES = 12;

/**
 * @typedef {object} Choice
 * @property {number} index
 * @property {string} text
 * @property {string} [hint] smaller, beside it
 */

/**
 * @param {object} parts
 * @param {string} parts.label
 * @param {string} parts.placeholder
 * @param {(text: string) => Choice[]} parts.find what fits a text, the best first
 * @param {(index: number) => void} parts.choose
 * @param {boolean} [parts.open] whether there are choices before anything is typed
 */
function combobox({ label, placeholder, find, choose, open = false }) {
  const [inputId, listId] = [freshId(), freshId()];
  const input = element("input", { id: inputId, type: "text", placeholder, autocomplete: "off", spellcheck: false, role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list" });
  const list = element("ul", { id: listId, role: "listbox", "aria-label": label, hidden: true });
  const status = element("span", { className: "only-read", role: "status" });
  /** @type {Choice[]} */
  let choices = [];
  let at = -1;

  function close() {
    choices = [];
    show();
  }
  function show() {
    at = -1;
    list.replaceChildren(...choices.map(({ text, hint }, place) => option(text, hint, place)));
    list.hidden = !choices.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }
  function option(/** @type {string} */ text, /** @type {string | undefined} */ hint, /** @type {number} */ place) {
    const node = element("li", { id: `${listId}-${place}`, role: "option", "aria-selected": "false" }, element("span", { dir: "auto" }, text));
    if (hint) node.append(element("small", {}, hint));
    node.addEventListener("pointerdown", (/** @type {Event} */ event) => event.preventDefault()); // the field keeps the focus
    node.addEventListener("click", () => take(place));
    return node;
  }
  function mark(/** @type {number} */ place) {
    at = (place + choices.length) % choices.length;
    [...list.children].forEach((node, other) => node.setAttribute("aria-selected", String(other === at)));
    list.children[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `${listId}-${at}`);
  }
  function take(/** @type {number} */ place) {
    const { index, text } = choices[place];
    input.value = "";
    close();
    status.textContent = `${text} added`;
    choose(index);
  }
  function search() {
    const text = input.value.trim();
    choices = text || open ? find(text).slice(0, CHOICES) : [];
    show();
    status.textContent = !text ? "" : choices.length ? `${choices.length} choices` : "nothing has these words";
    empty.hidden = !text || choices.length > 0;
  }
  const empty = element("p", { className: "hint", hidden: true }, "Nothing has these words.");
  input.addEventListener("input", search);
  input.addEventListener("focus", () => open && search());
  input.addEventListener("click", () => open && search());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => (choices.length ? mark(at + 1) : search()),
      ArrowUp: () => choices.length && mark(at < 0 ? -1 : at - 1),
      Enter: () => choices.length && take(Math.max(at, 0)),
      Escape: close,
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  return element("div", { className: "combobox" }, element("label", { for: inputId }, label), element("div", { className: "drop" }, input, list), empty, status);
}

/**
 * A search by words, those that fit best first (`fit.js`), those that fit alike in their order.
 * @param {string[]} texts
 * @param {(string | number)[]} [ids] the same by an id
 * @returns {(text: string) => number[]} positions
 */
function wordSearch(texts, ids = []) {
  /** @type {string[] | null} */
  let folded = null;
  const places = new Map(ids.map((id, place) => [String(id), place]));
  const plain = (/** @type {string} */ text) => foldText(text).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  return (search) => {
    const query = plain(search);
    folded ??= texts.map(plain);
    const fits = query ? folded.flatMap((text, place) => {
      const fit = fitOf(text, query);
      return fit === null ? [] : [{ place, fit }];
    }) : [];
    const order = fits.sort((one, other) => one.fit - other.fit).map(({ place }) => place);
    const byId = places.get(search.trim());
    return [...(byId === undefined ? [] : [byId]), ...order.filter((place) => place !== byId)];
  };
}
