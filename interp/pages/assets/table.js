// The table of features: columns, order and pages.

const PAGE_ROWS = 20;

const OF_CONCEPTS = ["concept", "correlation", "auc", "sensitivity", "effect", "p_top100"];
/** @type {{key: string, name: string, value: (feature: number) => any, first?: string, text?: string, show?: (value: any) => string}[]} */
const ALL_COLUMNS = [
  { key: "number", name: "Feature", value: (feature) => feature, first: "ascending" },
  { key: "label", name: "Name", value: sortedName, text: "text" },
  { key: "concept", name: "Best concept", value: (feature) => conceptOf(feature), text: "text" },
  { key: "correlation", name: data.names.correlation, value: (feature) => features.correlation[feature] },
  { key: "auc", name: data.names.auc, value: (feature) => features.auc[feature] },
  { key: "sensitivity", name: data.names.sensitivity, value: (feature) => features.sensitivity[feature] },
  { key: "effect", name: data.names.effect, value: effectOf, show: points },
  { key: "density", name: data.names.density, value: (feature) => features.density[feature], show: percent },
  { key: "max", name: data.names.max, value: (feature) => features.max[feature] },
  { key: "p_top100", name: data.names.p_top100, value: (feature) => features.p_top100[feature] },
  { key: "example", name: "Strongest item", value: (feature) => exampleOf(feature), text: "example" },
];

/** Names in order of their grades, best first; none last. @param {number} feature */
function sortedName(feature) {
  const place = Object.keys(features.grades).indexOf(features.grade[feature]);
  return features.grade[feature] === "none" ? null : `${place} ${nameOf(feature)}`;
}

/** Without concepts, those that say nothing of them; p_top100 only where enough histories light a feature. */
const COLUMNS = ALL_COLUMNS.filter(({ key }) => (concepts.length || !OF_CONCEPTS.includes(key)) && (key !== "p_top100" || features.p_top100.some((share) => share !== null)));

/**
 * The title of the item by which a search found a feature, else of the one at which it is highest; null if dead.
 * @param {number} feature
 */
function exampleOf(feature) {
  const found = state.found.get(feature);
  if (found !== undefined) return items.titles[found];
  const [top] = topItems(feature, 1);
  return top === undefined ? null : items.titles[top];
}

function sortAndFill() {
  const column = COLUMNS.find(({ key }) => key === state.sort) ?? COLUMNS[0];
  state.order = [...state.found.keys()].sort(byValue(column.value, state.ascending));
  state.page = 0;
  fillTable();
}

function applySearch() {
  state.found = search(byId("search").value);
  const [shown, all] = [state.found.size, about.features].map((count) => count.toLocaleString("en"));
  const text = byId("search").value.trim();
  byId("unsearch").hidden = !text;
  byId("unsearch").textContent = `“${short(text)}” ✕`;
  byId("unsearch").ariaLabel = `Stop searching for ${short(text)}`;
  byId("count").textContent = shown === all ? `${all} features` : `${shown} of ${all} features`;
  byId("table").querySelector("th.example button").textContent = text ? "Item found" : "Strongest item";
  sortAndFill();
}

function fillTable() {
  showPage(tableRow, PAGE_ROWS);
  markSorted(byId("table").tHead.rows[0].cells);
}

/** @param {number} feature */
function tableRow(feature) {
  const row = make("tr", {}, ...COLUMNS.map((column) => tableCell(column, feature)));
  row.dataset.feature = feature;
  if (feature === state.feature) row.ariaCurrent = "true";
  row.addEventListener("click", (/** @type {any} */ { target }) => target.closest("a") ?? go(feature));
  return row;
}

/** @param {typeof COLUMNS[number]} column @param {number} feature */
function tableCell({ key, value, show: format = fixed, text = "" }, feature) {
  const cell = make("td", { className: text });
  if (key === "number") cell.append(make("a", { href: `#${feature}` }, String(feature)));
  else if (key === "label") cell.append(nameChip(feature));
  else if (key === "concept") cell.append(make("span", { className: isAligned(feature) ? "" : "weak" }, short(value(feature))));
  else if (key === "example") fillExample(cell, feature);
  else cell.append(format(value(feature)));
  return cell;
}

/** @param {any} cell @param {number} feature */
function fillExample(cell, feature) {
  const title = exampleOf(feature);
  cell.append(make("span", { dir: "auto" }, title === null ? "never active" : short(title)));
}

/** Turn to the page of the table that has the shown feature, and mark its row. @param {number} feature */
function showRow(feature) {
  const place = state.order.indexOf(feature);
  const page = place < 0 ? state.page : Math.floor(place / PAGE_ROWS);
  if (page !== state.page) turnPage(page - state.page);
  for (const row of byId("table").tBodies[0].rows) row.ariaCurrent = row.dataset.feature === String(feature) ? "true" : null;
  byId("previous").disabled = place === 0;
  byId("next").disabled = place === state.order.length - 1;
}

/** @param {number} by */
function turnPage(by) {
  state.page += by;
  fillTable();
}

/** The concepts that are the best of any feature, to choose from. */
function makeFilters() {
  const used = [...new Set(features.concept)].filter((place) => place !== null);
  used.sort((one, other) => concepts[one].localeCompare(concepts[other]));
  byId("concept").append(...used.map((place) => make("option", { value: place }, short(concepts[place]))));
}

function makeHeads() {
  const heads = COLUMNS.map(({ key, name, text = "" }) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => sortBy(key));
    if (data.glossary[key]) button.dataset.tip = data.glossary[key][1];
    const head = make("th", { className: text, scope: "col" }, button);
    head.dataset.key = key;
    return head;
  });
  byId("table").tHead.rows[0].replaceChildren(...heads);
}

/** Sort by a column; by the same column again, the other way round. @param {string} key */
function sortBy(key) {
  const column = COLUMNS.find((one) => one.key === key) ?? COLUMNS[0];
  const natural = column.first === "ascending" || Boolean(column.text);
  state.ascending = state.sort === key ? !state.ascending : natural;
  state.sort = key;
  sortAndFill();
  writeAddress();
}
