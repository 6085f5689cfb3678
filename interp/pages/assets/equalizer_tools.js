// Small tools of the equalizer: elements made of text, numbers as text, and the newest of several answers.
// Text from the data becomes text nodes, never markup.

const LONGEST_TITLE = 160; // characters that are shown

let lastId = 0;

/** An id that nothing else on the page has. */
const freshId = () => `eq-${(lastId += 1)}`;

/**
 * A new element with these properties, holding nodes or text. Names with a dash are set as attributes.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else /** @type {any} */ (node)[name] = value;
  }
  node.append(...children);
  return node;
}

/**
 * A title that fits; the whole of it is shown on hover.
 * @param {string} text
 */
function titleElement(text) {
  return element("b", { dir: "auto", title: text.slice(0, 1000) }, shortTitle(text));
}

const shortTitle = (/** @type {string} */ text) => (text.length > LONGEST_TITLE ? `${text.slice(0, LONGEST_TITLE)}…` : text || "(no title)");

/** A number without the noise of its binary digits, such as 0.3 for 0.30000000000000004. */
const tidy = (/** @type {number} */ value) => Number(value.toFixed(4));

/** With a sign, and a real minus. */
function signed(/** @type {number} */ value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

const asPercent = (/** @type {number} */ share) => `${Math.round(100 * share)}%`;

/** Letters without accents and case. */
const foldText = (/** @type {string} */ text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * A feature in words: its name and number, as a link to its page where there is one.
 * @param {About} about
 * @param {number} feature
 * @param {Options} options
 */
function featureElement(about, feature, options) {
  return featureLink(about, feature, options, featureText(about, feature));
}

/**
 * @param {About} about
 * @param {number} feature
 * @param {Options} options
 * @param {string} text
 */
function featureLink(about, feature, options, text) {
  const address = options.link?.(about.features[feature].index) ?? null;
  return address === null ? element("span", { className: "feature" }, text) : element("a", { className: "feature", href: address, "aria-label": featureText(about, feature) }, text);
}

/**
 * An item's title, as a link to its page where there is one.
 * @param {About} about
 * @param {number} item
 * @param {Options} options
 */
function itemElement(about, item, options) {
  const address = options.itemLink?.(about.items.id[item]) ?? null;
  const title = titleElement(about.items.title[item]);
  return address === null ? title : element("a", { className: "item-page", href: address }, title);
}

/**
 * A link to an item's page, beside a title that does something else; nothing where it has no page.
 * @param {About} about
 * @param {number} item
 * @param {Options} options
 */
function itemPageLink(about, item, options) {
  const address = options.itemLink?.(about.items.id[item]) ?? null;
  const name = `Page of ${shortTitle(about.items.title[item])}`;
  return address === null ? [] : [element("a", { className: "item-page", href: address, "aria-label": name, title: name }, "↗")];
}

/**
 * @param {About} about
 * @param {number} feature
 */
function featureText(about, feature) {
  const { index, name } = about.features[feature];
  return `${shortTitle(name)} ${index}`;
}

/** Words between which stand commas, and "and" before the last. @param {string[]} words */
const enumerated = (words) => words.map((word, place) => joint(place, words.length) + word).join("");

/** What stands before a word of several. @param {number} place @param {number} count */
const joint = (place, count) => (place === 0 ? "" : place === count - 1 ? " and " : ", ");

/**
 * Calls a slow function, one call at a time: arguments that come while it works wait, and only the newest of them is kept.
 * @template A, R
 * @param {(argument: A) => Promise<R>} work
 * @param {(result: R, argument: A) => void} done
 * @param {(error: unknown) => void} failed
 */
function newest(work, done, failed) {
  /** @type {{argument: A} | null} */
  let waiting = null;
  let busy = false;
  async function next() {
    busy = true;
    while (waiting) {
      const { argument } = waiting;
      waiting = null;
      try {
        done(await work(argument), argument);
      } catch (error) {
        if (!waiting) failed(error);
      }
    }
    busy = false;
  }
  return (/** @type {A} */ argument) => {
    waiting = { argument };
    if (!busy) next();
  };
}

/** What an error says to people, in one line. */
const errorText = (/** @type {unknown} */ error) => (error instanceof Error ? error.message : String(error));
