// What turning a feature changes: its receipt as a table, and its curves with bands.

/** @param {number} feature */
function showReceipt(feature) {
  const { measures, rows, moved } = data.receipts;
  /** @param {string} tag @param {(string | Node)[]} cells */
  const row = (tag, cells) => make("tr", {}, ...cells.map((cell, place) => make(tag, place ? {} : { className: "text" }, cell)));
  /** @param {string | Node} name @param {Numbers} numbers @param {number | null} digits null for shares */
  const cells = (name, [before, by, low, high], digits) => {
    const scale = digits === null ? percent : (/** @type {Value} */ value) => fixed(value, digits);
    const text = digits === null ? points : (/** @type {Value} */ value) => change(value, digits);
    return row("td", [name, scale(before), text(by), low === null || high === null ? "–" : interval(low, high, text)]);
  };
  const head = make("thead", {}, row("th", ["", "Before", "Change", "95% interval"]));
  const shares = moved[feature].map(([concept, before, ...numbers]) => cells(`share of ${short(concepts[concept])}`, [before, ...numbers], null));
  const others = Object.keys(measures).map((key, place) => {
    const numbers = rows[feature][place];
    return cells(term(key, measures[key]), numbers, Math.abs(numbers[0] ?? 0) < 10 ? 3 : 1);
  });
  byId("receipt").replaceChildren(make("table", {}, head, make("tbody", {}, ...shares, ...others)));
  const { users, chosen_by } = data.costs;
  const apart = chosen_by[feature] === "other users" ? ` The ${users[feature]} users of the sentence above are those among them who did not choose its concept.` : "";
  byId("receipt-note").textContent = moved[feature].length
    ? `All test users.${apart} Shares are of the concepts that moved beyond their interval (${moved[feature].length} of ${about.concepts}; of so many, about one in twenty would by chance).`
    : concepts.length ? "No concept’s share moved beyond its interval." : "";
}

/** @param {number} feature */
function showCurves(feature) {
  const concept = concepts[data.costs.concept[feature]];
  for (const measure of concept === undefined ? ["ndcg"] : ["share", "ndcg"]) draw(`plot-turned-${measure}`, turnedCurve(feature, measure));
  byId("turned-share").hidden = concept === undefined;
  byId("turned-note").textContent = concept === undefined ? "" : `Share of ${short(concept)} in the top 10.`;
}

/** @param {number} feature @param {string} measure */
function turnedCurve(feature, measure) {
  const [figure, traces] = emptyFigure(`turned-${measure}`);
  const { value } = data.curves;
  const [middle, low, high] = ["", "_low", "_high"].map((side) => data.curves[`${measure}${side}`][feature]);
  const [band, curve] = [traces.get("band"), traces.get("curve")];
  band.x = [...value[feature], ...value[feature].slice().reverse()];
  band.y = [...high, ...low.slice().reverse()];
  curve.x = value[feature];
  curve.y = middle;
  figure.layout.shapes[0].x1 = features.max[feature];
  return figure;
}
