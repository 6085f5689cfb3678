// Draws the scorecard: a table that can be sorted, and each score against L0.

/** @type {Score} */
const NAME = { key: "name", group: "", head: "Dictionary", about: "The dictionary, and the layer that it reads.", better: "", values: data.rows.map(({ name }) => name), texts: [] };
/** @type {Score} */
const FEATURES = { key: "features", group: "Size", head: "Features", about: "How many features it has.", better: "", values: data.rows.map(({ features }) => features), texts: data.rows.map(({ features }) => features.toLocaleString("en")) };
const columns = [FEATURES, ...data.columns];
const manyRuns = data.runs.length > 1;
const manySites = new Set(data.rows.map(({ site }) => site)).size > 1;
/** @type {{sort: string | null, ascending: boolean, order: number[], page: number, baselines: boolean}} */
const state = { sort: null, ascending: false, order: [], page: 0, baselines: true };

/** @param {Score} column */
const meaning = ({ about, better }) => (better ? `${about} ${better === "more" ? "More" : "Less"} is better.` : about);

/** Rows in the order of the sorted column; those without a value come last either way. */
function inOrder() {
  const places = data.rows.map((_, place) => place).filter((place) => state.baselines || data.rows[place].kind !== "baseline");
  const column = [NAME, ...columns].find(({ key }) => key === state.sort);
  if (!column) return places;
  return places.sort(byValue((place) => column.values[place], state.ascending));
}

/** @param {number} place */
function makeRow(place) {
  const { run, name, site, kind } = data.rows[place];
  const where = [manyRuns && run, manySites && site].filter(Boolean).join(", ");
  const head = make("th", { className: "name", scope: "row" }, short(name));
  if (where) head.append(make("br"), make("small", {}, short(where)));
  const cells = columns.map(({ texts, places, group }, at) => {
    const cell = make("td", {}, texts[place]);
    const part = places?.[place] ?? null;
    if (part === 1) cell.classList.add("best");
    if (part !== null && part > 0) cell.style.background = `color-mix(in srgb, var(--chosen) ${Math.round(100 * part)}%, var(--card))`;
    if (isFirst(at)) cell.classList.add("first");
    return cell;
  });
  return make("tr", { className: kind === "baseline" ? "baseline" : "" }, head, ...cells);
}

/** @param {number} at */
const isFirst = (at) => at === 0 || columns[at].group !== columns[at - 1].group;

/** @param {Score} column */
function sortBy(column) {
  const first = column === NAME || column.better === "less"; // the best on top, and names from A
  state.ascending = state.sort === column.key ? !state.ascending : first;
  state.sort = column.key;
  fillTable();
}

function makeHeads() {
  const groups = make("tr", {}, make("td"));
  columns.forEach(({ group }, at) => {
    if (!isFirst(at)) return;
    const next = columns.findIndex((_, later) => later > at && isFirst(later));
    groups.append(make("th", { scope: "colgroup", colSpan: (next < 0 ? columns.length : next) - at, className: "first" }, group));
  });
  const heads = [NAME, ...columns].map((column, at) => {
    const button = make("button", { type: "button", onclick: () => sortBy(column) }, column.head);
    button.dataset.tip = meaning(column);
    const head = make("th", { scope: "col", className: at === 0 ? "name" : isFirst(at - 1) ? "first" : "" }, button);
    head.dataset.key = column.key;
    return head;
  });
  groups.firstChild.className = "name";
  byId("table").tHead.replaceChildren(groups, make("tr", {}, ...heads));
}

function fillTable() {
  byId("table").tBodies[0].replaceChildren(...inOrder().map(makeRow));
  markSorted(byId("table").tHead.rows[1].cells);
}

function showTools() {
  if (!data.rows.some(({ kind }) => kind === "baseline")) return;
  const box = make("input", { type: "checkbox", checked: true });
  box.onchange = () => {
    state.baselines = box.checked;
    fillTable();
  };
  byId("tools").append(make("label", {}, box, " baselines without training"));
}

function showScore() {
  const key = byId("score").value;
  byId("score-about").textContent = meaning(columns.find((column) => column.key === key) ?? NAME);
  draw("plot", data.figures[key]);
}

makeHeads();
fillTable();
showTools();
for (const { key, group, head } of data.columns) {
  if (key in data.figures) byId("score").append(make("option", { value: key }, `${group}: ${head}`));
}
if ("unseen_items" in data.figures) byId("score").value = "unseen_items";
byId("score").onchange = showScore;
showScore();
for (const column of columns) {
  byId("words").append(make("dt", {}, column.group ? `${column.group}: ${column.head}` : column.head), make("dd", {}, meaning(column)));
}
if (data.absent.length) byId("absent").textContent = `Left out, as no dictionary here has a value: ${data.absent.join(", ")}.`;
keepFigures();
keepTips();
