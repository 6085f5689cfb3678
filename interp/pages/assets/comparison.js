// Draws the page of a comparison: what differs, what became of every feature, concepts and lists.
// Text from the data reaches the page only as text nodes.

const PAGE_ROWS = 15;
const HOLDS = ["kept", "merged", "split"];
/** @type {{sort: string, ascending: boolean, order: number[], page: number, pair: Pair | null}} */
const state = { sort: "score", ascending: false, order: [], page: 0, pair: null };
const OF_OLD = data.matches.old.change.map((_, feature) => rowOf("old", feature));
const OF_NEW = data.matches.new.change.map((_, feature) => rowOf("new", feature)).filter(({ change }) => change !== "kept");
const ROWS = [...OF_OLD, ...OF_NEW]; // a pair that was kept is one row

/** @param {Side} side @param {number} feature @returns {Row} */
function rowOf(side, feature) {
  const row = /** @type {any} */ (Object.fromEntries(Object.entries(data.matches[side]).map(([name, column]) => [name, column[feature]])));
  const pair = side === "old" ? [feature, row.match] : [row.match, feature];
  return { side, feature, ...row, pair, holds: HOLDS.includes(row.change) };
}

/** @type {RowColumn[]} */
const COLUMNS = [
  featureColumn("old", 0),
  { key: "change", name: "Change", text: true, value: ({ change }) => change, show: ({ change }) => badge(change) },
  featureColumn("new", 1),
  { key: "score", name: "Correlation", tip: "Of their activations on the same steps. The thin mark is what chance gives.", value: ({ score }) => score, show: ({ score, chance }) => similarity(score, chance) },
  { key: "written", name: "Scores", tip: "How alike the two change the scores of items: correlation over items.", value: ({ written }) => written },
  { key: "held", name: "Items", tip: "How alike the items are on which the two are active: correlation over items.", value: ({ held }) => held },
  costColumn("old", 0),
  costColumn("new", 1),
];

/** A feature of a side, where the row has one: a match that does not hold is none. @param {Side} side @param {0 | 1} place @returns {RowColumn} */
function featureColumn(side, place) {
  /** @param {Row} row */
  const at = (row) => (row.side === side || row.holds ? row.pair[place] : null);
  return {
    key: side,
    name: side === "old" ? "Old feature" : "New feature",
    text: true,
    value: at,
    show: (row) => {
      const feature = at(row);
      return feature === null ? make("span", { className: "weak" }, "–") : make("span", {}, `${feature} `, nameChip(feature, data.sides[side]));
    },
  };
}

/** What turning the feature up costs, on the test users of its own study. @param {Side} side @param {0 | 1} place @returns {RowColumn} */
function costColumn(side, place) {
  const { costs } = data.sides[side];
  /** @param {Row} row @param {string} name */
  const at = (row, name) => (row.side === side || row.holds ? costs[name][row.pair[place]] : null);
  return {
    key: `cost-${side}`,
    name: `NDCG@10, ${side}`,
    tip: `Change of NDCG@10 where the ${side} feature is turned up by its 99th percentile, with 95% intervals.`,
    value: (row) => at(row, "ndcg"),
    show: (row) => withInterval(at(row, "ndcg"), at(row, "ndcg_low"), at(row, "ndcg_high")),
  };
}

/** @param {Value} value @param {Value} low @param {Value} high @param {(value: Value) => string} show */
function withInterval(value, low, high, show = change) {
  if (value == null) return "–";
  const bounds = low == null || high == null ? "" : ` ${interval(low, high, show)}`;
  return make("span", {}, show(value), make("small", {}, bounds));
}

/** @param {string} change */
function badge(change) {
  const node = make("span", { className: `badge ${change}` }, change);
  node.dataset.tip = data.changes[change];
  return node;
}

// ---- the table of features ----

const searchTexts = Object.fromEntries(SIDES.map((side) => [side, data.sides[side].features.name.map((name, feature) => searchText(side, feature))]));

/** A feature is found by its name, its sentence, and the items that light it or that it moves. @param {Side} side @param {number} feature */
function searchText(side, feature) {
  const { features, items, lit, moves } = data.sides[side];
  const moved = ["promoted", "suppressed"].flatMap((direction) => moves.lists[direction].item[feature]);
  const titles = [...lit.item[feature], ...moved].map((item) => items.titles[item]);
  return wordsOf([features.name[feature], features.sentence[feature], ...titles].join(" ")).join(" ");
}

/** @param {Row} row */
function inSearch(row) {
  const [text, words, kind] = [byId("search").value.trim(), wordsOf(byId("search").value), byId("change").value];
  if (kind && row.change !== kind) return false;
  const seen = SIDES.filter((side) => row.side === side || row.holds);
  const numbers = seen.map((side) => String(row.pair[SIDES.indexOf(side)]));
  if (/^#?\d+$/.test(text)) return numbers.includes(text.replace("#", ""));
  return seen.some((side) => words.every((word) => searchTexts[side][row.pair[SIDES.indexOf(side)]].includes(word)));
}

function applySearch() {
  const column = COLUMNS.find(({ key }) => key === state.sort) ?? COLUMNS[0];
  const rows = ROWS.map((row, place) => place).filter((place) => inSearch(ROWS[place]));
  state.order = rows.sort(byValue((place) => column.value(ROWS[place]), state.ascending));
  state.page = 0;
  byId("count").textContent = rows.length === ROWS.length ? `${ROWS.length} rows` : `${rows.length} of ${ROWS.length} rows`;
  for (const tile of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#tiles button"))) tile.ariaPressed = String(tile.dataset.change === byId("change").value);
  fillTable();
}

function fillTable() {
  showPage((place) => tableRow(ROWS[place]), PAGE_ROWS);
  markSorted(byId("table").tHead.querySelectorAll("th"));
}

/** @param {Row} row */
function tableRow(row) {
  const cells = COLUMNS.map(({ text, value, show }) => make("td", { className: text ? "text" : "" }, show ? show(row) : fixed(value(row), 2)));
  const link = make("a", { href: `#${row.pair.join("-")}`, ariaLabel: `Compare old ${row.pair[0]} and new ${row.pair[1]}` }, "compare");
  const node = make("tr", {}, ...cells, make("td", { className: "text" }, link));
  if (row.pair.join() === state.pair?.join()) node.ariaCurrent = "true";
  node.addEventListener("click", () => go(row.pair));
  return node;
}

function makeHeads() {
  const heads = COLUMNS.map((column) => {
    const button = make("button", { type: "button" }, column.name);
    if (column.tip) button.dataset.tip = column.tip;
    button.addEventListener("click", () => {
      state.ascending = state.sort === column.key ? !state.ascending : Boolean(column.text) || column.key.startsWith("cost");
      state.sort = column.key;
      applySearch();
    });
    const head = make("th", { className: column.text ? "text" : "", scope: "col" }, button);
    head.dataset.key = column.key;
    return head;
  });
  byId("table").tHead.rows[0].replaceChildren(...heads, make("td"));
}

// ---- what differs ----

function makeTiles() {
  const tiles = SIDES.flatMap((side) => {
    const changes = data.matches[side].change;
    const counted = data.changes_of[side].map((name) => ({ name, count: changes.filter((one) => one === name).length }));
    return counted.filter(({ name, count }) => count || name !== "silent").map(({ name, count }) => tile(side, name, count, changes.length));
  });
  byId("tiles").append(...tiles);
  const names = [...new Set(SIDES.flatMap((side) => data.changes_of[side]))].filter((name) => ROWS.some((row) => row.change === name));
  byId("change").append(...names.map((name) => make("option", { value: name }, name)));
}

/**
 * How many features of a side had this change; pressed, the table shows only these.
 * @param {Side} side
 * @param {string} name
 * @param {number} count
 * @param {number} all
 */
function tile(side, name, count, all) {
  const of = name === "kept" ? `of ${all} old, ${sizeOf("new")} new` : `of ${all} ${side}`;
  const node = make("button", { type: "button", className: `tile ${name}`, disabled: !count }, make("b", {}, String(count)), make("span", {}, `${name}, ${of}`), make("small", {}, data.changes[name]));
  node.dataset.change = name;
  node.addEventListener("click", () => {
    byId("change").value = byId("change").value === name ? "" : name;
    applySearch();
  });
  return node;
}

/** @param {string} tag @param {(Node | string)[]} cells */
const rowWith = (tag, cells) => make("tr", {}, ...cells.map((cell, place) => make(tag, { className: place ? "" : "text", ...(tag === "th" ? { scope: "col" } : {}) }, cell)));

/** @param {string} id @param {string[]} head @param {(Node | string)[][]} rows */
function fillRows(id, head, rows) {
  byId(id).replaceChildren(make("thead", {}, rowWith("th", head)), make("tbody", {}, ...rows.map((cells) => rowWith("td", cells))));
}

function showStudies() {
  /** @type {[string, "study" | "title" | "site" | "dictionary"][]} */
  const facts = [["study", "study"], ["recommender", "title"], ["layer", "site"], ["dictionary", "dictionary"]];
  fillRows("studies", ["", ...facts.map(([name]) => name), ...data.quality.map(([name]) => name)], SIDES.map((side, place) =>
    [side, ...facts.map(([, key]) => data.sides[side][key]), ...data.quality.map((row) => row[1 + place])]));
}

function showConcepts() {
  byId("concepts").closest("section").hidden = !data.concepts.length;
  /** @param {ConceptSide} side */
  const score = ([, value, low, high, passes]) => (value === null ? "–" : make("span", { className: passes ? "" : "weak" }, withInterval(value, low, high, (one) => fixed(one, 2)), passes ? "" : " weak"));
  /** @param {ConceptSide} row @param {Side} side */
  const feature = ([number], side) => (number === null ? "–" : make("span", {}, `${number} `, nameChip(number, data.sides[side])));
  fillRows("concepts", ["Concept", "Old feature", "New feature", "Match of the old", "Unseen items, old", "Unseen items, new"], data.concepts.map((row) => [
    short(row.name),
    feature(row.old, "old"),
    feature(row.new, "new"),
    row.match < 0 ? "none" : row.old[0] === null ? "–" : make("a", { href: `#${row.old[0]}-${row.match}` }, row.same ? `${row.match}, the same` : String(row.match)),
    score(row.old),
    score(row.new),
  ]));
}

function showLists() {
  const { k, users, moved, measures, shares } = data.lists;
  byId("lists").parentElement.hidden = byId("shares").hidden = data.same_recommender;
  if (data.same_recommender) return (byId("lists-note").textContent = "Both dictionaries read the same recommender, so the lists are the same.");
  byId("lists-note").textContent = `The top ${k} of both recommenders for the same ${users} users, with 95% intervals over users. ` +
    (moved ? `Shares are of the concepts that moved beyond their interval; of ${shares.length}, about one in twenty would by chance.` : "No concept’s share moved beyond its interval.");
  /** @param {Change} row @param {(value: Value) => string} show @param {(value: Value) => string} changed */
  const row = ([name, before, bl, bh, after, al, ah, by, low, high], show, changed) => [
    name, withInterval(before, bl, bh, show), withInterval(after, al, ah, show), withInterval(by, low, high, changed),
  ];
  const head = ["", "Old", "New", "Change"];
  const ofShares = shares.map(([name, ...numbers]) => row([`share of ${short(name)}`, ...numbers], percent, points));
  /** @param {Value} value */
  const digits = (value) => (Math.abs(value ?? 0) < 10 ? 3 : 1);
  const others = measures.map(([name, ...numbers]) => row([name, ...numbers], (value) => fixed(value, digits(value)), (value) => change(value, digits(value))));
  fillRows("lists", head, [...others, ...ofShares.slice(0, moved)]);
  fillRows("all-shares", head, ofShares);
  byId("shares").hidden = !shares.length;
}

// ---- moving about ----

function followLink() {
  const pair = pairOf(location.hash);
  const name = location.hash.slice(1);
  byId("missing").hidden = pair !== null || !name || byId(name) !== null;
  byId("missing").textContent = `There is no pair ${short(name)}: write #old-new, with numbers up to ${sizeOf("old") - 1} and ${sizeOf("new") - 1}`;
  if (pair === null) return;
  showPair(pair);
  fillTable();
  byId("pair").scrollIntoView();
  byId("pair-title").focus({ preventScroll: true });
}

/** @param {number} by */
function step(by) {
  const place = state.order.findIndex((row) => ROWS[row].pair.join() === state.pair?.join());
  const next = ROWS[state.order[place < 0 ? 0 : place + by]];
  if (!next) return;
  const at = state.order.indexOf(ROWS.indexOf(next));
  state.page = Math.floor(at / PAGE_ROWS);
  go(next.pair);
}

byId("heading").textContent = data.heading;
byId("read-on").textContent = data.read_on;
byId("averages").textContent = data.averages;
sayNotes(data.notes);
byId("words").append(...Object.values(data.glossary).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
makeTiles();
makeHeads();
makePanes();
showStudies();
showConcepts();
showLists();
applySearch();
for (const id of ["search", "change"]) byId(id).addEventListener("input", applySearch);
byId("page-back").addEventListener("click", () => { state.page -= 1; fillTable(); });
byId("page-on").addEventListener("click", () => { state.page += 1; fillTable(); });
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
window.addEventListener("hashchange", followLink);
keepTips();
showPair(pairOf(location.hash) ?? ROWS[state.order[0]]?.pair ?? [0, 0]);
fillTable();
if (location.hash) followLink();
