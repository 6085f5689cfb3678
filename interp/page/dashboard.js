// Draws the page from its JSON block. Features and items are numbers: places in the block's columns.
// Text from the data reaches the page only as text nodes, and figures only with their markup escaped.

const { about, concepts, items, features } = data;
const PAGE_ROWS = 20;

const BANDS = [
  ["strongest", "Strongest", "the histories with its highest peaks"],
  ["middle", "Middle", "around the median of all histories in which it is ever on"],
  ["weak", "Weak", "around their 10th percentile"],
];

const state = { feature: null, sort: "correlation", ascending: false, order: [], found: new Map(), page: 0, chosen: null };

// ---- small tools ----

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const range = (count) => Array.from({ length: count }, (_, place) => place);

const isDead = (feature) => features.density[feature] === 0;
const isNamed = (feature) => (features.correlation[feature] ?? 0) >= about.unaligned;
const conceptOf = (feature) => concepts[features.concept[feature]];
const nameOf = (feature) => (isNamed(feature) ? conceptOf(feature) : "unaligned");
const effectOf = (feature) => data.causal.effect[feature][features.concept[feature]] ?? null;
const points = (share) => (share === null ? "–" : `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}%`);

// ---- figures ----

function openClicked({ points: [point] }) {
  if (point.data.meta === "feature") go(point.customdata);
}

/** A figure without data, and its traces by the column that each draws. */
function emptyFigure(name) {
  const figure = structuredClone(data.empty[name]);
  return [figure, new Map(figure.data.map((trace) => [trace.meta, trace]))];
}

function histogram(feature) {
  const [figure, traces] = emptyFigure("histogram");
  for (const [column, trace] of traces) {
    const counts = data.histograms[column][feature];
    const width = features.max[feature] / counts.length;
    trace.x = counts.map((_, bin) => (bin + 0.5) * width);
    trace.y = counts;
    trace.width = width;
    trace.name = trace.name.replace("{concept}", () => escaped(conceptOf(feature)));
  }
  return figure;
}

function conceptBars(rows) {
  const [figure, traces] = emptyFigure("bars");
  const trace = traces.get("correlation");
  trace.x = rows.map((row) => row.correlation);
  trace.y = rows.map((row) => escaped(row.name));
  trace.customdata = rows.map((row) => [row.auc, row.sensitivity]);
  return figure;
}

function effectBars(rows) {
  const [figure, traces] = emptyFigure("effects");
  const trace = traces.get("effect");
  trace.x = rows.map((row) => row.effect);
  trace.y = rows.map((row) => escaped(row.name));
  trace.error_x.array = rows.map((row) => row.error);
  return figure;
}

/** A feature's scores with every concept, and its effects on them, best correlated first. */
function conceptRows(feature) {
  const { correlation, auc, sensitivity } = data.alignment;
  const { effect, effect_se } = data.causal;
  const rows = correlation[feature].map((value, place) => ({
    name: concepts[place],
    correlation: value,
    auc: auc[feature][place],
    sensitivity: sensitivity[feature][place],
    effect: effect[feature][place] ?? null,
    error: effect_se[feature][place] ?? null,
  }));
  return rows.sort((one, other) => other.correlation - one.correlation);
}

// ---- the map ----

/** The map in the wanted colours; what a point says on hover is made here, as titles are not in the figure. */
function drawMap() {
  const figure = structuredClone(data.maps[byId("map-colour").value]);
  for (const trace of figure.data) {
    trace.text = trace.customdata.map(pointText);
    if (state.chosen) trace.selectedpoints = range(trace.customdata.length).filter((place) => state.chosen.has(trace.customdata[place]));
  }
  figure.layout.dragmode = byId("map-drag").value || false;
  draw("plot-map", figure);
}

function pointText(feature) {
  const head = `<b>Feature ${feature}</b> · ${escaped(short(nameOf(feature)))} · correlation ${fixed(features.correlation[feature])}`;
  const titles = topItems(feature).map((item) => escaped(items.titles[item].slice(0, 60)));
  return [head, `on at ${percent(features.density[feature])} of steps`, ...titles].join("<br>");
}

/** The items at which a feature peaks in its strongest histories. */
function topItems(feature, count = 4) {
  const peaks = data.histories[feature].filter(([band]) => band === "strongest").map(peakOf);
  return [...new Set(peaks)].slice(0, count);
}

const peakOf = ([, , , , row, activations]) => row[activations.indexOf(Math.max(...activations))];

/** Show in the table only the features that were drawn around; null for all. */
function choose(chosen) {
  state.chosen = chosen;
  for (const button of document.querySelectorAll(".unchoose")) {
    button.hidden = chosen === null;
    button.textContent = `${chosen?.size ?? 0} chosen on the map ✕`;
  }
  applySearch();
  drawMap();
}

/** Choose what was drawn around; plotly says "selected" also when a figure is drawn again, without saying where. */
function chooseDrawn(event) {
  if (event?.range || event?.lassoPoints) choose(new Set(event.points.map((point) => point.customdata)));
}

// ---- items ----

/** The chips of an item; the concept that a feature follows stands out. */
function conceptChips(item, feature) {
  return chipsOf(items.concepts[item].map((concept) => concepts[concept]), conceptOf(feature));
}

function historyOf(feature, [, rank, user, first, row, activations, last]) {
  const cards = row.map((item, index) => {
    const next = items.titles[row[index + 1] ?? last];
    return itemCard(items.titles[item], conceptChips(item, feature), first + index, activations[index], features.max[feature], next);
  });
  return historyRow(`${rank}. User ${short(user)}`, first, cards, activations);
}

/** A feature's histories, each band under its name. */
function bandsOf(feature) {
  return BANDS.flatMap(([band, name, about]) => {
    const rows = data.histories[feature].filter((history) => history[0] === band).map((history) => historyOf(feature, history));
    return rows.length ? [make("p", { className: "band" }, `${name} `, make("span", {}, about)), ...rows] : [];
  });
}

function neighbourRow(feature, similarity) {
  return make(
    "li",
    {},
    make("span", { className: "value" }, similarity.toFixed(2)),
    make("a", { href: `#${feature}` }, `#${feature}`),
    make("span", { className: isNamed(feature) ? "chip" : "weak" }, short(nameOf(feature))),
    make("span", { className: "example", dir: "auto" }, topItems(feature, 2).map((item) => short(items.titles[item])).join(" · ")),
  );
}

function effectRow(item, effect, largest, feature) {
  const meter = make("span", { className: "meter" });
  meter.style.setProperty("--share", Math.abs(effect) / largest);
  return make(
    "li",
    {},
    make("span", { className: "value" }, `${effect > 0 ? "+" : "−"}${Math.abs(effect).toPrecision(3)}`),
    make("span", {}, titleOf(items.titles[item]), conceptChips(item, feature)),
    meter,
  );
}

// ---- one feature ----

/** Fill the panel with a feature. */
function show(feature) {
  state.feature = feature;
  const alive = !isDead(feature);
  showTitle(feature);
  byId("dead").hidden = alive;
  for (const part of document.querySelectorAll(".alive")) part.hidden = !alive;
  if (alive) showActivations(feature);
  showNeighbours(feature);
  showEffects(feature);
  showSteering(feature);
  showRow(feature);
  byId("feature").dataset.feature = feature;
}

function showTitle(feature) {
  const named = isNamed(feature);
  const chip = make("span", { className: named ? "chip" : "chip none" }, short(nameOf(feature)));
  byId("feature-title").replaceChildren(`Feature ${feature} `, chip);
  byId("current").textContent = `Feature ${feature}`;
  Object.assign(byId("self"), { href: `#${feature}`, textContent: `#${feature}`, ariaLabel: `Link to feature ${feature}` });
  fillFacts(byId("feature-facts"), [
    [`correlation${named ? "" : ` (${short(conceptOf(feature))})`}`, fixed(features.correlation[feature])],
    ["AUC", fixed(features.auc[feature])],
    ["sensitivity", fixed(features.sensitivity[feature])],
    ["p_top100", fixed(features.p_top100[feature])],
    ["causal effect", points(effectOf(feature))],
    ["density", percent(features.density[feature])],
    ["maximum", fixed(features.max[feature])],
  ]);
}

function fillFacts(list, facts) {
  list.replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function showActivations(feature) {
  byId("histogram-note").textContent =
    `Steps of the test users where it is active, split by whether the item is ${short(conceptOf(feature))}.`;
  byId("scale-top").textContent = features.max[feature];
  byId("effects-note").textContent =
    "Change of each concept’s share of the top 10 as the feature is turned up by its 99th percentile, half the difference to turning it down; whiskers: standard error.";
  byId("histories").replaceChildren(...bandsOf(feature));
  scrollToPeaks();
  draw("plot-histogram", histogram(feature));
  const rows = conceptRows(feature);
  draw("plot-bars", conceptBars(rows));
  draw("plot-effects", effectBars(rows));
  showNumbers();
}

function showNumbers() {
  const details = byId("numbers");
  if (!details.open) return;
  const row = (tag, cells) => make("tr", {}, ...cells.map((cell, place) => make(tag, place ? {} : { className: "text" }, cell)));
  const rows = conceptRows(state.feature).map((scores) =>
    row("td", [short(scores.name), fixed(scores.correlation), fixed(scores.auc), fixed(scores.sensitivity), points(scores.effect)]),
  );
  const head = make("thead", {}, row("th", ["Concept", "Correlation", "AUC", "Sensitivity", "Effect"]));
  details.lastElementChild.replaceChildren(make("table", {}, head, make("tbody", {}, ...rows)));
}

function showNeighbours(feature) {
  for (const [id, { neighbour, similarity }] of Object.entries(data.neighbours)) {
    const rows = neighbour[feature].map((one, place) => neighbourRow(one, similarity[feature][place]));
    byId(id).replaceChildren(...rows);
  }
}

function showEffects(feature) {
  const { promoted, suppressed } = data.effects;
  const all = [...promoted.effect[feature], ...suppressed.effect[feature]];
  const largest = Math.max(...all.map(Math.abs)) || 1;
  for (const [id, { item, effect }] of Object.entries(data.effects)) {
    const rows = item[feature].map((one, place) => effectRow(one, effect[feature][place], largest, feature));
    byId(id).replaceChildren(...rows);
  }
}

function showSteering(feature) {
  const curves = data.steering[feature];
  byId("steering").hidden = !curves;
  for (const [name, figure] of Object.entries(curves ?? {})) draw(`plot-feature-${name}`, figure);
  byId("steering-note").textContent = `Dashed: without steering. Histories of the test users reach at most ${features.max[feature]}.`;
}

// ---- the table of features ----

const COLUMNS = [
  { key: "number", name: "Feature", value: (feature) => feature, first: "ascending" },
  { key: "concept", name: "Best concept", value: (feature) => conceptOf(feature), text: "text" },
  { key: "correlation", name: "Correlation", value: (feature) => features.correlation[feature] },
  { key: "auc", name: "AUC", value: (feature) => features.auc[feature] },
  { key: "sensitivity", name: "Sensitivity", value: (feature) => features.sensitivity[feature] },
  { key: "effect", name: "Effect", value: effectOf, show: points },
  { key: "density", name: "Density", value: (feature) => features.density[feature], show: percent },
  { key: "max", name: "Max", value: (feature) => features.max[feature] },
  { key: "p_top100", name: "p_top100", value: (feature) => features.p_top100[feature] },
  { key: "example", name: "Strongest item", value: (feature) => exampleOf(feature), text: "example" },
];

/** The title of the item by which a search found a feature, else of the one at which it is highest; null if dead. */
function exampleOf(feature) {
  const found = state.found.get(feature);
  if (found !== undefined) return items.titles[found];
  const [top] = topItems(feature, 1);
  return top === undefined ? null : items.titles[top];
}

/** The items that stand for a feature in a search: those it promotes, and those at which it is at least half its height. */
function itemsOf(feature) {
  const strong = data.histories[feature].flatMap(([, , , , row, activations]) =>
    row.filter((_, place) => activations[place] >= features.max[feature] / 2),
  );
  return [...strong, ...data.effects.promoted.item[feature]];
}

const searched = { titles: items.titles.map(folded), concepts: concepts.map(folded), items: range(about.features).map(itemsOf) };

/** Features that a search finds, each with the item that it was found by (undefined if by number or concept). */
function search(text) {
  const query = folded(text.trim());
  const number = featureOf(query);
  if (number !== null) return new Map([[number, undefined]]);
  const hit = searched.titles.map((title) => title.includes(query));
  const found = new Map();
  for (const feature of range(about.features)) {
    const item = searched.items[feature].find((one) => hit[one]);
    if (!passes(feature)) continue;
    const label = isNamed(feature) ? searched.concepts[features.concept[feature]] : "unaligned";
    if (query === "" || query === String(feature) || label.includes(query)) found.set(feature, undefined);
    else if (item !== undefined) found.set(feature, item);
  }
  return found;
}

/** Whether a feature fits the filters and what was chosen on the map. */
function passes(feature) {
  const [concept, kind] = [byId("concept").value, byId("kind").value];
  const is = { aligned: isNamed(feature), unaligned: !isNamed(feature) && !isDead(feature), dead: isDead(feature) };
  const named = concept === "" || (isNamed(feature) && features.concept[feature] === Number(concept));
  return named && (kind === "" || is[kind]) && (state.chosen?.has(feature) ?? true);
}

/** Compare two features by a column; those without a value come last either way. */
function compare(column, ascending, one, other) {
  const [a, b] = [column.value(one), column.value(other)];
  if (a === null || b === null) return (a === null) - (b === null) || one - other;
  const order = typeof a === "string" ? a.localeCompare(b) : a - b;
  return (ascending ? order : -order) || one - other;
}

function sortAndFill() {
  const column = COLUMNS.find(({ key }) => key === state.sort);
  state.order = [...state.found.keys()].sort((one, other) => compare(column, state.ascending, one, other));
  state.page = 0;
  fillTable();
}

function applySearch() {
  state.found = search(byId("search").value);
  const [shown, all] = [state.found.size, about.features].map((count) => count.toLocaleString("en"));
  byId("count").textContent = shown === all ? `${all} features` : `${shown} of ${all} features`;
  document.querySelector("th.example button").textContent = byId("search").value.trim() ? "Item found" : "Strongest item";
  sortAndFill();
}

function fillTable() {
  const start = state.page * PAGE_ROWS;
  const shown = state.order.slice(start, start + PAGE_ROWS);
  byId("table").tBodies[0].replaceChildren(...shown.map(tableRow));
  const end = start + shown.length;
  byId("page-at").textContent = shown.length ? `Rows ${start + 1} to ${end}` : "No feature fits this search";
  byId("page-back").disabled = state.page === 0;
  byId("page-on").disabled = end >= state.order.length;
  for (const head of byId("table").tHead.rows[0].cells) {
    const sorted = head.dataset.key === state.sort;
    head.ariaSort = sorted ? (state.ascending ? "ascending" : "descending") : "none";
  }
}

function tableRow(feature) {
  const row = make("tr", {}, ...COLUMNS.map((column) => tableCell(column, feature)));
  row.dataset.feature = feature;
  if (feature === state.feature) row.ariaCurrent = "true";
  row.addEventListener("click", () => go(feature));
  return row;
}

function tableCell({ key, value, show: format = fixed, text = "" }, feature) {
  const cell = make("td", { className: text });
  if (key === "number") cell.append(make("a", { href: `#${feature}` }, String(feature)));
  else if (key === "concept") cell.append(make("span", { className: isNamed(feature) ? "" : "weak" }, short(value(feature))));
  else if (key === "example") fillExample(cell, feature);
  else cell.append(format(value(feature)));
  return cell;
}

function fillExample(cell, feature) {
  const title = exampleOf(feature);
  cell.append(make("span", { dir: "auto" }, title === null ? "never active" : short(title)));
}

/** Turn to the page of the table that has the shown feature, and mark its row. */
function showRow(feature) {
  const place = state.order.indexOf(feature);
  if (place >= 0) state.page = Math.floor(place / PAGE_ROWS);
  fillTable();
  byId("previous").disabled = place === 0;
  byId("next").disabled = place === state.order.length - 1;
}

/** The concepts that name features, to choose from. */
function makeFilters() {
  const used = [...new Set(range(about.features).filter(isNamed).map((feature) => features.concept[feature]))];
  used.sort((one, other) => concepts[one].localeCompare(concepts[other]));
  byId("concept").append(...used.map((place) => make("option", { value: place }, short(concepts[place]))));
}

function makeHeads() {
  const heads = COLUMNS.map(({ key, name, text = "" }) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => sortBy(key));
    const head = make("th", { className: text, scope: "col" }, button);
    head.dataset.key = key;
    return head;
  });
  byId("table").tHead.rows[0].replaceChildren(...heads);
}

/** Sort by a column; by the same column again, the other way round. */
function sortBy(key) {
  const column = COLUMNS.find((one) => one.key === key);
  const natural = column.first === "ascending" || Boolean(column.text);
  state.ascending = state.sort === key ? !state.ascending : natural;
  state.sort = key;
  sortAndFill();
}

// ---- moving about ----

/** Open a feature as a link to it would. */
function go(feature) {
  if (location.hash === `#${feature}`) reveal();
  else location.hash = feature;
}

/** The feature that a text such as "#412" names, or null. */
function featureOf(text) {
  const number = /^#\d+$/.test(text) ? Number(text.slice(1)) : NaN;
  return number < about.features ? number : null;
}

function followLink() {
  const feature = featureOf(location.hash);
  if (feature === null) return;
  if (feature !== state.feature) show(feature);
  if (!state.stepping) reveal();
  state.stepping = false;
}

/** Bring the panel into view, and the reader's focus with it. */
function reveal() {
  byId("feature").scrollIntoView();
  byId("feature-title").focus({ preventScroll: true });
}

/** Go on by one feature in the order of the table; the page stays where it is if the panel is in view. */
function step(by) {
  const place = state.order.indexOf(state.feature);
  const feature = state.order[place < 0 ? 0 : place + by];
  if (feature === undefined) return;
  const { top, bottom } = byId("feature").getBoundingClientRect();
  state.stepping = top < window.innerHeight / 2 && bottom > 0;
  location.hash = feature;
}

function onKey(event) {
  const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), Escape: backToTable }[event.key];
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!act || modified || event.target.closest("input, select, textarea, [contenteditable]")) return;
  event.preventDefault();
  act();
}

/** To the row of the shown feature, or to the search if that is not in the table. */
function backToTable() {
  byId("all").scrollIntoView();
  const link = byId("table").querySelector("tr[aria-current] a");
  (link ?? byId("search")).focus({ preventScroll: true });
}

function turnPage(by) {
  state.page += by;
  fillTable();
}

function showAbout() {
  const name = `${about.model} on ${about.dataset}`;
  byId("brand").textContent = short(name);
  byId("heading").textContent = `What ${short(name)} has learnt`;
  byId("unaligned").textContent = about.unaligned;
  const [aligned, dead] = [isNamed, isDead].map((test) => range(about.features).filter(test).length);
  fillFacts(byId("facts"), [
    [`features (${aligned} aligned, ${dead} dead)`, about.features.toLocaleString("en")],
    ["active at a step (L0)", fixed(about.l0, 0)],
    ["explained variance", percent(about.explained_variance)],
    ["NDCG@10 of the recommender", fixed(about.ndcg)],
    ["NDCG@10 through the features", fixed(about.ndcg_reconstructed)],
    ["read at", about.site],
  ]);
  byId("neurons-note").textContent =
    `Correlation of the best single feature and of the best single neuron with each of ${about.concepts} concepts: ` +
    `${fixed(about.sae)} against ${fixed(about.neurons)} on average.`;
  const { concept, feature } = data.top;
  byId("top-features").replaceChildren(
    ...concept.map((one, place) => make("li", {}, make("a", { href: `#${feature[place]}` }, `${short(one)} ${feature[place]}`))),
  );
}

function listen() {
  for (const id of ["search", "concept", "kind"]) byId(id).addEventListener("input", applySearch);
  for (const id of ["map-colour", "map-drag"]) byId(id).addEventListener("input", drawMap);
  for (const button of document.querySelectorAll(".unchoose")) button.addEventListener("click", () => choose(null));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("page-back").addEventListener("click", () => turnPage(-1));
  byId("page-on").addEventListener("click", () => turnPage(1));
  byId("numbers").addEventListener("toggle", showNumbers);
  window.addEventListener("hashchange", followLink);
  document.addEventListener("keydown", onKey);
}

makeHeads();
makeFilters();
if (matchMedia("(pointer: coarse)").matches) byId("map-drag").value = ""; // a finger scrolls
showAbout();
applySearch();
listen();
Object.assign(hooks, { plotly_click: openClicked, plotly_selected: chooseDrawn });
keepFigures();
keepTips();
for (const [name, figure] of Object.entries(data.overview)) draw(`plot-${name}`, figure);
drawMap();
show(featureOf(location.hash) ?? state.order[0] ?? 0);
performance.mark("first feature"); // for benchmarks/dashboard.py
document.addEventListener("DOMContentLoaded", () => {
  if (featureOf(location.hash) !== null) reveal();
});
