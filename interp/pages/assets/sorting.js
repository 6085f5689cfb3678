// Tables that a click on a head sorts, and of which one page is shown: what the dashboard, a comparison and a scorecard share.
// Each has a `state` with `sort` (a column's key) and `ascending`; those with pages also `order` (rows by number) and `page`.

/**
 * Compares two rows by their values; those without a value come last either way, equal ones stay in the order of their numbers.
 * @param {(row: number) => any} valueOf
 * @param {boolean} ascending
 */
function byValue(valueOf, ascending) {
  return (/** @type {number} */ one, /** @type {number} */ other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || one - other;
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return (ascending ? order : -order) || one - other;
  };
}

/** Mark the head by which the table is sorted. @param {Iterable<any>} heads */
function markSorted(heads) {
  for (const head of heads) {
    const sorted = head.dataset.key === state.sort;
    head.ariaSort = sorted ? (state.ascending ? "ascending" : "descending") : "none";
  }
}

/** Show the rows of one page, and which they are. @param {(row: number) => Node} rowOf @param {number} size */
function showPage(rowOf, size) {
  const start = state.page * size;
  const rows = state.order.slice(start, start + size);
  const end = start + rows.length;
  byId("table").tBodies[0].replaceChildren(...rows.map(rowOf));
  byId("page-at").textContent = rows.length ? `Rows ${start + 1} to ${end}` : "No feature fits this search";
  byId("page-back").disabled = state.page === 0;
  byId("page-on").disabled = end >= state.order.length;
}
