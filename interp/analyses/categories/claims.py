"""Claims about what features stand for beyond the concepts (paper section 7.2.2)."""

import pandas as pd

from interp.concepts.alignment import UNALIGNED
from interp.store.claim import Claim

P_TOP = 0.5  # p_top100 from which on a feature stands for a category; the paper's examples have 0.58 to 0.98
SEVERAL = 2


def beyond_the_concepts(cases_table: pd.DataFrame) -> Claim:
    """Section 7.2.2, from the table `cases`."""
    statement = "Some features stand for categories beyond the concepts, such as a film series, a language or a decade."
    criterion = (
        f"Holds if a feature has p_top100 of at least {P_TOP:g} and a correlation of at least {UNALIGNED:g} for a "
        f"category of any kind but a single item, and features for it that are chosen on half of the items reach "
        f"{UNALIGNED:g} on the other half."
    )
    rows = cases_table[cases_table["kind"] != "item"]
    if rows.empty:
        return Claim("7.2.2", statement, criterion, "The items have no such categories.", None, ("cases",))
    # What nearly every item has takes a large share of any activation: that alone names nothing.
    best = _best_cases(rows[(rows["correlation"] >= UNALIGNED) & (rows["unseen_items"] >= UNALIGNED)])
    if best.empty:
        reason = f"No category has a feature with a correlation of at least {UNALIGNED:g}, on unseen items too."
        return Claim("7.2.2", statement, criterion, reason, False, ("cases",))
    return Claim("7.2.2", statement, criterion, _largest(best), bool((best["p_top100"] >= P_TOP).any()), ("cases",))


def single_items(cases_table: pd.DataFrame) -> Claim:
    """Section 7.2.2, from the table `cases`."""
    statement = "A number of features activate predominantly on one popular item."
    criterion = f"Holds if at least {SEVERAL} features have p_top100 of at least {P_TOP:g} for a single item."
    rows = cases_table[cases_table["kind"] == "item"]
    if rows.empty:
        return Claim("7.2.2", statement, criterion, "No item is frequent enough to be tested.", None, ("cases",))
    predominant = rows[rows["p_top100"] >= P_TOP]
    result = f"True for {len(predominant)} of the {len(rows)} best-aligned features. {_largest(_best_cases(rows))}"
    return Claim("7.2.2", statement, criterion, result, len(predominant) >= SEVERAL, ("cases",))


def _best_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """Of every kind, the case with the largest p_top100."""
    return cases.sort_values("p_top100", ascending=False).drop_duplicates("kind").sort_values("kind")


def _largest(best: pd.DataFrame) -> str:
    texts = [f"{row.kind} {row.concept} {row.p_top100:.2f}" for row in best.itertuples()]
    return f"Largest p_top100: {'; '.join(texts)}."
