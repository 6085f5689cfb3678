// The lists before and after, and the shares of concepts in them.

const SHARES = 6; // concepts whose shares are shown; the others are folded away

/** @typedef {"before" | "after" | "boosted"} Side of the lists */

/** @type {Record<Side, string[]>} what a list is called, and what it is */
const SIDES = {
  before: ["Before", "not steered"],
  after: ["After", "with the sliders"],
  boosted: ["Re-ranked"],
};

/** What a re-ranked list is, with the concepts that it matches. @param {About} about @param {number[]} targets */
function rerankedText(about, targets) {
  const names = targets.map((concept) => shortTitle(about.concepts[concept].name));
  return names.length ? `to the same share of ${enumerated(names)}, without the sliders` : "as before: no share of a concept changes";
}

/**
 * The lists side by side, rows of the same rank on one line.
 * @param {About} about
 * @param {Options} options
 * @param {Result} result
 * @param {{level: number, explain: (item: number, side: Side) => void}} acts
 * @returns {{node: HTMLElement, say: (reasons: Record<number, Reason>, turned: number) => void}} `say` adds reasons to rows
 */
function listColumns(about, options, result, acts) {
  /** @type {Map<Row, HTMLElement>} */
  const spots = new Map();
  const sides = /** @type {Side[]} */ (["before", "after", ...(result.boosted ? ["boosted"] : [])]);
  const columns = sides.map((side) => {
    const rows = result[side] ?? [];
    const [name, ...words] = SIDES[side];
    const what = side === "boosted" ? rerankedText(about, result.targets ?? []) : words[0];
    const items = rows.map((row) => listRow(about, options, side, row, spots, acts));
    const id = freshId();
    return element("div", { className: "column" }, element(`h${acts.level}`, { id }, name, " ", element("small", {}, what)), element("ol", { "aria-labelledby": id }, ...items));
  });
  const node = element("div", { className: "columns" }, ...columns);
  node.style.setProperty("--columns", String(columns.length));
  node.style.setProperty("--rows", String(Math.max(...sides.map((side) => result[side]?.length ?? 0))));
  const say = (/** @type {Record<number, Reason>} */ reasons, /** @type {number} */ turned) =>
    spots.forEach((spot, { item, move }) => spot.replaceChildren(...reasonParts(about, options, reasons[item], { turned, move })));
  return { node, say };
}

/**
 * @param {About} about
 * @param {Options} options
 * @param {Side} side
 * @param {Row} row
 * @param {Map<Row, HTMLElement>} spots where reasons belong
 * @param {{explain: (item: number, side: Side) => void}} acts
 */
function listRow(about, options, side, row, spots, { explain }) {
  const { item, rank, other, move } = row;
  const [mark, text, said] = changeText(side, rank, other, move);
  const title = about.items.title[item];
  const why = element("button", { type: "button", className: "pick", title: "Why is it here?" }, titleElement(title));
  why.addEventListener("click", () => explain(item, side));
  const change = element("span", { className: text ? "change" : "change same" }, element("span", { className: "mark", "aria-hidden": "true" }, mark), text, element("span", { className: "only-read" }, said));
  const because = move && side !== "boosted" ? [element("span", { className: "because" }, "because …")] : [];
  because.forEach((spot) => spots.set(row, spot));
  const chips = about.items.concepts[item].map((concept) => element("span", { className: "chip" }, shortTitle(about.concepts[concept].name)));
  return element("li", { className: move ?? "stays" }, element("span", { className: "rank" }, String(rank)), element("div", {}, element("div", { className: "line" }, why, ...itemPageLink(about, item, options), change, element("span", { className: "chips" }, ...chips)), ...because));
}

/** A row's mark, its other rank, and what else a screen reader says. */
function changeText(/** @type {Side} */ side, /** @type {number} */ rank, /** @type {number} */ other, /** @type {Row["move"]} */ move) {
  if (move === "enters") return ["+", `was ${other}`, ", enters the list"];
  if (move === "leaves") return ["−", `falls to ${other}`, ", leaves the list"];
  if (rank === other) return ["=", "", "stays"];
  const up = side === "before" ? other < rank : rank < other;
  return [up ? "↑" : "↓", side === "before" ? `to ${other}` : `was ${other}`, up ? ", rises" : ", falls"];
}

/**
 * Shares of concepts in the lists, those that change most first.
 * @param {About} about
 * @param {Result["shares"]} shares
 */
function shareRows(about, { before, after, boosted }) {
  const rows = about.concepts.map(({ name }, place) => ({ name, values: [before[place], after[place], ...(boosted ? [boosted[place]] : [])] }));
  const change = (/** @type {{values: number[]}} */ { values }) => values[1] - values[0];
  const present = rows.filter(({ values }) => values.some((value) => value > 0));
  present.sort((one, other) => Math.abs(change(other)) - Math.abs(change(one)) || other.values[0] - one.values[0]);
  const make = (/** @type {typeof rows} */ part) => element("ul", { className: "shares" }, ...part.map((row) => shareRow(row.name, row.values)));
  const rest = present.slice(SHARES);
  return [
    make(present.slice(0, SHARES)),
    ...(rest.length ? [element("details", {}, element("summary", {}, `${rest.length} more concepts`), make(rest))] : []),
  ];
}

function shareRow(/** @type {string} */ name, /** @type {number[]} */ [before, after, boosted]) {
  const direction = after > before ? "up" : after < before ? "down" : "same";
  const bar = element("span", { className: "share-bar", "aria-hidden": "true" }, element("i", { className: "from" }), element("i", { className: "by" }));
  bar.style.setProperty("--before", String(before));
  bar.style.setProperty("--low", String(Math.min(before, after)));
  bar.style.setProperty("--high", String(Math.max(before, after)));
  const text = direction === "same" ? asPercent(before) : `${asPercent(before)} → ${asPercent(after)}`;
  const other = boosted === undefined ? [] : [element("small", {}, `re-ranked ${asPercent(boosted)}`)];
  return element("li", { className: direction }, element("span", { className: "caption", dir: "auto" }, shortTitle(name)), element("span", { className: "value" }, text, ...other), bar);
}
