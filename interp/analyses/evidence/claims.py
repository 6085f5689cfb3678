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
