
// Adds to static pages what needs a script: figures, tips, the keys, searching and sorting. Text is there without it.

const data = JSON.parse(byId("data").textContent);

// ---- one feature ----

/** What each step of a history has to tell: its title, step and activation, and what was taken next. @param {any} row */
function tellSteps(row) {
  const cards = [...row.children];
  const titles = cards.map((card) => card.querySelector("b").textContent);
  cards.forEach((card, place) => {
    const activation = card.querySelector(".value")?.textContent ?? "0";
    const step = Number(row.dataset.first) + place;
    card.dataset.tip = [titles[place], `step ${step}, activation ${activation}`, `took next: ${titles[place + 1] ?? row.dataset.next}`].join("\n");
    if (activation !== "0") card.tabIndex = 0;
  });
}

/** @param {any} event */
function onKey(event) {
  /** @type {Record<string, any>} */
  const links = { ArrowLeft: byId("previous"), ArrowRight: byId("next") };
  const link = links[event.key];
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!link || modified || event.target.closest("input, .items, .pan, .scroll")) return;
  event.preventDefault();
  link.click();
}

// ---- all features ----

/** A cell's number or text; null where there is none. @param {any} row @param {number} place */
function valueOf(row, place) {
  const text = row.cells[place].textContent;
  if (text === "–") return null;
  return Number.isNaN(parseFloat(text)) || row.cells[place].className ? folded(text) : parseFloat(text);
}

/** Sort by a column, the other way round if it is sorted by it; rows without a value come last either way. @param {any} head */
function sortBy(head) {
  const place = head.cellIndex;
  const up = head.ariaSort === "none" ? Boolean(head.className) || place === 0 : head.ariaSort === "descending";
  const body = byId("table").tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, place), row]);
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return (one < other ? -1 : one > other ? 1 : 0) * (up ? 1 : -1);
  });
  body.append(...rows.map(([, row]) => row));
  for (const each of byId("table").tHead.rows[0].cells) each.ariaSort = "none";
  head.ariaSort = up ? "ascending" : "descending";
}

function search() {
  const query = folded(byId("search").value.trim());
  const rows = [...byId("table").tBodies[0].rows];
  for (const row of rows) row.hidden = !row.found.includes(query);
  const shown = rows.filter((row) => !row.hidden).length;
  byId("count").textContent = shown === rows.length ? `${shown} features` : `${shown} of ${rows.length} features`;
}

function watchTable() {
  for (const row of byId("table").tBodies[0].rows) row.found = folded(`#${row.textContent}`);
  for (const head of byId("table").tHead.rows[0].cells) {
    const button = make("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => sortBy(head));
    head.ariaSort = "none";
    head.replaceChildren(button);
  }
  byId("search").addEventListener("input", search);
  byId("tools").hidden = false;
  search();
}

// ---- the page ----

hooks.plotly_click = ({ points: [point] }) => {
  if (point.data.meta === "feature") location.href = `feature/${point.customdata}.html`;
};
for (const row of document.querySelectorAll(".items")) {
  tellSteps(row);
  unscrolled.observe(row);
}
if (byId("table")) watchTable();
document.addEventListener("keydown", onKey);
keepFigures();
keepTips();
for (const [id, figure] of Object.entries(data)) draw(id, figure);
