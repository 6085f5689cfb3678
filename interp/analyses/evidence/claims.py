"""Claims about features that hold on unseen items, beside neurons and beside what needs no training labels."""

import pandas as pd

from interp.concepts.evidence import FEATURES, NEURONS
from interp.store.claim import EVIDENCE, Claim
from interp.study.headline import read_headline
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


def attributes(attribute_evidence_table: pd.DataFrame) -> Claim:
    """From the table `attribute_evidence`; the paper's claim of Appendix C, on unseen items."""
    statement = "On unseen items, features follow other attributes too, and better than neurons do."
    criterion = (
        "Holds if, for each attribute, more than half of its values pass the permutation test on unseen items and "
        "the mean correlation there is larger than that of neurons."
    )
    rows = attribute_evidence_table
    if rows.empty:
        return Claim(
            EVIDENCE, statement, criterion, "No other attributes are configured.", None, ("attribute_evidence",)
        )
    texts, holds = [], []
    for name, group in rows.groupby("attribute", sort=False):
        own, neurons = (group[group["source"] == source] for source in (FEATURES, NEURONS))
        texts.append(_what_is_left(str(name), own, neurons))
        better = own["unseen_items"].mean() > neurons["unseen_items"].mean()
        holds.append(better and own["passes"].mean() > 0.5)
    result = f"What is left of the paper's claim: {'; '.join(texts)}."
    return Claim(EVIDENCE, statement, criterion, result, all(holds), ("attribute_evidence",))


def _what_is_left(attribute: str, own: pd.DataFrame, neurons: pd.DataFrame) -> str:
    """Of the correlation as the paper measures it, what is there by chance, and what is left on unseen items."""
    known = own["known"].iloc[0]
    on = f" (on the {known:.0%} of steps whose item has a known value)" if known < 1 else ""
    correlation, null, unseen = (signed(own[name].mean(), ".3f") for name in ("correlation", "null", "unseen_items"))
    return (
        f"{attribute}{on} {correlation} as the paper measures, {null} by chance, {unseen} on unseen items, where "
        f"neurons have {signed(neurons['unseen_items'].mean(), '.3f')}; "
        f"{own['passes'].sum()} of {len(own)} values pass"
    )


def _ahead(sources: pd.DataFrame, source: str, statement: str) -> Claim:
    rows = sources.set_index("source")
    own, other = rows.loc[FEATURES], rows.loc[source]
    low, high = other["ahead_low"], other["ahead_high"]
    numbers = [signed(row["unseen_items"], ".3f") for row in (own, other)]
    result = (
        f"Mean correlation {numbers[0]} against {numbers[1]} ({source}, {other['candidates']} candidates): "
        f"{with_interval(other['ahead'], low, high, '+.3f')}. {_basis(own)}"
    )
    unclear = bool(low <= 0 <= high)
    holds = None if unclear else bool(low > 0)
    return Claim(EVIDENCE, statement, _criterion(source), result, holds, ("evidence_summary",), unclear)


def _criterion(source: str) -> str:
    return (
        f"Holds if the 95% interval of the difference to {source} (users resampled), on items that the candidate was "
        f"not chosen on, lies above 0; cannot tell if it contains 0."
    )


def _basis(row: pd.Series) -> str:
    return f"{row['users']} test users, {row['items']} items."
