"""The claim of the paper's Appendix C, on unseen items."""

import pandas as pd

from interp.concepts.evidence import FEATURES, NEURONS
from interp.store.claim import EVIDENCE, Claim
from recmodels.bootstrap import FEWEST, is_above_zero
from recmodels.wording import signed, with_interval


def attributes(attribute_summary_table: pd.DataFrame) -> Claim:
    """From the table `attribute_summary`; the paper's claim of Appendix C, on unseen items."""
    statement = "On unseen items, features follow other attributes too, and better than neurons do."
    criterion = (
        "Holds if, for each attribute, more than half of its values pass the permutation test on unseen items and "
        "the 95% interval of the mean difference to neurons there (users resampled) lies above 0; cannot tell if no "
        f"attribute fails, but an interval contains 0, or there are fewer than {FEWEST} users."
    )
    rows, tables = attribute_summary_table, ("attribute_summary", "attribute_evidence")
    if rows.empty:
        return Claim(EVIDENCE, statement, criterion, "No other attributes are configured.", None, tables)
    texts: list[str] = []
    fails, unclear = False, False
    for name, group in rows.groupby("attribute", sort=False):
        by_source = group.set_index("source")
        own, neurons = by_source.loc[FEATURES], by_source.loc[NEURONS]
        texts.append(_what_is_left(str(name), own, neurons))
        is_ahead = is_above_zero(neurons["ahead_low"], neurons["ahead_high"], own["users"])
        fails |= is_ahead is False or bool(own["passes"] <= own["values"] / 2)
        unclear |= is_ahead is None
    unclear &= not fails
    result = f"What is left of the paper's claim: {'; '.join(texts)}."
    return Claim(EVIDENCE, statement, criterion, result, None if unclear else not fails, tables, unclear)


def _what_is_left(attribute: str, own: pd.Series, neurons: pd.Series) -> str:
    """Of the correlation as the paper measures it, what is there by chance, and what is left on unseen items."""
    on = f" (on the {own['known']:.0%} of steps whose item has a known value)" if own["known"] < 1 else ""
    lead = with_interval(neurons["ahead"], neurons["ahead_low"], neurons["ahead_high"], "+.3f")
    correlation, null, unseen = (signed(own[name], ".3f") for name in ("correlation", "null", "unseen_items"))
    return (
        f"{attribute}{on} {correlation} as the paper measures, {null} by chance, {unseen} on unseen items, where "
        f"neurons have {signed(neurons['unseen_items'], '.3f')} ({lead}); "
        f"{own['passes']} of {own['values']} values pass"
    )
