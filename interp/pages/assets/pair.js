// Two features side by side: the first screen of each (first.js), and how alike they are.
// A pair is [old, new]: places in the columns of their sides.

/** @type {Side[]} */
const SIDES = ["old", "new"];
/** @param {Side} side */
const other = (side) => (side === "old" ? "new" : "old");
/** @type {Record<string, any>} */
const panes = {};

/** A pane for each side, empty. */
function makePanes() {
  for (const side of SIDES) {
    const pane = byId("pane").content.cloneNode(true).firstElementChild;
    /** @param {string} name */
    const part = (name) => pane.querySelector(`[data-part="${name}"]`);
    const { features, study } = data.sides[side];
    pane.setAttribute("aria-label", `The ${side} feature`);
    part("side").textContent = side;
    part("side").dataset.tip = study;
    part("which").textContent = `The ${side} feature`;
    part("other").textContent = other(side);
    part("choice").append(...features.name.map((name, feature) => make("option", { value: feature }, `${feature} ${short(name)}`)));
    part("choice").addEventListener("change", () => go(/** @type {Pair} */ (SIDES.map((one) => Number(panes[one].querySelector("[data-part=choice]").value)))));
    panes[side] = pane;
  }
  byId("panes").append(...SIDES.map((side) => panes[side]));
}

/** The pair that a text such as "#28-58" names, or null. @param {string} text @returns {Pair | null} */
function pairOf(text) {
  const numbers = /^#(\d+)-(\d+)$/.exec(text)?.slice(1).map(Number);
  return numbers && SIDES.every((side, place) => numbers[place] < sizeOf(side)) ? /** @type {Pair} */ (numbers) : null;
}

/** @param {Side} side */
const sizeOf = (side) => data.sides[side].features.name.length;

/** @param {Pair} pair */
function go([old, next]) {
  location.hash = `${old}-${next}`;
}

/** @param {Pair} pair */
function showPair(pair) {
  state.pair = pair;
  SIDES.forEach((side, place) => {
    const [pane, from, feature] = [panes[side], data.sides[side], pair[place]];
    /** @param {string} name */
    const part = (name) => pane.querySelector(`[data-part="${name}"]`);
    showFirst(feature, pane, from);
    part("choice").value = feature;
    part("chip").replaceChildren(nameChip(feature, from));
    part("near").replaceChildren(...data.nearest[side][feature].map((near) => nearRow(side, feature, near, pair)));
  });
  showAlike(pair);
  document.title = `${pair.join(" and ")} · ${data.heading}`;
  byId("pair").dataset.pair = pair.join("-");
}

/**
 * A similar feature of the other side, as a link to the pair with it.
 * @param {Side} side
 * @param {number} feature
 * @param {Near} near
 * @param {Pair} pair
 */
function nearRow(side, feature, [match, score, chance], pair) {
  const both = side === "old" ? [feature, match] : [match, feature];
  const link = make("a", { href: `#${both.join("-")}` }, `#${match}`);
  if (both.join() === pair.join()) link.ariaCurrent = "true";
  return make("li", {}, similarity(score, chance), link, nameChip(match, data.sides[other(side)]));
}

/** A correlation as a mark between 0 and 1, with another for what chance gives, and as a number. @param {Value} score @param {Value} chance */
function similarity(score, chance) {
  const track = make("span", { className: "track", ariaHidden: "true" });
  for (const [name, value] of Object.entries({ chance, dot: score })) {
    const mark = make("span", { className: name });
    mark.style.left = `${(100 * Math.min(Math.max(value ?? 0, 0), 1)).toFixed(0)}%`;
    track.append(mark);
  }
  const node = make("span", { className: "similarity" }, make("span", { className: "value" }, fixed(score, 2)), track);
  node.dataset.tip = `correlation of activations ${fixed(score, 2)}; chance gives ${fixed(chance, 2)}`;
  return node;
}

/** Score, chance, written and held of a pair; undefined where the page has them not, as pairs are too many. @param {Pair} pair */
function similarityOf([old, next]) {
  const all = data.similarity;
  if (all) return [all.score[old][next], Math.max(all.chance[0][old], all.chance[1][next]), all.written[old][next], all.held[old][next]];
  const near = data.nearest.old[old].find(([match]) => match === next) ?? data.nearest.new[next].find(([match]) => match === old);
  return near?.slice(1);
}

/** How alike the two are, as far as that was kept: for matches, and for the most similar of either. @param {Pair} pair */
function showAlike(pair) {
  const [old, next] = pair;
  const near = similarityOf(pair);
  const best = SIDES.find((side, place) => data.matches[side].match[pair[place]] === pair[1 - place]);
  const row = /** @type {any} */ (best && Object.fromEntries(Object.entries(data.matches[best]).map(([name, column]) => [name, column[pair[SIDES.indexOf(best)]]])));
  byId("alike-note").textContent = toldOfPair(pair, near);
  if (!near) return byId("alike").replaceChildren();
  const [score, chance, written, held] = near;
  /** @param {Value} value @param {Value} percentile */
  const beside = (value, percentile) => (row ? `${fixed(value, 2)}, more than ${(percentile ?? 0) >= 0.995 ? "all others" : `${percent(percentile, 0)} of the others`}` : fixed(value, 2));
  fillFacts(byId("alike"), [
    ["correlation of activations", fixed(score, 2)],
    ["by chance", row ? `${fixed(chance, 2)} (q = ${fixed(row.q, 3)})` : fixed(chance, 2)],
    ["move scores of items alike", beside(written, row?.written_percentile)],
    ["are on for the same items", beside(held, row?.held_percentile)],
  ]);
}

/** What became of the two, in words. @param {Pair} pair @param {any} near */
function toldOfPair([old, next], near) {
  const [before, after] = [data.matches.old, data.matches.new];
  /** @param {Side} side @param {number} feature @param {Matches} matches @param {number} partner */
  const told = (side, feature, { change, match }, partner) =>
    match[feature] === partner || ["went", "came", "silent"].includes(change[feature])
      ? `The ${side} one: ${change[feature]}, ${data.changes[change[feature]]}.`
      : `The ${side} one: ${change[feature]}; its best match is ${match[feature]}.`;
  const far = near ? [] : [`Neither is among the ${data.nearest.old[0]?.length ?? 0} features that are most like the other, so their similarity is not in this page.`];
  return [told("old", old, before, next), told("new", next, after, old), ...far].join(" ");
}
