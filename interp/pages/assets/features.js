// What features are called, and which of them a search finds.
// Features and items are numbers: places in the columns of the page's JSON block.

const { about, concepts, items, features, labels } = data;
if (!concepts.length) document.body.classList.add("no-concepts"); // what is about concepts stays hidden
/** @type {{feature: number, sort: string, ascending: boolean, order: number[], found: Map<number, number | undefined>, page: number, chosen: Set<number> | null, item: number | null, stepping: boolean}} */
const state = { feature: 0, sort: concepts.length ? "correlation" : "density", ascending: false, order: [], found: new Map(), page: 0, chosen: null, item: null, stepping: false };

// ---- names ----

/** A score's name inside a sentence or a list: in small letters, unless it is an abbreviation. @param {string} key */
const nameInText = (key) => (/^.[A-Z]/.test(data.names[key]) ? data.names[key] : data.names[key][0].toLowerCase() + data.names[key].slice(1));

/** @param {number} feature */
const isDead = (feature) => features.density[feature] === 0;
/** @param {number} feature */
const isAligned = (feature) => features.aligned[feature] === 1;
/** @param {number} feature */
const isLabelled = (feature) => labels.labelled[feature];
/** @param {number} feature */
const conceptOf = (feature) => concepts[features.concept[feature] ?? -1] ?? "";
/** @param {number} feature */
const labelOf = (feature) => (isLabelled(feature) ? labels.name[feature] : null);
/** @param {number} feature */
const effectOf = (feature) => features.effect[feature];

/** What a feature is called everywhere (interp.features.grades). @param {number} feature */
const nameOf = (feature) => features.name[feature] + (features.given[feature] ? ` · “${features.given[feature][0]}” by ${features.given[feature][1]}` : "");

/** A term of the glossary, with its meaning on hover. @param {string} key */
function term(key, name = nameInText(key)) {
  const node = make("span", { className: "term" }, name);
  if (data.glossary[key]) node.dataset.tip = data.glossary[key][1];
  return node;
}

// ---- items ----

/** The chips of an item; the concept that a feature follows stands out. @param {number} item @param {number} feature */
function conceptChips(item, feature) {
  return chipsOf(items.concepts[item].map((concept) => concepts[concept]), conceptOf(feature));
}

/** The items at which a feature peaks in its strongest histories. @param {number} feature */
const topItems = (feature, count = 4) => features.peaks[feature].slice(0, count);

// ---- searching ----

/** What a text is found by: its words, also those that punctuation parts as one ("sci fi scifi"). @param {string} text */
function searchable(text) {
  return [...wordsOf(text), ...text.split(/\s+/).map((part) => wordsOf(part).join(""))].join(" ");
}

/** What the table says of a feature in words: its label, its best concept, what people call it, and its grade. @param {number} feature */
function toldOf(feature) {
  return [labelOf(feature) ?? "", conceptOf(feature), features.given[feature]?.[0] ?? "", gradeOf(feature)];
}

/** @param {number} feature */
const gradeOf = (feature) => features.grades[features.grade[feature]][0];

/** Whether a search is for effects: its first word is a verb of theirs, or begins one ("lower popularity"). @param {string[]} words */
const asksEffect = ([first = ""]) => first.length > 2 && ["raises", "lowers"].some((verb) => verb.startsWith(first));

/**
 * What turning a feature up does beyond its interval, as [phrase, change]: "lowers Mean popularity", "raises Horror".
 * @param {number} feature
 * @returns {[string, number][]}
 */
const effectsOf = (feature) => features.effects[feature].map(([place, by]) => [data.phrases[place], by]);

/** @type {Record<string, (feature: number) => boolean>} */
const KINDS = {
  tested: isLabelled,
  correlated: (feature) => features.grade[feature] === "correlated",
  unlabelled: (feature) => features.grade[feature] === "none" && !isDead(feature),
  dead: isDead,
};

const searched = {
  titles: items.titles.map(searchable),
  names: range(about.features).map((feature) => searchable(toldOf(feature).join(" "))),
  effects: data.phrases.map(searchable),
};

/** The feature that a text such as "#412" names, or null. @param {string} text */
function featureOf(text) {
  const number = /^#\d+$/.test(text) ? Number(text.slice(1)) : NaN;
  return number < about.features ? number : null;
}

/**
 * Features that a search finds, each with the item that it was found by (undefined if by number or name). All words of
 * the search must be in what is told of the feature, or in one title.
 * @param {string} text
 */
function search(text) {
  const [query, words] = [text.trim(), wordsOf(text)];
  const number = featureOf(query);
  if (number !== null) return new Map([[number, undefined]]);
  /** @param {string} name */
  const fits = (name) => words.every((word) => name.includes(word));
  const hit = searched.titles.map(fits);
  const effects = searched.effects.map((phrase) => asksEffect(words) && fits(phrase));
  const found = new Map();
  for (const feature of range(about.features).filter(passes)) {
    const item = features.items[feature].find((one) => hit[one]);
    const does = features.effects[feature].some(([place]) => effects[place]);
    if (query === String(feature) || does || fits(searched.names[feature])) found.set(feature, undefined);
    else if (item !== undefined) found.set(feature, item);
  }
  return found;
}

/** Whether a feature fits the filters and what was chosen on the map. @param {number} feature */
function passes(feature) {
  const [concept, kind] = [byId("concept").value, byId("kind").value];
  const named = concept === "" || features.concept[feature] === Number(concept);
  return named && (kind === "" || KINDS[kind](feature)) && (state.chosen?.has(feature) ?? true);
}
