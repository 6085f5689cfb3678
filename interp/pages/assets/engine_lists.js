// Ranked lists of scores: equal scores by code, as Python ranks (`recmodels.ranking`, `interp.control.baselines`).

/** @typedef {{scores: Float64Array, own: Set<number>}} Scored `own`: items that no list of this history has */

/** Whether an item comes before another. @param {Float64Array} scores @param {number} item @param {number} other */
const isBefore = (scores, item, other) => scores[item] > scores[other] || (scores[item] === scores[other] && item < other);

/** The codes of the k best items. @param {Scored} scored @param {number} k */
function bestItems({ scores, own }, k) {
  /** @type {number[]} */
  const best = [];
  for (let item = 0; item < scores.length; item++) {
    if (own.has(item) || (best.length === k && !isBefore(scores, item, best[k - 1]))) continue;
    let place = best.length;
    while (place && isBefore(scores, item, best[place - 1])) place--;
    best.splice(place, 0, item);
    if (best.length > k) best.pop();
  }
  return best;
}

/** An item's place among all that a list may have, from 1. @param {Scored} scored @param {number} item */
function rankOf({ scores, own }, item) {
  let rank = 1;
  for (let other = 0; other < scores.length; other++) if (isBefore(scores, other, item) && !own.has(other)) rank++;
  return rank;
}

/**
 * A list as the equalizer shows it.
 * @param {Scored} scored
 * @param {Scored} others the scores to compare with
 * @param {number} k
 * @param {"enters" | "leaves"} move what an item does that the other list lacks
 */
function listOf(scored, others, k, move) {
  return bestItems(scored, k).map((item, place) => {
    const other = rankOf(others, item);
    return { item, score: scored.scores[item], rank: place + 1, other, move: other > k ? move : null };
  });
}

/** The share of a list's items that have each concept. @param {{item: number}[]} rows @param {number[][]} concepts of items @param {number} n */
function sharesOf(rows, concepts, n) {
  const shares = new Array(n).fill(0);
  for (const { item } of rows) for (const concept of concepts[item]) shares[concept] += 1 / rows.length;
  return shares;
}

/** Scores with those of concepts raised, in standard deviations of all scores. @param {Float64Array} scores @param {number[][]} concepts of items @param {Map<number, number>} boosts */
function boostedScores(scores, concepts, boosts) {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1));
  return scores.map((score, item) => concepts[item].reduce((sum, concept) => sum + spread * (boosts.get(concept) ?? 0), score));
}
