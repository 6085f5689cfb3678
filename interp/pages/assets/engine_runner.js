// What the engine asks of a recommender, whoever passes histories through it; and the page's own scripts, asked so.
//
// Axes: n steps, d width at the dictionary, v items.

/** @typedef {Map<number, number>} Amounts that are added to features at the last step */

/**
 * @typedef {object} Passage of a history through a recommender
 * @property {Float64Array} hidden [n, d] at the dictionary
 * @property {number} first place in the history of the item at the first of these steps
 * @property {Float64Array} scores [v]
 * @property {(amounts: Amounts) => Promise<Float64Array>} steered scores [v]
 * @property {(items: number[], amounts: Amounts, nodes: Nodes) => Promise<Map<number, Map<number, number>>>} contributions
 *   the part of each feature in the change of each item's score
 * @property {(amounts: Amounts, item: number, top: number, nodes: Nodes) => Promise<{total: number, features: Part[]}>} attributed
 *   the features behind an item's score under a steer, those with the largest parts first
 */

/** @typedef {{model: Coded, read: (history: number[]) => Promise<Passage>}} Runner */

/** @param {Model} model @returns {Runner} */
function ownRunner(model) {
  async function read(/** @type {number[]} */ history) {
    const hidden = hiddenOf(model, history);
    const { y, asked } = onwards(model, hidden, []);
    const reading = { model, hidden, asked };
    const last = hidden.length / model.shape.d - 1;
    const under = (/** @type {Amounts} */ amounts) => {
      const states = hidden.slice();
      addFeatures(model, states, last, amounts);
      return states;
    };
    return /** @type {Passage} */ ({
      hidden,
      first: Math.max(history.length - model.longest, 0),
      scores: scoresOf(model, y),
      steered: async (amounts) => scoresOf(model, changed(reading, under(amounts), last).y),
      contributions: (items, amounts, nodes) => contributions(reading, items, amounts, nodes),
      attributed: (amounts, item, top, nodes) => attributed(reading, under(amounts), item, top, nodes),
    });
  }
  return { model, read };
}
