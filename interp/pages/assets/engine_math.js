// What blocks of a transformer are made of, each with its way back. Weights are float32, as Python has them; all else is
// float64, so that sums are at least as exact as Python's. An operation returns its output and a function that turns the
// gradient by the output into that by the input. Rows lie one after another.
//
// Axes: n rows, d columns of the input, m columns of the output.

/** @typedef {{y: Float64Array, back: (dy: Float64Array) => Float64Array}} Op */
/** @typedef {{weight: Float32Array, bias: Float32Array}} Layer of weight [d, m] and bias [m]; a norm has [d] each */

/**
 * x · weight + bias, [n, d] to [n, m]. Four rows of weights are taken at once, as reading and writing sums takes as long
 * as the products.
 * @param {Float64Array} x
 * @param {Layer} layer
 * @returns {Op}
 */
function linear(x, { weight, bias }) {
  const m = bias.length;
  const d = weight.length / m;
  const n = x.length / d;
  const whole = d - (d % 4);
  const y = new Float64Array(n * m);
  for (let row = 0; row < n; row++) {
    const [from, to] = [row * d, row * m];
    for (let j = 0; j < m; j++) y[to + j] = bias[j];
    for (let i = 0; i < whole; i += 4) {
      const [a, b, c, e] = [x[from + i], x[from + i + 1], x[from + i + 2], x[from + i + 3]];
      const w = i * m;
      for (let j = 0; j < m; j++) {
        y[to + j] += a * weight[w + j] + b * weight[w + m + j] + c * weight[w + 2 * m + j] + e * weight[w + 3 * m + j];
      }
    }
    for (let i = whole; i < d; i++) for (let j = 0; j < m; j++) y[to + j] += x[from + i] * weight[i * m + j];
  }
  return { y, back: (dy) => linearBack(dy, weight, d, m) };
}

/** dy · weightᵀ, [n, m] to [n, d]. @param {Float64Array} dy @param {Float32Array} weight @param {number} d @param {number} m */
function linearBack(dy, weight, d, m) {
  const n = dy.length / m;
  const whole = d - (d % 4);
  const dx = new Float64Array(n * d);
  for (let row = 0; row < n; row++) {
    const [from, to] = [row * m, row * d];
    for (let i = 0; i < whole; i += 4) {
      let [a, b, c, e] = [0, 0, 0, 0];
      for (let j = 0, w = i * m; j < m; j++, w++) {
        const slope = dy[from + j];
        a += slope * weight[w];
        b += slope * weight[w + m];
        c += slope * weight[w + 2 * m];
        e += slope * weight[w + 3 * m];
      }
      dx[to + i] = a;
      dx[to + i + 1] = b;
      dx[to + i + 2] = c;
      dx[to + i + 3] = e;
    }
    for (let i = whole; i < d; i++) for (let j = 0; j < m; j++) dx[to + i] += dy[from + j] * weight[i * m + j];
  }
  return dx;
}

/** LayerNorm of rows [n, d]. @param {Float64Array} x @param {Layer} layer @param {number} epsilon @returns {Op} */
function normed(x, { weight, bias }, epsilon) {
  const d = weight.length;
  const n = x.length / d;
  const [y, unit, scale] = [new Float64Array(n * d), new Float64Array(n * d), new Float64Array(n)];
  for (let row = 0, at = 0; row < n; row++, at += d) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < d; i++) mean += x[at + i] / d;
    for (let i = 0; i < d; i++) variance += (x[at + i] - mean) ** 2 / d;
    scale[row] = 1 / Math.sqrt(variance + epsilon);
    for (let i = 0; i < d; i++) {
      unit[at + i] = (x[at + i] - mean) * scale[row];
      y[at + i] = unit[at + i] * weight[i] + bias[i];
    }
  }
  const back = (/** @type {Float64Array} */ dy) => {
    const dx = new Float64Array(n * d);
    for (let row = 0, at = 0; row < n; row++, at += d) {
      let [mean, along] = [0, 0];
      for (let i = 0; i < d; i++) {
        const slope = dy[at + i] * weight[i];
        mean += slope / d;
        along += (slope * unit[at + i]) / d;
      }
      for (let i = 0; i < d; i++) dx[at + i] = (dy[at + i] * weight[i] - mean - unit[at + i] * along) * scale[row];
    }
    return dx;
  };
  return { y, back };
}

/** Each entry's GELU by tanh, as GPT-2 has it. @param {Float64Array} x @returns {Op} */
function geluByTanh(x) {
  const [y, slope] = [new Float64Array(x.length), new Float64Array(x.length)];
  const c = Math.sqrt(2 / Math.PI);
  for (let i = 0; i < x.length; i++) {
    const square = x[i] * x[i];
    const t = Math.tanh(c * x[i] * (1 + 0.044715 * square));
    y[i] = 0.5 * x[i] * (1 + t);
    slope[i] = 0.5 * (1 + t) + 0.5 * x[i] * (1 - t * t) * c * (1 + 3 * 0.044715 * square);
  }
  return { y, back: (dy) => product(dy, slope) };
}

/** Each entry's GELU by the normal distribution, as BERT has it. @param {Float64Array} x @returns {Op} */
function geluByErf(x) {
  const [y, slope] = [new Float64Array(x.length), new Float64Array(x.length)];
  const height = 1 / Math.sqrt(2 * Math.PI);
  for (let i = 0; i < x.length; i++) {
    // Abramowitz and Stegun 7.1.26: off by 1.5e-7 at most.
    const t = 1 / (1 + 0.3275911 * Math.SQRT1_2 * Math.abs(x[i]));
    const bell = Math.exp(-0.5 * x[i] * x[i]);
    const tail = 0.5 * bell * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    const below = x[i] < 0 ? tail : 1 - tail;
    y[i] = x[i] * below;
    slope[i] = below + x[i] * bell * height;
  }
  return { y, back: (dy) => product(dy, slope) };
}

/** Entry by entry. @param {Float64Array} x @param {Float64Array} y */
function product(x, y) {
  const z = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) z[i] = x[i] * y[i];
  return z;
}

/** The sum of two arrays of one length. @param {Float64Array} x @param {Float64Array} y */
function added(x, y) {
  const z = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) z[i] = x[i] + y[i];
  return z;
}
