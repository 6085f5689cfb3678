// The search: one box for features, items, concepts and effects. Results by how well they fit, in groups.

const SHOWN = 6; // results of each kind
const GRADE_ORDER = Object.keys(features.grades);
/** @param {string} text */
const joined = (text) => wordsOf(text).join(" ");
const plainTitles = items.titles.map(joined);
/** @type {(() => void)[]} */
let options = []; // what the shown results do, in their order
let active = -1; // which of them Enter takes

/** @template T @typedef {[candidate: T, fit: number]} Fit */

/**
 * The candidates that fit, best first; of those that fit alike, the one that comes first by `order`.
 * @template T
 * @param {T[]} candidates
 * @param {(candidate: T) => string} nameIn
 * @param {string} query
 * @param {(one: T, other: T) => number} order
 * @returns {Fit<T>[]}
 */
function ranked(candidates, nameIn, query, order) {
  const fits = candidates.flatMap((one) => {
    const fit = fitOf(nameIn(one), query);
    return fit === null ? [] : [/** @type {Fit<T>} */ ([one, fit])];
  });
  return fits.sort(([one, a], [other, b]) => a - b || order(one, other));
}

/**
 * Everything that a search finds, in groups of { name, found: [candidate, fit], row }, the best fitting group first.
 * @param {string} text
 * @returns {{name: string, found: Fit<any>[], row: (candidate: any) => Hit}[]}
 */
function findAll(text) {
  const query = joined(text);
  if (!query && featureOf(text.trim()) === null) return [];
  const groups = [
    { name: "Features", found: foundFeatures(text.trim(), query), row: featureResult },
    { name: "Items", found: ranked(range(items.titles.length), (item) => plainTitles[item], query, (one, other) => items.popularity[other] - items.popularity[one]), row: itemResult },
    { name: "Concepts", found: ranked(followed, (concept) => joined(concepts[concept]), query, (one, other) => one - other), row: conceptResult },
    { name: "Effects", found: ranked(asksEffect(wordsOf(text)) ? [...phrases.keys()] : [], joined, query, (one, other) => featuresOf(other).length - featuresOf(one).length), row: effectResult },
  ];
  /** @param {{found: Fit<any>[]}} group */
  const best = ({ found }) => found[0]?.[1] ?? Infinity;
  return groups.filter(({ found }) => found.length).sort((one, other) => best(one) - best(other));
}

/**
 * A number first; then names, those with the better grade first; then features of the grade that is searched for.
 * @param {string} text
 * @param {string} query
 * @returns {Fit<number>[]}
 */
function foundFeatures(text, query) {
  const number = featureOf(text.startsWith("#") ? text : `#${text}`);
  const named = range(about.features).filter((feature) => features.grade[feature] !== "none");
  /** @param {number} feature */
  const grade = (feature) => GRADE_ORDER.indexOf(features.grade[feature]);
  const ofConcepts = new Set(concepts.map(joined));
  /** @param {number} feature */
  const other = (feature) => Number(!ofConcepts.has(joined(nameOf(feature)))); // such as a year, after the concepts
  /** @param {number} one @param {number} two */
  const order = (one, two) => grade(one) - grade(two) || other(one) - other(two) || features.density[two] - features.density[one];
  const byName = query ? ranked(named, (feature) => joined(nameOf(feature)), query, order).filter(([feature]) => feature !== number) : [];
  /** @param {number} feature */
  const isGrade = (feature) => query && `${joined(gradeOf(feature))} `.startsWith(`${query} `);
  const known = new Set([number, ...byName.map(([feature]) => feature)]);
  const byGrade = range(about.features).filter((feature) => isGrade(feature) && !known.has(feature)).sort(order).map((feature) => /** @type {Fit<number>} */ ([feature, PREFIX]));
  return [...(number === null ? [] : [/** @type {Fit<number>} */ ([number, EXACT])]), ...byName, ...byGrade];
}

/** Concepts that are the best of a feature. */
const followed = [...new Set(features.concept)].filter((concept) => concept !== null);

/** What turning a feature up does beyond its interval, as "lowers Mean popularity": its features, the largest change first. */
/** @type {Map<string, [feature: number, change: number][]>} */
const phrases = new Map();
for (const feature of range(about.features)) {
  for (const [phrase, by] of effectsOf(feature)) phrases.set(phrase, [...(phrases.get(phrase) ?? []), [feature, by]]);
}
for (const rows of phrases.values()) rows.sort(([, one], [, other]) => Math.abs(other) - Math.abs(one));
/** @param {string} phrase */
const featuresOf = (phrase) => phrases.get(phrase) ?? [];

// ---- results as rows ----

/** @typedef {{does: () => void, nodes: (Node | string)[]}} Hit */

/** @param {() => void} does @param {...(Node | string)} nodes */
const result = (does, ...nodes) => ({ does, nodes });

/** @param {number} feature */
function featureResult(feature) {
  const about = isDead(feature) ? "never active" : `on at ${percent(features.density[feature])} of steps`;
  return result(() => go(feature), make("b", {}, `#${feature}`), nameChip(feature), make("span", { className: "aside" }, about));
}

/** @param {number} item */
function itemResult(item) {
  const aside = make("span", { className: "aside" }, `in ${count(items.lists[item], "list")}`);
  const does = items.paged[item] ? () => (location.hash = itemAddress(item)) : () => toTable(items.titles[item]);
  return result(does, make("span", { className: "name", dir: "auto" }, titleText(item)), aside);
}

/** @param {number} concept */
function conceptResult(concept) {
  const aside = make("span", { className: "aside" }, `best of ${count(features.concept.filter((one) => one === concept).length, "feature")}`);
  return result(() => toTable("", concept), make("span", { className: "name" }, short(concepts[concept])), aside);
}

/** @param {string} phrase */
function effectResult(phrase) {
  const [[feature]] = featuresOf(phrase);
  const aside = make("span", { className: "aside" }, `${count(featuresOf(phrase).length, "feature")}, most: #${feature}`);
  return result(() => toTable(phrase), make("span", { className: "name" }, short(phrase)), aside);
}

/** The table with what a search, or a concept, leaves of it. @param {string} text @param {string | number} concept */
function toTable(text, concept = "") {
  byId("search").value = text;
  byId("concept").value = concept;
  applySearch();
  writeAddress();
  byId("all").scrollIntoView();
}

// ---- the box ----

function showResults() {
  const groups = findAll(byId("search").value);
  options = [];
  /** @param {Hit} row */
  const option = ({ does, nodes }) => {
    const node = make("div", { className: "option", role: "option", id: `result-${options.length}`, ariaSelected: "false" }, ...nodes);
    const place = options.push(does) - 1;
    node.addEventListener("mousedown", (/** @type {Event} */ event) => event.preventDefault()); // the box keeps the focus
    node.addEventListener("click", () => take(place));
    return node;
  };
  const parts = groups.map(({ name, found, row }) => {
    const more = found.length > SHOWN ? ` (${SHOWN} of ${found.length.toLocaleString("en")})` : "";
    const head = make("p", { id: `results-${name}` }, `${name}${more}`);
    const part = make("div", { role: "group" }, head, ...found.slice(0, SHOWN).map(([one]) => option(row(one))));
    part.setAttribute("aria-labelledby", head.id);
    return part;
  });
  const text = byId("search").value.trim();
  if (state.found.size) parts.push(option(result(() => toTable(text, byId("concept").value), `All features that fit “${short(text)}”, in the table (${state.found.size})`)));
  else if (text && !parts.length) parts.push(make("div", { className: "nothing", role: "option", ariaDisabled: "true" }, `Nothing fits “${short(text)}”.`));
  byId("results").replaceChildren(...parts);
  openResults(text !== "");
  activate(options.length ? 0 : -1);
}

/** @param {boolean} open */
function openResults(open) {
  byId("results").hidden = !open;
  byId("search").ariaExpanded = String(open);
  if (!open) activate(-1);
}

/** Mark the result that Enter takes. @param {number} place */
function activate(place) {
  active = place;
  for (const node of byId("results").querySelectorAll(".option")) node.ariaSelected = String(node.id === `result-${place}`);
  if (place < 0) return byId("search").removeAttribute("aria-activedescendant");
  byId("search").setAttribute("aria-activedescendant", `result-${place}`);
  byId(`result-${place}`).scrollIntoView({ block: "nearest" });
}

/** @param {number} place */
function take(place) {
  openResults(false);
  options[place]();
}

/** @param {KeyboardEvent} event */
function onSearchKey(event) {
  const open = !byId("results").hidden;
  /** @param {number} by */
  const move = (by) => () => (open ? options.length && activate((active + by + options.length) % options.length) : showResults());
  const leave = () => (open ? openResults(false) : byId("search").blur());
  /** @type {Record<string, () => void>} */
  const acts = { ArrowDown: move(1), ArrowUp: move(-1), Escape: leave, Enter: () => open && active >= 0 && take(active) };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function listenToSearch() {
  const box = byId("search");
  box.addEventListener("input", () => {
    applySearch();
    showResults();
    writeSoon();
  });
  box.addEventListener("keydown", onSearchKey);
  box.addEventListener("focus", () => box.value.trim() && showResults());
  box.addEventListener("blur", () => openResults(false));
}
