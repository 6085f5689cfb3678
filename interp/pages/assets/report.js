
// Draws the report: sections of exhibits, exhibits of blocks. Text from the data becomes text nodes, never markup.

const VERDICTS = new Map([
  [true, ["holds", "✓ holds"]],
  [false, ["fails", "✗ does not hold"]],
  [null, ["unmeasured", "– not measured"]],
]);
const UNCLEAR = ["unmeasured", "? cannot tell"];
const WHERE = new Map([["beyond", "beyond the paper"], ["evidence", "unseen items"]]);
const LONG = 40; // characters from which on a cell is broken into lines
/** @type {[string, Figure][]} */
const figures = []; // elements and what belongs in them, drawn once they are on the page

/** @param {Claim} part */
function makeClaim({ holds, unclear, section, anchor, statement, criterion, measured, tables }) {
  const [className, verdict] = unclear ? UNCLEAR : VERDICTS.get(holds) ?? UNCLEAR;
  const where = make("a", { href: `#${anchor}`, className: "where" }, WHERE.get(section) ?? `section ${section}`);
  return make(
    "li",
    { className },
    make("span", { className: "verdict" }, verdict, where),
    make(
      "div",
      {},
      make("strong", {}, statement),
      make("p", { className: "measured" }, measured),
      make("p", {}, `${criterion} Table${tables.length > 1 ? "s" : ""}: ${tables.join(", ")}.`),
    ),
  );
}

/** @param {Section} part */
function makeSection({ id, title, exhibits }) {
  return make("section", { id }, make("h2", {}, title), ...exhibits.map(makeExhibit));
}

/** @param {Exhibit} part */
function makeExhibit({ number, title, caption, sources, blocks }) {
  const source = sources.flatMap(([by, paths], place) => [
    place ? "; " : "Source: ",
    ...paths.flatMap((path, index) => [index ? ", " : "", make("code", {}, path)]),
    " by ",
    make("code", {}, by),
  ]);
  return make(
    "div",
    { className: "card exhibit" },
    make("h3", {}, short(number ? `${number}. ${title}` : title)),
    make("p", {}, caption),
    make("div", { className: "blocks" }, ...blocks.map((block) => MAKERS[block.kind](block))),
    make("p", { className: "source" }, ...source),
  );
}

// ---- blocks ----

/** @type {Record<string, (block: any) => Node>} */
const MAKERS = { table: makeTable, figure: makeFigure, histories: makeHistories, lists: makeLists, missing: makeMissing };

/** @param {Missing} part */
function makeMissing({ flag }) {
  return make("p", { className: "note" }, "Not run in this configuration. To run it: ", make("code", {}, flag));
}

/** @param {Table} part */
function makeTable({ columns, rows, fold, strong }) {
  const classes = columns.map(({ text, paper }) => [text && "text", paper && "paper"].filter(Boolean).join(" "));
  const heads = columns.map(({ name, tip }, place) => {
    const text = tip ? make("span", { className: "term" }, name) : name;
    if (tip) text.dataset.tip = tip;
    return make("th", { className: classes[place], scope: "col" }, text);
  });
  const lines = rows.map((row, place) =>
    make(
      "tr",
      { className: strong.includes(place) ? "strong" : "" },
      ...row.map((cell, column) => make("td", { className: cell.length > LONG ? `${classes[column]} long` : classes[column] }, short(cell))),
    ),
  );
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...lines));
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, table);
  return fold ? make("details", {}, make("summary", {}, fold), scroll) : scroll;
}

/** @param {FigureBlock} part */
function makeFigure({ figure, title, half }) {
  const plot = make("div", { className: half ? "plot" : "plot wide-figure", id: `plot-${figures.length}` });
  figures.push([plot.id, figure]);
  const pan = half ? plot : make("div", { className: "pan", tabIndex: 0 }, plot);
  const caption = title ? [make("figcaption", {}, make("h4", {}, short(title)))] : [];
  return make("figure", { className: half ? "half" : "" }, ...caption, pan);
}

/**
 * The chips of an item, with the one that it is marked by first if it has it.
 * @param {string[]} concepts
 * @param {string} mark
 * @param {boolean} has
 */
function markedChips(concepts, mark, has) {
  const others = concepts.filter((name) => name !== mark);
  return chipsOf(has ? [mark, ...others] : others, mark);
}

/** @param {Histories} part */
function makeHistories({ groups }) {
  const cases = groups.map(({ title, concept, largest, histories }) =>
    make("div", { className: "case" }, make("h4", {}, short(title)), ...histories.map((one, place) => makeHistory(one, place, concept, largest))),
  );
  return make("div", {}, ...cases);
}

/** @param {Steps} steps @param {number} place @param {string} concept @param {number} largest */
function makeHistory({ user, first, titles, concepts, has, activations }, place, concept, largest) {
  const cards = titles.map((title, index) => {
    const chips = markedChips(concepts[index], concept, has[index]);
    const card = itemCard(title, chips, first + index, activations[index], largest);
    card.classList.toggle("has", has[index]);
    return card;
  });
  return historyRow(`${place + 1}. User ${short(user)}`, first, cards, activations);
}

/** @param {Lists} part */
function makeLists({ target, users }) {
  const turned = { up: `least ${target}, turned up`, down: `most ${target}, turned down` };
  const parts = users.map(({ user, direction, columns }) =>
    make(
      "div",
      { className: "user" },
      make("h4", {}, short(`User ${user}: ${turned[direction]}`)),
      make("div", { className: "lists", tabIndex: 0 }, ...columns.map((column) => makeList(column, target))),
    ),
  );
  return make("div", {}, ...parts);
}

/** @param {ListColumn} column @param {string} target */
function makeList({ name, items }, target) {
  const rows = items.map(({ title, concepts, has, new: isNew }, place) => {
    const tag = isNew ? [make("span", { className: "new" }, "New")] : [];
    return make(
      "li",
      {},
      make("span", {}, `${place + 1}.`),
      make("span", {}, titleOf(title), ...tag, markedChips(concepts, target, has)),
    );
  });
  return make("div", {}, make("h5", {}, name), make("ol", {}, ...rows));
}

// ---- the page ----

function showContents() {
  const parts = [{ id: "claims", title: "Claims" }, ...data.sections];
  const links = parts.map(({ id, title }) => make("li", {}, make("a", { href: `#${id}` }, title)));
  byId("contents").replaceChildren(...links);
}

byId("heading").textContent = short(data.heading);
byId("who-saw").textContent = data.who_saw;
byId("facts").replaceChildren(
  ...data.facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, short(value)))),
);
warn(data.warning);
sayNotes(data.notes);
byId("reduced").textContent = data.reduced;
byId("claims-title").textContent = data.tally;
byId("verdicts").replaceChildren(...data.claims.map(makeClaim));
byId("sections").replaceChildren(...data.sections.map(makeSection));
showContents();
keepFigures();
keepTips();
for (const [id, figure] of figures) draw(id, figure);
