// Why items enter and leave (`interp.control.score_changes`), and which features and steps stand behind a score
// (`interp.features.attributions`): gradients, averaged on a way. Scores are relative to the mean item's.
//
// Axes: n steps, m of them computed, d hidden size, f features.

/**
 * @typedef {object} Reading of a history
 * @property {Model} model
 * @property {Float64Array} hidden [n, d] at the dictionary
 * @property {Float64Array[]} asked by each further block of all steps, [n, 3d]
 */

/** @typedef {[number, number][]} Nodes where a gradient is taken on the way from 0 to 1, and the weight of each */

const breath = () => new Promise((next) => setTimeout(next)); // what takes long lets the page answer in between

/**
 * A reading passed on with other hidden states from a step on; `from` is the first step that its way back reaches.
 * @param {Reading} reading
 * @param {Float64Array} hidden [n, d]
 * @param {number} start
 */
function changed({ model, asked }, hidden, start) {
  const { d, causal } = model.shape;
  const from = causal ? start : 0;
  return { ...onwards(model, hidden.subarray(from * d), from ? asked.map((steps) => steps.subarray(0, from * 3 * d)) : []), from };
}

/** How an item's relative score follows what the scorer reads, [d]. @param {Model} model @param {number} item */
const itemSlope = ({ items, mean, shape: { d } }, item) => mean.map((value, i) => items[item * d + i] - value);

/** The product of a gradient's row with a feature's direction. */
function alongFeature(/** @type {Coded} */ model, /** @type {number} */ feature, /** @type {Float64Array} */ slopes, /** @type {number} */ row) {
  const { d } = model.shape;
  let sum = 0;
  for (let i = 0; i < d; i++) sum += slopes[row * d + i] * model.dictionary.decoder[feature * d + i];
  return sum;
}

/** Add amounts of features to one step of hidden states. @param {Coded} model @param {Float64Array} hidden @param {number} step @param {Iterable<[number, number]>} amounts */
function addFeatures({ shape: { d }, dictionary: { decoder } }, hidden, step, amounts) {
  for (const [feature, amount] of amounts) for (let i = 0; i < d; i++) hidden[step * d + i] += amount * decoder[feature * d + i];
}

/**
 * The part of each feature of a steer in the change of each item's score, which its parts add up to.
 * @param {Reading} reading
 * @param {number[]} items
 * @param {Map<number, number>} amounts that are added to features at the last step
 * @param {Nodes} nodes
 * @returns {Promise<Map<number, Map<number, number>>>} by item and feature
 */
async function contributions(reading, items, amounts, nodes) {
  const { model, hidden } = reading;
  const last = hidden.length / model.shape.d - 1;
  const rows = items.map((item) => ({ slope: itemSlope(model, item), parts: new Map([...amounts.keys()].map((feature) => [feature, 0])) }));
  for (const [node, weight] of nodes) {
    const states = hidden.slice();
    addFeatures(model, states, last, [...amounts].map(([feature, amount]) => [feature, node * amount]));
    const { back, from } = changed(reading, states, last);
    for (const { slope, parts } of rows) {
      const dx = back(slope);
      for (const [feature, amount] of amounts) {
        parts.set(feature, (parts.get(feature) ?? 0) + weight * amount * alongFeature(model, feature, dx, last - from));
      }
    }
    if (!model.shape.causal) await breath();
  }
  return new Map(items.map((item, place) => [item, rows[place].parts]));
}

/**
 * @typedef {object} Part of a feature in a score
 * @property {number} feature
 * @property {number} part
 * @property {[number, number][]} steps the history's part of each step
 * @property {number} sliders the sliders' part
 */

/**
 * Of an activation under a steer, what it is without the steer is the history's, and the rest is the sliders'.
 * @param {number} feature
 * @param {[number, number][]} parts of its steps
 * @param {Float64Array} activations [n, f] under the steer
 * @param {Float64Array} unsteered [n, f]
 * @param {number} f
 * @returns {Part}
 */
function splitPart(feature, parts, activations, unsteered, f) {
  const steps = parts.map(([step, part]) => /** @type {[number, number]} */ ([step, part * (unsteered[step * f + feature] / activations[step * f + feature])]));
  const [part, history] = [parts, steps].map((some) => some.reduce((sum, [, value]) => sum + value, 0));
  return { feature, part, steps, sliders: part - history };
}

/**
 * The features behind an item's score, and their steps: activation × gradient, averaged while a feature alone goes to 0.
 * @param {Reading} reading
 * @param {Float64Array} hidden [n, d] under the steer
 * @param {number} item
 * @param {number} top features
 * @param {Nodes} nodes
 * @returns {Promise<{total: number, features: Part[]}>} features with the largest parts first
 */
async function attributed(reading, hidden, item, top, nodes) {
  const { model } = reading;
  const slope = itemSlope(model, item);
  const plain = changed(reading, hidden, 0);
  const total = plain.y.reduce((sum, value, i) => sum + value * slope[i], 0);
  const dx = plain.back(slope);
  const activations = encoded(model, hidden);
  const unsteered = encoded(model, reading.hidden);
  const f = model.dictionary.encoder.bias.length;
  /** @type {Map<number, [number, number][]>} */
  const active = new Map();
  const gradients = new Map();
  activations.forEach((activation, at) => {
    if (!activation) return;
    const [step, feature] = [Math.floor(at / f), at % f];
    active.set(feature, [...(active.get(feature) ?? []), [step, activation]]);
    gradients.set(feature, (gradients.get(feature) ?? 0) + activation * alongFeature(model, feature, dx, step));
  });
  const size = (/** @type {number} */ value) => Math.abs(value);
  const candidates = [...gradients].filter(([, gradient]) => gradient).sort(([, one], [, other]) => size(other) - size(one)).slice(0, 2 * top);
  const features = [];
  for (const [feature] of candidates) {
    const steps = /** @type {[number, number][]} */ (active.get(feature));
    const sums = new Map(steps.map(([step]) => [step, 0]));
    for (const [node, weight] of nodes) {
      const states = hidden.slice();
      for (const [step, activation] of steps) addFeatures(model, states, step, [[feature, (node - 1) * activation]]);
      const { back, from } = changed(reading, states, steps[0][0]);
      const way = back(slope);
      for (const [step, activation] of steps) {
        sums.set(step, (sums.get(step) ?? 0) + weight * activation * alongFeature(model, feature, way, step - from));
      }
    }
    features.push(splitPart(feature, [...sums], activations, unsteered, f));
    await breath();
  }
  features.sort((one, other) => size(other.part) - size(one.part));
  return { total, features: features.slice(0, top) };
}
