// One feature: its label and the evidence for that, its activations, concepts, neighbours, items and steering.

const OWN_TITLE = document.title;
const HISTORY_HEIGHT = 165; // pixels, about

/** @type {Record<string, string[]>} what each way of moving items is called, and what it is */
const WAYS = {
  layers: [
    "scores, through the layers",
    "How much an item’s score rises, relative to the average item’s, per unit of the feature’s activation at the last step, " +
      "through all layers after it: a mean over test users.",
  ],
  direct: [
    "scores, direct path",
    "The same without the later layers: how the feature’s own direction changes the scores when items are scored with it directly.",
  ],
  lists: [
    "lists, when turned up and down",
    "How many more test users have the item in their top 10 when the feature is turned up by its 99th percentile " +
      "than when it is turned down by as much. A difference of one or two users may be chance.",
  ],
};

/** Fill the panel with a feature. @param {number} feature */
function show(feature) {
  if (byId("feature").dataset.feature === undefined) byId("feature").hidden = !isHere(feature);
  withDetails([feature], () => fillPanel(feature));
}

/** @param {number} feature */
function fillPanel(feature) {
  state.feature = feature;
  showPanel("feature");
  const alive = !isDead(feature);
  showTitle(feature);
  showFirst(feature, byId("feature"), data, itemTitle);
  if (alive) showActivations(feature);
  showMoves();
  showNotes(feature);
  showRow(feature);
  byId("feature").dataset.feature = feature;
}

/** @param {number} feature */
function showTitle(feature) {
  byId("feature-title").replaceChildren(`Feature ${feature} `, nameChip(feature));
  document.title = `#${feature} ${short(nameOf(feature))} · ${OWN_TITLE}`; // what tabs, bookmarks and histories say
  byId("current").textContent = `Feature ${feature}`;
  Object.assign(byId("self"), { href: `#${feature}`, textContent: `#${feature}`, ariaLabel: `Link to feature ${feature}` });
  const top = features.p_top100[feature]; // none where too few histories light the feature
  const ofConcepts = [
    [term("correlation", `${nameInText("correlation")} with ${short(conceptOf(feature))}`), fixed(features.correlation[feature])],
    [term("auc"), fixed(features.auc[feature])],
    [term("sensitivity"), fixed(features.sensitivity[feature])],
    ...(top === null ? [] : [[term("p_top100"), fixed(top)]]),
    [term("effect"), points(effectOf(feature))],
  ];
  fillFacts(byId("feature-facts"), [
    ...(concepts.length ? ofConcepts : []),
    [term("density"), percent(features.density[feature])],
    [term("max"), fixed(features.max[feature])],
  ]);
}

/** @param {number} feature */
function showActivations(feature) {
  showLabel(feature);
  const concept = short(conceptOf(feature));
  byId("present").textContent = concept;
  byId("absent").textContent = `not ${concept}`;
  byId("scale-top").textContent = features.max[feature];
  fill("histories", HISTORY_HEIGHT * data.histories[feature].length, () => bandsOf(feature));
  draw("plot-histogram", histogram(feature));
  showNeighbours(feature);
  showFamily(feature);
  showReceipt(feature);
  showCurves(feature);
  if (!concepts.length) return;
  draw("plot-bars", conceptBars(conceptRows(feature)));
  showNumbers();
}

// ---- its label ----

/**
 * The label, or the best property that failed the test; its scores on unseen users; and items for and against it.
 * @param {number} feature
 */
function showLabel(feature) {
  const [name, kind, active] = [labels.name[feature], labels.kind[feature], labels.active[feature].toLocaleString("en")];
  byId("label-name").replaceChildren(
    ...(name === "" ? ["No property of the items predicts it."] : [make("b", { dir: "auto" }, short(name)), ` (${kind.toLowerCase()})`]),
  );
  const steps = `There it predicts ${labels.support[feature].toLocaleString("en")} steps; the feature is high at ${active}.`;
  byId("label-note").textContent = isLabelled(feature)
    ? `It was chosen on other users and tested on the test users. ${steps}`
    : `No label: this property predicts it best on other users, but not well enough on the test users. ${steps}`;
  fillFacts(byId("label-facts"), [
    [term("precision", "precision"), fixed(labels.precision[feature], 2)],
    [term("recall", "recall"), fixed(labels.recall[feature], 2)],
    [term("lift", "lift"), fixed(labels.lift[feature], 1)],
    [term("hard_precision", "precision, hard negatives"), fixed(labels.hard_precision[feature], 2)],
  ]);
  const examples = Object.entries(labels.roles).map(([role, said]) => ({ said, found: labels.items[role][feature] }));
  byId("label-items").replaceChildren(
    ...examples.filter(({ found }) => found.length).flatMap(({ said, found }) => [make("dt", {}, said), make("dd", {}, ...titlesOf(found))]),
  );
}

/** Titles with dots between them. @param {number[]} found */
function titlesOf(found) {
  return found.flatMap((item, place) => [...(place ? [" · "] : []), itemTitle(item)]);
}

// ---- its activations ----

/**
 * A figure without data, and its traces by the column that each draws.
 * @param {string} name
 * @returns {[Figure, Map<string, any>]}
 */
function emptyFigure(name) {
  const figure = structuredClone(data.empty[name]);
  return [figure, new Map(figure.data.map((trace) => [trace.meta, trace]))];
}

/** @param {number} feature */
function histogram(feature) {
  const [figure, traces] = emptyFigure("histogram");
  for (const [column, trace] of traces) {
    const counts = data.histograms[column][feature];
    const width = features.max[feature] / counts.length;
    trace.x = counts.map((_, bin) => (bin + 0.5) * width);
    trace.y = counts;
    trace.width = width;
    trace.name = concepts.length ? trace.name.replace("{concept}", () => escaped(conceptOf(feature))) : "";
  }
  return figure;
}

/** @param {number} feature @param {LitHistory} history */
function historyOf(feature, [, rank, user, first, row, activations, last]) {
  const cards = row.map((item, index) => {
    const next = items.titles[row[index + 1] ?? last];
    return itemCard(items.titles[item], conceptChips(item, feature), first + index, activations[index], features.max[feature], next, itemTitle(item));
  });
  return historyRow(`${rank}. User ${short(user)}`, first, cards, activations);
}

/** A feature's histories, each band under its name. @param {number} feature */
function bandsOf(feature) {
  unscrolled.disconnect(); // from the rows of the feature before
  return Object.entries(data.bands).flatMap(([band, [name, about]]) => {
    const rows = data.histories[feature].filter((history) => history[0] === band).map((history) => historyOf(feature, history));
    return rows.length ? [make("p", { className: "band" }, `${name} `, make("span", {}, about)), ...rows] : [];
  });
}

// ---- its concepts ----

/** A feature's scores with every concept, and its effects on them, best correlated first. @param {number} feature */
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
  return rows.sort((one, other) => (other.correlation ?? 0) - (one.correlation ?? 0));
}

/** @param {ReturnType<typeof conceptRows>} rows */
function conceptBars(rows) {
  const [figure, traces] = emptyFigure("bars");
  const [follows, moves] = ["correlation", "effect"].map((column) => traces.get(column));
  follows.y = moves.y = rows.map((row) => escaped(row.name));
  follows.x = rows.map((row) => row.correlation);
  follows.customdata = rows.map((row) => [row.auc, row.sensitivity]);
  moves.x = rows.map((row) => row.effect);
  for (const trace of [follows, moves]) trace.marker.color = trace.x;
  moves.error_x.array = rows.map((row) => row.error);
  return figure;
}

function showNumbers() {
  const details = byId("numbers");
  if (!details.open) return;
  /** @param {string} tag @param {string[]} cells */
  const row = (tag, cells) => make("tr", {}, ...cells.map((cell, place) => make(tag, place ? {} : { className: "text" }, cell)));
  const rows = conceptRows(state.feature).map((scores) =>
    row("td", [short(scores.name), fixed(scores.correlation), fixed(scores.auc), fixed(scores.sensitivity), points(scores.effect)]),
  );
  const head = make("thead", {}, row("th", ["Concept", ...["correlation", "auc", "sensitivity", "effect"].map((key) => data.names[key])]));
  details.lastElementChild.replaceChildren(make("table", {}, head, make("tbody", {}, ...rows)));
}

// ---- its family and its neighbours ----

/** The near-duplicates of a feature, which the map shows as one point with it. @param {number} feature */
function showFamily(feature) {
  const others = membersOf(feature).filter((one) => one !== feature);
  const family = byId("feature").querySelector("[data-part=family]");
  family.hidden = !others.length;
  const links = others.flatMap((one) => [" ", make("a", { href: `#${one}` }, `#${one}`), " ", nameChip(one)]);
  family.replaceChildren(term("family", "Near-duplicates"), ":", ...links);
}

/** @param {number} feature */
function showNeighbours(feature) {
  for (const [id, { neighbour, similarity }] of Object.entries(data.neighbours)) {
    const rows = neighbour[feature].map((one, place) => neighbourRow(one, similarity[feature][place]));
    byId(id).replaceChildren(...rows);
  }
}

/** @param {number} feature @param {number} similarity */
function neighbourRow(feature, similarity) {
  return make(
    "li",
    {},
    make("span", { className: "value" }, fixed(similarity, 2)),
    make("a", { href: `#${feature}` }, `#${feature}`),
    nameChip(feature),
    make("span", { className: "example", dir: "auto" }, topItems(feature, 2).map((item) => short(items.titles[item])).join(" · ")),
  );
}

// ---- its items ----

/** The measures of a feature's effect on items that this study has. */
function makeWays() {
  byId("way").append(...Object.keys(data.moves).map((way) => make("option", { value: way }, WAYS[way][0])));
}

function showMoves() {
  const [feature, way] = [state.feature, byId("way").value];
  byId("way-note").textContent = WAYS[way][1];
  const largest = Math.max(...Object.values(data.moves[way]).flatMap(({ effect }) => effect[feature].map(Math.abs)));
  for (const [id, columns] of Object.entries(data.moves[way])) {
    const rows = columns.item[feature].map((_, place) => moveRow(feature, columns, place, largest));
    byId(id).replaceChildren(...(rows.length ? rows : [make("li", { className: "weak" }, "None.")]));
  }
}

/**
 * An item that a feature moves; `up` and `down` are users, where lists were counted.
 * @param {number} feature
 * @param {any} columns
 * @param {number} place
 * @param {number} largest
 */
function moveRow(feature, { item, effect, up, down, users }, place, largest) {
  const [one, change] = [item[feature][place], effect[feature][place]];
  const meter = make("span", { className: "meter" });
  meter.style.setProperty("--share", Math.abs(change) / largest);
  const counted = up ? [make("span", { className: "counted" }, `${down[feature][place]} → ${up[feature][place]} of ${users[feature][place]} users`)] : [];
  return make(
    "li",
    {},
    make("span", { className: "value" }, up ? points(change) : `${change > 0 ? "+" : "−"}${Math.abs(change).toPrecision(3)}`),
    make("span", {}, itemTitle(one), conceptChips(one, feature), ...counted),
    meter,
  );
}
