// Re-ranking beside steering: how far to raise the items of a concept until the list has the same share of it.

const HALVINGS = 7;
const FURTHEST = 4; // standard deviations of the scores, as in the study's own baselines

/**
 * The concepts whose share re-ranking shall match: those of the sliders that are turned, a feature's being the one that
 * names it. Where no slider has one, the concept whose share changes most.
 * @param {About} about
 * @param {Query} request
 * @param {Result["shares"]} shares
 */
function targetsOf(about, { settings }, { before, after }) {
  const own = settings.map(({ kind, index }) => (kind === "concept" ? index : about.features[index].concept ?? null)).filter((concept) => concept !== null);
  if (own.length) return [...new Set(own)];
  const changes = before.map((share, concept) => Math.abs(after[concept] - share));
  const largest = Math.max(...changes);
  return largest > 0 ? [changes.indexOf(largest)] : [];
}

/**
 * The result with a re-ranked list: the smallest boosts, found one concept after the other, that reach the share which
 * the sliders reach.
 * @param {About} about
 * @param {Backend} backend
 * @param {Query} request
 * @param {Result} result of the request without boosts
 * @returns {Promise<Result>} with `targets`, the concepts that are matched
 */
async function withBoosts(about, backend, request, result) {
  const targets = targetsOf(about, request, result.shares);
  /** @type {Record<number, number>} */
  const boosts = {};
  for (const concept of targets) {
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
  if (!Object.keys(boosts).length) {
    const boosted = result.before.map((row) => ({ ...row, other: row.rank, move: null })); // beside the list before, which it is
    return { ...result, targets, boosted, shares: { ...result.shares, boosted: result.shares.before } };
  }
  return { ...(await backend.run({ ...request, boosts, reasons: false })), targets };
}
