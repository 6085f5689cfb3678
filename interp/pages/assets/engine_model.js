// A recommender and its dictionary as `interp.pages.page_model` packs them: read, embedded, passed through.
//
// Axes: n steps, m of them computed, d hidden size, f features, v items.

/**
 * @typedef {object} Model
 * @property {Shape} shape
 * @property {number} longest items of a history that are read
 * @property {number} site blocks before the dictionary
 * @property {Float32Array} items [v, d]
 * @property {Float64Array} mean [d] of items
 * @property {Float32Array} positions [n, d]
 * @property {Float32Array | null} mask [d] BERT4Rec's last step
 * @property {Layer | null} first norm of embeddings
 * @property {Layer | null} last norm before scores
 * @property {boolean} isFinal whether the dictionary comes after that norm, or, without one, after all blocks
 * @property {Block[]} blocks
 * @property {Dictionary} dictionary
 */

/**
 * @typedef {object} Dictionary as in `interp.serving.dictionary_tensors`
 * @property {Float32Array} center [d]
 * @property {Layer} encoder [d, f]
 * @property {Float32Array} decoder [f, d]
 * @property {Float32Array} [threshold] [f]
 * @property {Float32Array} [scale] [f]
 * @property {Float32Array} [shift] [f]
 * @property {number} strongest features of a step, at most; 0 for any number
 */

/** @typedef {{dictionary: Dictionary, shape: {d: number}}} Coded a dictionary, and the width at which it reads */

/** The tensors and the description of a file of safetensors. @param {ArrayBuffer} bytes @returns {[Map<string, Float32Array>, any]} */
function readTensors(bytes) {
  const size = Number(new DataView(bytes).getBigUint64(0, true));
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, size)));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(head)) {
    if (name === "__metadata__") continue;
    const [start, end] = entry.data_offsets;
    tensors.set(name, new Float32Array(bytes.slice(8 + size + start, 8 + size + end)));
  }
  return [tensors, JSON.parse(head.__metadata__.page)];
}

/** @param {Map<string, Float32Array>} tensors @param {any} about @returns {Model} */
function modelOf(tensors, { shape, longest, site, final, blocks, strongest }) {
  const tensor = (/** @type {string} */ name) => /** @type {Float32Array} */ (tensors.get(name));
  const layer = (/** @type {string} */ name) => ({ weight: tensor(`${name}.weight`), bias: tensor(`${name}.bias`) });
  const norm = (/** @type {string} */ name) => (tensors.has(`${name}.weight`) ? layer(name) : null);
  const items = tensor("items");
  const mean = new Float64Array(shape.d);
  for (let at = 0; at < items.length; at++) mean[at % shape.d] += (items[at] * shape.d) / items.length;
  return {
    shape,
    longest,
    site,
    isFinal: final,
    items,
    mean,
    positions: tensor("positions"),
    mask: tensors.get("mask") ?? null,
    first: norm("first"),
    last: norm("last"),
    blocks: Array.from({ length: blocks }, (_, place) => ({
      attention: layer(`${place}.attention`),
      projection: layer(`${place}.projection`),
      wide: layer(`${place}.wide`),
      narrow: layer(`${place}.narrow`),
      norms: [layer(`${place}.norm0`), layer(`${place}.norm1`)],
    })),
    dictionary: dictionaryOf(tensors, strongest),
  };
}

/** @param {Map<string, Float32Array>} tensors @param {number} strongest @returns {Dictionary} */
function dictionaryOf(tensors, strongest) {
  const tensor = (/** @type {string} */ name) => /** @type {Float32Array} */ (tensors.get(name));
  return {
    center: tensor("center"),
    encoder: { weight: tensor("encoder.weight"), bias: tensor("encoder.bias") },
    decoder: tensor("decoder"),
    threshold: tensors.get("threshold"),
    scale: tensors.get("scale"),
    shift: tensors.get("shift"),
    strongest,
  };
}

/** What blocks read of the last items of a history, [n, d]. @param {Model} model @param {number[]} history */
function embedded(model, history) {
  const { d } = model.shape;
  const codes = history.slice(-model.longest);
  const n = codes.length + (model.mask ? 1 : 0);
  const x = new Float64Array(n * d);
  for (let step = 0; step < n; step++) {
    const vector = step < codes.length ? model.items.subarray(codes[step] * d, (codes[step] + 1) * d) : /** @type {Float32Array} */ (model.mask);
    for (let i = 0; i < d; i++) x[step * d + i] = vector[i] + model.positions[step * d + i];
  }
  return model.first ? normed(x, model.first, model.shape.epsilon).y : x;
}

/** Hidden states at the dictionary, [n, d]. @param {Model} model @param {number[]} history */
function hiddenOf(model, history) {
  let x = embedded(model, history);
  for (const block of model.blocks.slice(0, model.site)) x = through(block, x, null, x.length / model.shape.d, model.shape).y;
  return model.last && model.isFinal ? normed(x, model.last, model.shape.epsilon).y : x;
}

/**
 * From the dictionary to what the scorer reads, [d], and back to the last m steps, [m, d].
 * @param {Model} model
 * @param {Float64Array} x [m, d] hidden states of the last m steps at the dictionary
 * @param {(Float64Array | null)[]} earlier for each further block what it asked of the steps before, or null
 * @returns {Op & {asked: Float64Array[]}}
 */
function onwards(model, x, earlier) {
  const { d, epsilon } = model.shape;
  const blocks = model.blocks.slice(model.site);
  /** @type {(Op & {asked: Float64Array})[]} */
  const passes = [];
  let y = x;
  blocks.forEach((block, place) => {
    const wanted = place < blocks.length - 1 ? y.length / d : 1;
    passes.push(through(block, y, earlier[place] ?? null, wanted, model.shape));
    ({ y } = passes[place]);
  });
  const kept = y.length - d; // there may be no further block
  const final = model.last && !model.isFinal ? normed(y.subarray(kept), model.last, epsilon) : null;
  const back = (/** @type {Float64Array} */ dy) => {
    let slope = final ? final.back(dy) : dy;
    if (kept) {
      const whole = new Float64Array(y.length);
      whole.set(slope, kept);
      slope = whole;
    }
    return passes.reduceRight((dx, pass) => pass.back(dx), slope);
  };
  return { y: final ? final.y : y.slice(kept), back, asked: passes.map(({ asked }) => asked) };
}

/** Scores of all items, [v], by what the scorer reads. @param {Model} model @param {Float64Array} final [d] */
function scoresOf({ items }, final) {
  const d = final.length;
  const scores = new Float64Array(items.length / d);
  for (let item = 0, at = 0; item < scores.length; item++, at += d) {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += final[i] * items[at + i];
    scores[item] = sum;
  }
  return scores;
}

/** Features [n, f] of hidden states [n, d]. @param {Coded} model @param {Float64Array} hidden */
function encoded({ dictionary, shape: { d } }, hidden) {
  const { center, encoder, threshold, scale, shift, strongest } = dictionary;
  const f = encoder.bias.length;
  const { y: before } = linear(hidden.map((value, i) => value - center[i % d]), encoder);
  const features = new Float64Array(before.length);
  for (let row = 0; row < before.length; row += f) {
    const least = strongest ? before.slice(row, row + f).sort()[f - strongest] : -Infinity;
    for (let i = 0; i < f; i++) {
      const z = before[row + i];
      const isOn = z >= least && (!threshold || z > threshold[i]);
      features[row + i] = isOn ? Math.max(scale && shift ? scale[i] * z + shift[i] : z, 0) : 0;
    }
  }
  return features;
}
