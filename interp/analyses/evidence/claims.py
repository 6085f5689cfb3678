"""Claims about features that hold on unseen items, beside neurons and beside what needs no training labels."""

import pandas as pd

from interp.concepts.evidence import FEATURES, NEURONS
from interp.store.claim import EVIDENCE, Claim
from interp.study.headline import read_headline
from recmodels.bootstrap import FEWEST, is_above_zero
from recmodels.wording import signed, with_interval


def above_chance(evidence_summary_table: pd.DataFrame) -> Claim:
    """From the table `evidence_summary`."""
    rows = evidence_summary_table.set_index("source")
    own, neurons = rows.loc[FEATURES], rows.loc[NEURONS]
    return Claim(
        EVIDENCE,
        "Most concepts have a feature that follows them above chance on unseen items.",
        "Holds if more than half of the concepts pass the permutation test at a false discovery rate of 5%.",
        f"{own['passes']} of {own['concepts']} concepts pass (neurons: {neurons['passes']}); as the paper measures, "
        f"{own['above_null']} are above their null. {_basis(own)}",
        bool(own["passes"] > own["concepts"] / 2),
        ("evidence_summary", "evidence"),
    )


def ahead_of_neurons(evidence_summary_table: pd.DataFrame) -> Claim:
    """From the table `evidence_summary`."""
    statement = "On unseen items, features follow concepts better on average than neurons do."
    return _ahead(evidence_summary_table, NEURONS, statement)


def ahead_of_baselines(evidence_summary_table: pd.DataFrame) -> Claim:
    """From the table `evidence_summary`."""
    statement = "On unseen items, features follow concepts better on average than the best unsupervised baseline does."
    best = read_headline(evidence_summary_table).baseline
    if best is None:
        reason = "The study has no baselines."
        return Claim(EVIDENCE, statement, _criterion("baseline"), reason, None, ("evidence_summary",))
    return _ahead(evidence_summary_table, best.source, statement)


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


def _ahead(sources: pd.DataFrame, source: str, statement: str) -> Claim:
    rows = sources.set_index("source")
    own, other = rows.loc[FEATURES], rows.loc[source]
    low, high = other["ahead_low"], other["ahead_high"]
    holds = is_above_zero(low, high, own["users"])
    numbers = [signed(row["unseen_items"], ".3f") for row in (own, other)]
    result = (
        f"Mean correlation {numbers[0]} against {numbers[1]} ({source}, {other['candidates']} candidates): "
        f"{with_interval(other['ahead'], low, high, '+.3f')}. {_basis(own)}"
    )
    return Claim(EVIDENCE, statement, _criterion(source), result, holds, ("evidence_summary",), holds is None)


def _criterion(source: str) -> str:
    return (
        f"Holds if the 95% interval of the difference to {source} (users resampled), on items that the candidate was "
        f"not chosen on, lies above 0; cannot tell if it contains 0, or there are fewer than {FEWEST} users."
    )


def _basis(row: pd.Series) -> str:
    return f"{row['users']} test users, {row['items']} items."
