// The first screen of a feature: a sentence, what lights it, what it promotes and suppresses, and what turning it costs.
// The dashboard shows one, the page of a comparison two: each a copy of first.html, filled from the columns of a study.

const FIRST = 6; // items in each list

/**
 * Fill the first screen in an element with a feature of these columns, which are as those of the dashboard.
 * @param {number} feature
 * @param {any} root
 * @param {FirstColumns} from
 * @param {(item: number) => Node} titleNode
 */
function showFirst(feature, root, from, titleNode = (item) => titleOf(from.items.titles[item])) {
  /** @param {string} name */
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const { features, lit } = from;
  const [grade, meaning] = features.grades[features.grade[feature]];
  part("grade").textContent = grade;
  part("grade").dataset.tip = meaning;
  part("sentence").replaceChildren(...sentenceParts(features.sentence[feature]));
  const rows = lit.item[feature].map((item, place) => litRow(titleNode(item), lit.activation[feature][place], features.max[feature]));
  part("lit").replaceChildren(...(rows.length ? rows : [nothing()]));
  for (const direction of ["promoted", "suppressed"]) {
    const { rows: changed, counted } = firstChanges(feature, direction, from.moves, titleNode);
    part(direction).replaceChildren(...(changed.length ? changed : [nothing()]));
    part(`${direction}-by`).textContent = counted;
  }
  showGauge(feature, part, from);
  const alive = features.density[feature] !== 0;
  part("dead").hidden = alive;
  for (const node of root.querySelectorAll(".alive")) node.hidden = !alive;
}

/** Terms inside sentences, by their words; an interval is known by its brackets. @type {Record<string, string>} */
const IN_SENTENCES = {
  ...{ "99th percentile": "turned", "NDCG@10": "ndcg@10", "re-ranking": "boost", "unseen items": "unseen_items" },
  ...{ neurons: "neuron", "item embeddings": "item_embeddings", "meaningless concepts": "null" },
};
const TERMS = new RegExp(`(${Object.keys(IN_SENTENCES).join("|")}|\\[[−+]?\\d[^\\]]*\\])`);

/** A sentence whose terms tell their meaning, each where it stands first. @param {string} text @returns {(Node | string)[]} */
function sentenceParts(text) {
  const { glossary } = /** @type {any} */ (data);
  const told = new Set();
  return text.split(TERMS).map((part, place) => {
    const key = place % 2 ? (IN_SENTENCES[part] ?? "interval") : "";
    if (!glossary[key] || told.has(key)) return part;
    told.add(key);
    const node = make("span", { className: "term" }, part);
    node.dataset.tip = glossary[key][1];
    return node;
  });
}

/** A feature's name as a chip that shows what it rests on, and says so. @param {number} feature @param {FirstColumns} from */
function nameChip(feature, { features } = /** @type {any} */ (data)) {
  const grade = features.grade[feature];
  const chip = make("span", { className: `chip name ${grade}`, dir: "auto" }, short(features.name[feature]));
  chip.dataset.tip = features.grades[grade][1];
  const given = features.given[feature];
  return given ? make("span", { className: "chips both" }, chip, givenChip(...given)) : chip;
}

/** A name that a person gave, marked as that. @param {string} text @param {string} by */
function givenChip(text, by) {
  const chip = make("span", { className: "chip given", dir: "auto" }, `“${short(text)}”`);
  chip.dataset.tip = `Called so by ${short(by)}; nothing was measured about this name.`;
  return chip;
}

const nothing = () => make("li", { className: "weak" }, "None.");

/** @param {Node} title @param {number} activation @param {number} largest */
function litRow(title, activation, largest) {
  const value = make("span", { className: "value shade" }, activation.toPrecision(2));
  shade(value, activation / largest);
  return make("li", {}, value, title);
}

/**
 * The items that most lists gain or lose; where no list does, those whose scores move most.
 * @param {number} feature
 * @param {string} direction
 * @param {Record<string, Moves>} moves
 * @param {(item: number) => Node} titleNode
 */
function firstChanges(feature, direction, moves, titleNode) {
  /** @param {string} text @param {number} item */
  const row = (text, item) => make("li", {}, make("span", { className: "value" }, text), titleNode(item));
  const { item, up, down, users } = moves.lists[direction];
  if (item[feature].length) {
    const rows = item[feature].slice(0, FIRST).map((one, place) => row(`${down[feature][place]} → ${up[feature][place]}`, one));
    return { rows, counted: `lists of ${users[feature][0]} users, turned down → up; these items differ most` };
  }
  const scores = moves.layers[direction];
  const rows = scores.item[feature].slice(0, FIRST).map((one, place) => row(change(scores.effect[feature][place], 2), one));
  return { rows, counted: rows.length ? "change of the score; no list changes" : "" };
}

// ---- what it costs ----

const LEAST_REACH = 0.02; // of NDCG@10, so that a change of nothing does not fill the card

/**
 * Two rows on one axis: NDCG by the feature, and by re-ranking to the same share, with their intervals.
 * @param {number} feature
 * @param {(name: string) => any} part
 * @param {FirstColumns} from
 */
function showGauge(feature, part, { costs, concepts }) {
  /** @param {string} name */
  const at = (name) => costs[name][feature];
  const rows = [["feature", "ndcg"], ["re-ranking", "boost"]]
    .map(([name, key]) => ({ name, value: at(key), low: at(`${key}_low`), high: at(`${key}_high`) }))
    .filter(({ value }) => value !== null);
  part("gauge-note").textContent = "";
  if (!rows.length) return part("gauge").replaceChildren(nothing());
  const reach = Math.max(...rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value].map(Math.abs)), LEAST_REACH) * 1.05;
  /** @param {number} value */
  const share = (value) => `${(50 + (50 * value) / reach).toFixed(1)}%`;
  part("gauge").replaceChildren(...rows.map((row) => gaugeRow(row, share)));
  const concept = concepts[at("concept")];
  const users = `${at("users")} users`;
  const others = at("chosen_by") === "other users" ? "; the concept was chosen on others" : "";
  part("gauge-note").textContent = concept === undefined
    ? `Change of NDCG@10, with 95% intervals, ${users}.`
    : `${short(concept)}: ${percent(at("share_before"))} → ${percent(at("share_after"))} of the lists, ${at("share_change")}. Change of NDCG@10 at that share, with 95% intervals, ${users}${others}.`;
}

/** @param {any} row @param {(value: number) => string} share */
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
  const bounds = low === null ? "" : ` ${interval(low, high)}`;
  return make("li", { className: name === "feature" ? "" : "other" }, make("b", {}, name), make("span", { className: "value" }, `${change(value)}${bounds}`), track);
}
