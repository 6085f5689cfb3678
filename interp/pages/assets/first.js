// The first screen of a feature: a sentence, what lights it, what it promotes and suppresses, and what turning it costs.

const FIRST = 6; // items in each list

/** Fill the first screen with a feature. */
function showFirst(feature) {
  const grade = features.grade[feature];
  byId("grade").textContent = features.grades[grade][0];
  byId("grade").dataset.tip = features.grades[grade][1];
  byId("sentence").textContent = features.sentence[feature];
  const lit = strongestItems(feature);
  byId("lit").replaceChildren(...(lit.length ? lit.map(([item, activation]) => litRow(feature, item, activation)) : [nothing()]));
  for (const direction of ["promoted", "suppressed"]) {
    const { rows, counted } = firstChanges(feature, direction);
    byId(`first-${direction}`).replaceChildren(...(rows.length ? rows : [nothing()]));
    byId(`${direction}-by`).textContent = counted;
  }
  showGauge(feature);
}

const nothing = () => make("li", { className: "weak" }, "None.");

/** The items at which a feature is highest in its histories, each with its highest activation there. */
function strongestItems(feature) {
  const highest = new Map();
  for (const [, , , , row, activations] of data.histories[feature]) {
    row.forEach((item, place) => highest.set(item, Math.max(activations[place], highest.get(item) ?? 0)));
  }
  return [...highest].filter(([, activation]) => activation > 0).sort(([, one], [, other]) => other - one).slice(0, FIRST);
}

function litRow(feature, item, activation) {
  const value = make("span", { className: "value shade" }, activation.toPrecision(2));
  shade(value, activation / features.max[feature]);
  return make("li", {}, value, itemTitle(item));
}

/** The items that most lists gain or lose; where no list does, those whose scores move most. */
function firstChanges(feature, direction) {
  const { item, effect, up, down, users } = data.moves.lists[direction];
  if (item[feature].length) {
    const rows = item[feature].slice(0, FIRST).map((one, place) => {
      const text = `${down[feature][place]} → ${up[feature][place]}`;
      return make("li", {}, make("span", { className: "value" }, text), itemTitle(one));
    });
    return { rows, counted: `lists of ${users[feature][0]} users, turned down → up; chosen by these lists` };
  }
  const scores = data.moves.layers[direction];
  const rows = scores.item[feature].slice(0, FIRST).map((one, place) =>
    make("li", {}, make("span", { className: "value" }, change(scores.effect[feature][place], 2)), itemTitle(one)),
  );
  return { rows, counted: rows.length ? "change of the score; no list changes" : "" };
}

// ---- what it costs ----

const LEAST_REACH = 0.02; // of NDCG@10, so that a change of nothing does not fill the card

/** Two rows on one axis: NDCG by the feature, and by re-ranking to the same share, with their intervals. */
function showGauge(feature) {
  const at = (name) => data.costs[name][feature];
  const rows = [["feature", "ndcg"], ["re-ranking", "boost"]]
    .map(([name, key]) => ({ name, value: at(key), low: at(`${key}_low`), high: at(`${key}_high`) }))
    .filter(({ value }) => value !== null);
  const target = byId("gauge");
  if (!rows.length) return target.replaceChildren(nothing());
  const reach = Math.max(...rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value].map(Math.abs)), LEAST_REACH) * 1.05;
  const share = (value) => `${(50 + (50 * value) / reach).toFixed(1)}%`;
  target.replaceChildren(...rows.map((row) => gaugeRow(row, share)));
  const concept = concepts[at("concept")];
  const users = `${at("users")} users`;
  const others = at("chosen_by") === "other users" ? ", who did not choose the concept" : "";
  byId("gauge-note").textContent = concept === undefined
    ? `Change of NDCG@10, with 95% intervals, ${users}.`
    : `${short(concept)}: ${percent(at("share_before"))} → ${percent(at("share_after"))} of the lists. Change of NDCG@10 at that share, with 95% intervals, ${users}${others}.`;
}

function gaugeRow({ name, value, low, high }, share) {
  const track = make("span", { className: "track", ariaHidden: "true" }, make("span", { className: "zero" }));
  if (low !== null) {
    const bar = make("span", { className: "bar95" });
    Object.assign(bar.style, { left: share(low), right: `calc(100% - ${share(high)})` });
    track.append(bar);
  }
  const dot = make("span", { className: "dot" });
  dot.style.left = share(value);
  track.append(dot);
  const interval = low === null ? "" : ` [${change(low)}, ${change(high)}]`;
  return make("li", { className: name === "feature" ? "" : "other" }, make("b", {}, name), make("span", { className: "value" }, `${change(value)}${interval}`), track);
}
