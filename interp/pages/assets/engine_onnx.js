// A recommender of another program, as the page carries it in ONNX (`interp.deployment.changed_program`), run by ONNX Runtime
// Web. It has no way back, so reasons and explanations rest on differences of scores in place of gradients: at each node
// of the way a feature is moved by as much as the node counts, half of it to either side. A feature that is alone, or at one
// step alone, is moved the whole way at once, which is exact; parts add up to what is measured: the change of the score, or a feature's ablation.
//
// Axes: b rows (changed copies of the history), s tokens of each, n steps with hidden states, d width, v items.

/** @typedef {[feature: number, step: number, amount: number][]} Edits what a row adds to features */

const ROWS = 32; // of a pass, after which the page answers

/** @type {Promise<any> | null} */
let onnxRuntimeOfPage = null;

/** The library, which the page has once. */
function onnxRuntime() {
  onnxRuntimeOfPage ??= (async () => {
    const [text, wasmBinary] = await Promise.all([unpacked("onnxruntime"), unpacked("onnxruntime-wasm")]);
    const ort = await new Promise((done) => {
      Object.assign(globalThis, { onnxRuntimeReady: done }); // the module ends with this call (`interp.pages.onnx_runtime`)
      runScript("onnxruntime", new TextDecoder().decode(text), "module");
    });
    Object.assign(ort.env.wasm, { wasmBinary, numThreads: 1 });
    return ort;
  })();
  return onnxRuntimeOfPage;
}

/**
 * @param {Map<string, Float32Array>} tensors of the dictionary
 * @param {any} page
 * @param {ArrayBuffer} graph
 * @returns {Promise<Runner>}
 */
async function onnxRunner(tensors, { shape, strongest, longest, onnx }, graph) {
  const ort = await onnxRuntime();
  const session = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"] });
  const model = { shape, dictionary: dictionaryOf(tensors, strongest) };

  async function read(/** @type {number[]} */ history) {
    const codes = history.slice(-longest);
    const known = [...codes.map((code) => code + 1), ...onnx.suffix];
    const tokens = [...new Array(Math.max((onnx.width ?? 0) - known.length, 0)).fill(0), ...known].map(BigInt);
    const [s, n] = onnx.steps ? [tokens.length, known.length] : [1, 1];
    const { d } = shape;

    /** One pass. @param {Edits[]} rows @param {string[]} outputs */
    async function pass(rows, outputs) {
      const b = rows.length;
      const change = new Float32Array(b * s * d);
      rows.forEach((edits, row) => {
        const own = new Float64Array(n * d);
        for (const [feature, step, amount] of edits) addFeatures(model, own, step, [[feature, amount]]);
        change.set(own, (row * s + s - n) * d);
      });
      const ids = BigInt64Array.from({ length: b * tokens.length }, (_, at) => tokens[at % tokens.length]);
      const feeds = { tokens: new ort.Tensor("int64", ids, [b, tokens.length]), change: new ort.Tensor("float32", change, [b, s, d]) };
      return session.run(feeds, outputs);
    }

    /** Scores of some items relative to the mean item's, of each row. @param {Edits[]} rows @param {number[]} items */
    async function relative(rows, items) {
      /** @type {number[][]} */
      const scores = [];
      for (let row = 0; row < rows.length; row += ROWS) {
        const { data, dims: [b, v] } = (await pass(rows.slice(row, row + ROWS), ["scores"])).scores;
        for (let at = 0; at < b * v; at += v) {
          const own = data.subarray(at, at + v);
          const mean = own.reduce((/** @type {number} */ sum, /** @type {number} */ score) => sum + score, 0) / v;
          scores.push(items.map((item) => own[item] - mean));
        }
        await breath();
      }
      return scores;
    }

    const amountsAtLast = (/** @type {Amounts} */ amounts, part = 1) => [...amounts].map(([feature, amount]) => /** @type {Edits[0]} */ ([feature, n - 1, part * amount]));

    /** The part of each feature in the change of each item's score. @type {Passage["contributions"]} */
    async function contributionsOf(items, amounts, nodes) {
      const way = amounts.size === 1 ? WHOLE_WAY : nodes;
      const moves = way.flatMap(([node, weight]) => [...amounts].map(([feature, amount]) => ({ feature, node, by: (weight / 2) * amount })));
      const rows = moves.flatMap(({ feature, node, by }) => [by, -by].map((move) => [...amountsAtLast(amounts, node), /** @type {Edits[0]} */ ([feature, n - 1, move])]));
      const [before, after, ...scores] = await relative([[], amountsAtLast(amounts), ...rows], items);
      return new Map(items.map((item, place) => {
        const parts = new Map([...amounts.keys()].map((feature) => [feature, 0]));
        moves.forEach(({ feature }, row) => parts.set(feature, (parts.get(feature) ?? 0) + scores[2 * row][place] - scores[2 * row + 1][place]));
        toSum(parts, after[place] - before[place]);
        return [item, parts];
      }));
    }

    /** The features without which an item's score changes most, and their steps. @type {Passage["attributed"]} */
    async function attributedTo(amounts, item, top, nodes) {
      const under = amountsAtLast(amounts);
      const states = hidden.slice();
      addFeatures(model, states, n - 1, amounts);
      const [activations, unsteered] = [states, hidden].map((some) => encoded(model, some));
      const f = activations.length / n;
      /** @type {Map<number, [number, number][]>} */
      const active = new Map();
      activations.forEach((activation, at) => {
        if (activation) active.set(at % f, [...(active.get(at % f) ?? []), [Math.floor(at / f), activation]]);
      });
      const left = (/** @type {number} */ feature, /** @type {number} */ part) => /** @type {Edits} */ ([...under, ...(active.get(feature) ?? []).map(([step, activation]) => [feature, step, (part - 1) * activation])]);
      const features = [...active.keys()];
      const [[total], ...without] = await relative([under, ...features.map((feature) => left(feature, 0))], [item]);
      const ablations = new Map(features.map((feature, place) => [feature, total - without[place][0]]));
      const lossOf = (/** @type {number} */ feature) => Math.abs(ablations.get(feature) ?? 0);
      const strongest = features.sort((one, other) => lossOf(other) - lossOf(one)).slice(0, top);
      const moves = strongest.flatMap((feature) => {
        const steps = active.get(feature) ?? [];
        const way = steps.length === 1 ? WHOLE_WAY : nodes;
        return steps.flatMap(([step, activation]) => way.map(([node, weight]) => ({ feature, step, node, by: (weight / 2) * activation })));
      });
      const rows = moves.flatMap(({ feature, step, node, by }) => [by, -by].map((move) => [...left(feature, node), /** @type {Edits[0]} */ ([feature, step, move])]));
      const scores = await relative(rows, [item]);
      const parts = new Map(strongest.map((feature) => [feature, new Map((active.get(feature) ?? []).map(([step]) => [step, 0]))]));
      moves.forEach(({ feature, step }, row) => {
        const own = /** @type {Map<number, number>} */ (parts.get(feature));
        own.set(step, (own.get(step) ?? 0) + scores[2 * row][0] - scores[2 * row + 1][0]);
      });
      parts.forEach((own, feature) => toSum(own, ablations.get(feature) ?? 0));
      const split = [...parts].map(([feature, steps]) => splitPart(feature, [...steps], activations, unsteered, f));
      return { total, features: split.sort((one, other) => Math.abs(other.part) - Math.abs(one.part)) };
    }

    const plain = await pass([[]], ["hidden", "scores"]);
    const hidden = Float64Array.from(plain.hidden.data.subarray((s - n) * d));
    return /** @type {Passage} */ ({
      hidden,
      first: onnx.steps ? history.length - codes.length : history.length - 1,
      scores: Float64Array.from(plain.scores.data),
      steered: async (amounts) => Float64Array.from((await pass([amountsAtLast(amounts)], ["scores"])).scores.data),
      contributions: contributionsOf,
      attributed: attributedTo,
    });
  }
  return { model, read };
}

/** Make parts add up to what was measured, each by its size. @param {Map<number, number>} parts @param {number} sum */
function toSum(parts, sum) {
  const own = [...parts.values()];
  const [size, rest] = [own.reduce((all, part) => all + Math.abs(part), 0), sum - own.reduce((all, part) => all + part, 0)];
  if (size) parts.forEach((part, step) => parts.set(step, part + (rest * Math.abs(part)) / size));
}

const WHOLE_WAY = /** @type {Nodes} */ ([[0.5, 1]]); // from 0 to 1 at once
