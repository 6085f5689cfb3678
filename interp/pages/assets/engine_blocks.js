// A block of GPT-2 or BERT and its way back. A pass computes the last m of n steps; what comes before them is known, and
// no gradient goes there. So a history is computed once, and a slider costs its last step (GPTRec), or the blocks that
// follow the dictionary (BERT4Rec, whose steps all see the last one).
//
// Axes: n steps, m of them computed, w of them wanted, d hidden size.

/**
 * @typedef {object} Block
 * @property {Layer} attention to queries, keys and values, [d, 3d]
 * @property {Layer} projection [d, d]
 * @property {Layer} wide [d, 4d]
 * @property {Layer} narrow [4d, d]
 * @property {[Layer, Layer]} norms around attention and around the wide layer
 */

/**
 * @typedef {object} Shape of all blocks
 * @property {number} d hidden size
 * @property {number} heads
 * @property {boolean} causal whether steps see no later ones, and norms come first, as in GPT-2; else as in BERT
 * @property {number} epsilon of norms
 */

/**
 * What the last `wanted` of some steps read of all steps up to the last one.
 * @param {Float64Array} asked [m, 3d] queries, keys and values of the last m steps
 * @param {Float64Array | null} earlier [n - m, 3d] those of the steps before
 * @param {number} wanted
 * @param {Shape} shape
 * @returns {Op} [w, d], and back to [m, 3d]
 */
function attended(asked, earlier, wanted, { d, heads, causal }) {
  const all = earlier ? new Float64Array(earlier.length + asked.length) : asked;
  if (earlier) {
    all.set(earlier);
    all.set(asked, earlier.length);
  }
  const [wide, size] = [3 * d, d / heads];
  const n = all.length / wide;
  const scale = 1 / Math.sqrt(size);
  const weights = new Float64Array(wanted * heads * n);
  const y = new Float64Array(wanted * d);
  for (let row = 0; row < wanted; row++) {
    const step = n - wanted + row;
    const last = causal ? step : n - 1;
    for (let head = 0; head < heads; head++) {
      const [q, at, out] = [step * wide + head * size, (row * heads + head) * n, row * d + head * size];
      let most = -Infinity;
      for (let other = 0; other <= last; other++) {
        const k = other * wide + d + head * size;
        let sum = 0;
        for (let i = 0; i < size; i++) sum += all[q + i] * all[k + i];
        weights[at + other] = sum * scale;
        most = Math.max(most, sum * scale);
      }
      let total = 0;
      for (let other = 0; other <= last; other++) total += weights[at + other] = Math.exp(weights[at + other] - most);
      for (let other = 0; other <= last; other++) {
        const [weight, v] = [(weights[at + other] /= total), other * wide + 2 * d + head * size];
        for (let i = 0; i < size; i++) y[out + i] += weight * all[v + i];
      }
    }
  }
  const back = (/** @type {Float64Array} */ dy) => {
    const known = all.length - asked.length; // entries to which no gradient goes
    const slopes = new Float64Array(asked.length);
    const toWeights = new Float64Array(n);
    for (let row = 0; row < wanted; row++) {
      const step = n - wanted + row;
      const last = causal ? step : n - 1;
      for (let head = 0; head < heads; head++) {
        const [q, at, out] = [step * wide + head * size, (row * heads + head) * n, row * d + head * size];
        let mean = 0;
        for (let other = 0; other <= last; other++) {
          const [weight, v] = [weights[at + other], other * wide + 2 * d + head * size];
          let sum = 0;
          for (let i = 0; i < size; i++) sum += dy[out + i] * all[v + i];
          if (v >= known) for (let i = 0; i < size; i++) slopes[v - known + i] += weight * dy[out + i];
          toWeights[other] = sum;
          mean += weight * sum;
        }
        for (let other = 0; other <= last; other++) {
          const k = other * wide + d + head * size;
          const slope = weights[at + other] * (toWeights[other] - mean) * scale;
          for (let i = 0; i < size; i++) slopes[q - known + i] += slope * all[k + i];
          if (k >= known) for (let i = 0; i < size; i++) slopes[k - known + i] += slope * all[q + i];
        }
      }
    }
    return slopes;
  };
  return { y, back };
}

/**
 * One block.
 * @param {Block} block
 * @param {Float64Array} x [m, d] the last m steps
 * @param {Float64Array | null} earlier queries, keys and values of the steps before
 * @param {number} wanted steps of the output
 * @param {Shape} shape
 * @returns {Op & {asked: Float64Array}} [w, d]; `asked` [m, 3d] is the `earlier` of later passes
 */
function through(block, x, earlier, wanted, shape) {
  const { causal, epsilon, d } = shape;
  const kept = x.length - wanted * d; // entries of steps that are not wanted
  const first = causal ? normed(x, block.norms[0], epsilon) : null;
  const asked = linear(first ? first.y : x, block.attention);
  const context = attended(asked.y, earlier, wanted, shape);
  const projected = linear(context.y, block.projection);
  const sum = added(projected.y, x.subarray(kept));
  const middle = causal ? null : normed(sum, block.norms[0], epsilon);
  const hidden = middle ? middle.y : sum;
  const second = causal ? normed(hidden, block.norms[1], epsilon) : null;
  const wide = linear(second ? second.y : hidden, block.wide);
  const curved = (causal ? geluByTanh : geluByErf)(wide.y);
  const narrow = linear(curved.y, block.narrow);
  const output = added(narrow.y, hidden);
  const final = causal ? null : normed(output, block.norms[1], epsilon);
  const back = (/** @type {Float64Array} */ dy) => {
    const ofOutput = final ? final.back(dy) : dy;
    const ofWide = wide.back(curved.back(narrow.back(ofOutput)));
    const ofHidden = added(ofOutput, second ? second.back(ofWide) : ofWide);
    const ofSum = middle ? middle.back(ofHidden) : ofHidden;
    const ofAsked = asked.back(context.back(projected.back(ofSum)));
    const dx = first ? first.back(ofAsked) : ofAsked;
    for (let i = 0; i < ofSum.length; i++) dx[kept + i] += ofSum[i];
    return dx;
  };
  return { y: final ? final.y : output, back, asked: asked.y };
}
