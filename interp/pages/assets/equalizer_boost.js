// Re-ranking beside steering: how far to raise the items of a concept until the list has the same share of it.

const HALVINGS = 7;
const FURTHEST = 4; // standard deviations of the scores, as in the study's own baselines

/**
 * The concepts whose share re-ranking shall match: those with a slider that is turned; without one, the concept whose
 * share changes most.
 * @param {Query} request
 * @param {Result["shares"]} shares
 */
function targetsOf({ settings }, { before, after }) {
  const turned = settings.filter(({ kind }) => kind === "concept").map(({ index }) => index);
  if (turned.length) return turned;
  const changes = before.map((share, concept) => Math.abs(after[concept] - share));
  const largest = Math.max(...changes);
  return largest > 0 ? [changes.indexOf(largest)] : [];
}

/**
 * The result with a re-ranked list: the smallest boosts, found one concept after the other, that reach the share which
 * the sliders reach.
 * @param {Backend} backend
 * @param {Query} request
 * @param {Result} result of the request without boosts
 * @returns {Promise<Result>}
 */
async function withBoosts(backend, request, result) {
  /** @type {Record<number, number>} */
  const boosts = {};
  for (const concept of targetsOf(request, result.shares)) {
    const [from, to] = [result.shares.before[concept], result.shares.after[concept]];
    const sign = Math.sign(to - from);
    let [low, high] = [0, FURTHEST];
    for (let halving = 0; sign !== 0 && halving < HALVINGS; halving += 1) {
      const middle = (low + high) / 2;
      const tried = await backend.run({ ...request, boosts: { ...boosts, [concept]: sign * middle }, reasons: false });
      const reached = sign * (tried.shares.boosted?.[concept] ?? 0) >= sign * to;
      if (reached) high = middle;
      else low = middle;
    }
    if (sign !== 0) boosts[concept] = sign * high;
  }
  if (!Object.keys(boosts).length) return { ...result, boosted: result.before, shares: { ...result.shares, boosted: result.shares.before } };
  return backend.run({ ...request, boosts, reasons: false });
}
