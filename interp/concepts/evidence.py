"""Whether candidates follow concepts beyond what a search among many finds by chance, and on items not chosen on.

For each concept, of all candidates (features, neurons, random or ICA directions):

- **as the paper**: the largest correlation over all rows. It was maximised over candidates on the rows that it is
  measured on.
- **null**: the same search after the concepts of each item were given to another item that is about as popular,
  `PERMUTATIONS` times. p = (1 + b)/(1 + B), for b of B permutations that reach the measured value.
- **unseen items**: chosen on half of the items, measured on the other half; the mean over both and over `REPEATS`
  pairs of halves. Its null is the same again on permuted concepts; its interval comes from resampling users.
- **unseen users**: chosen on the users of another part. **Unseen both**: chosen on other users and other items.

Axes: n rows (one user at one step), i items, f candidates, c concepts, r repeats, b resamples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy

from interp.concepts import Concepts, non_constant_columns
from interp.concepts.alignment import Activations
from interp.concepts.cross_fit import Fit, ItemLabels
from interp.concepts.item_folds import item_halves, permutations, popularity_deciles
from interp.concepts.item_sums import ItemSums, active_sums, item_sums, rank_sums
from interp.concepts.resampling import cross_fitted_auc, resampled_correlations
from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval
from recmodels.errors import InputError
from recmodels.progress import tqdm

REPEATS = 5  # pairs of halves of the items
PERMUTATIONS = 1000
RESAMPLES = 1000
FALSE_DISCOVERIES = 0.05  # expected share of concepts that pass by chance (Benjamini and Hochberg 1995)
SEED = 0
FEATURES, NEURONS = "features", "neurons"  # candidates that every study has
ROUNDING = 1e-5  # of correlations in single precision


@dataclass(frozen=True)
class Rows:
    """Activations of one part of the users.

    Attributes:
        activations: [n, f], sparse and not negative, or dense of any sign.
        items: [n], item ids.
        users: [n], user ids.
    """

    activations: Activations
    items: np.ndarray
    users: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """What is known of one set of candidates.

    Attributes:
        concepts: one row per concept, see `evidence_of`.
        candidates: one row per candidate, see `evidence_of`.
        resamples: float64 [b, c], the correlations on unseen items with the users of each resample. The users of
            resample number k are the same for all sets of candidates on the same rows, so that differences are paired.
    """

    concepts: pd.DataFrame
    candidates: pd.DataFrame
    resamples: np.ndarray


class ItemTest:
    """The items and labels on which candidates are tested, the same for all sets of candidates.

    Args:
        concepts: which item has which.
        items: [n], the item of each row that is measured on.
        others: [m], those of the rows of other users.

    Raises:
        InputError: every concept is on all rows or on none.
    """

    def __init__(self, concepts: Concepts, items: np.ndarray, others: np.ndarray) -> None:
        self.row, self.items = pd.factorize(np.asarray(items))
        self.count = np.bincount(self.row).astype(np.float64)
        labels = concepts.labels(self.items)
        columns = non_constant_columns(labels)
        if not len(columns):
            raise InputError("every concept is on all rows or on none: choose another attribute")
        self.names = [concepts.names[column] for column in columns]
        self.labels = labels[:, columns]
        self.deciles = popularity_deciles(self.count)
        rng = np.random.default_rng(SEED)
        self.halves = item_halves(self.labels, self.deciles, REPEATS, rng)
        _, self.other_items = pd.factorize(np.asarray(others))
        self.other_labels = concepts.labels(self.other_items)[:, columns]
        places = pd.Index(self.items).get_indexer(self.other_items)
        # An item that only other users have is in either half.
        self.other_halves = np.where(places >= 0, self.halves[:, places], rng.random((REPEATS, len(places))) < 0.5)

    @property
    def orders(self) -> Iterator[np.ndarray]:
        """The permutations of the items, the same each time."""
        return permutations(self.deciles, PERMUTATIONS, np.random.default_rng(SEED + 1))

    @cached_property
    def holders(self) -> tuple[np.ndarray, np.ndarray]:
        """The number of a concept and of an item that has it, a pair for each, concept by concept."""
        concept, item = np.nonzero(self.labels.T)
        return concept, item

    @cached_property
    def row_labels(self) -> np.ndarray:
        """bool [n, c]."""
        return self.labels[self.row]


def passing(evidence: pd.DataFrame) -> set[str]:
    """The concepts that a feature follows above chance on unseen items, of the table `evidence`."""
    return set(evidence.loc[(evidence["source"] == FEATURES) & evidence["passes"], "concept"])


def evidence_of(test: ItemTest, rows: Rows, others: Rows, name: str = "candidates") -> Evidence:
    """Test every candidate against every concept.

    Args:
        test: the items of `rows` and `others`, and their labels.
        rows: what is measured.
        others: the same candidates on other users, on whom they are chosen for the numbers on unseen users.
        name: what the candidates are, for the progress bar.

    Returns:
        Of each concept: `concept`, `popularity` (share of rows), `items` (of the rows that have it); as the paper,
        `candidate`, `correlation`, `auc`, `sensitivity`, each of the last three with the mean of its null
        (`null`, `auc_null`, `sensitivity_null`) and its p-value (`p`, `auc_p`, `sensitivity_p`); `unseen_items` with
        `unseen_items_low`, `unseen_items_high` (95%), `unseen_items_null`, `unseen_items_p`, `unseen_items_q` (false
        discovery rate over concepts) and `unseen_items_auc`; `unseen_users`, `unseen_both`; and `passes`, whether the
        correlation on unseen items is above chance at a false discovery rate of 5%.
        Of each candidate: `candidate`, `active_items` (how many items it is active on), `unseen_items` (the correlation
        with the concept that is chosen on other items), `p`, `q` (over the candidates that are active) and `passes`.

    Raises:
        InputError: the row counts differ.
    """
    fit, sums = _fit(ItemLabels(test.labels, test.halves), rows)
    other_fit, _ = _fit(ItemLabels(test.other_labels, test.other_halves), others)
    choices, unseen_items = fit.by_concept()
    ranks, active = (sum_up(rows.activations, rows.items, np.float32) for sum_up in (rank_sums, active_sums))
    observed = _observed(test, rows, fit)
    of_candidates = fit.by_candidate()[1]
    null = _null(test, observed | {"unseen_items": unseen_items}, of_candidates, sums, ranks, active, name)

    codes, users = pd.factorize(np.asarray(rows.users))
    weights = bootstrap_counts(len(users), Resampling(RESAMPLES, seed=SEED))
    measured = (rows.activations, test.row_labels, test.halves[:, test.row], choices)
    resamples = resampled_correlations(*measured, codes, weights)
    low, high = percentile_interval(resamples)
    q = scipy.stats.false_discovery_control(null.p["unseen_items"])
    table = pd.DataFrame(
        {
            "concept": test.names,
            "popularity": test.row_labels.mean(axis=0),
            "items": test.labels.sum(axis=0),
            "candidate": fit.whole.argmax(axis=1),
            **observed,
            **{_name(key, "null"): null.mean[key] for key in observed},
            **{_name(key, "p"): null.p[key] for key in observed},
            "unseen_items": unseen_items,
            "unseen_items_low": low,
            "unseen_items_high": high,
            "unseen_items_null": null.mean["unseen_items"],
            "unseen_items_p": null.p["unseen_items"],
            "unseen_items_q": q,
            "unseen_items_auc": cross_fitted_auc(*measured),
            "unseen_users": fit.whole[np.arange(len(test.names)), other_fit.whole.argmax(axis=1)],
            "unseen_both": fit.by_concept(chosen_on=other_fit)[1],
            "passes": (q <= FALSE_DISCOVERIES) & (unseen_items > 0),
        }
    )
    candidates = _candidates((active > 0).sum(axis=0), of_candidates, null.candidate_p)
    return Evidence(table, candidates, resamples)


@dataclass(frozen=True)
class _Null:
    """What permuted concepts give: by name of the score, the mean [c] and the p-value [c]; and p-values [f]."""

    mean: dict[str, np.ndarray]
    p: dict[str, np.ndarray]
    candidate_p: np.ndarray


def _fit(labels: ItemLabels, rows: Rows) -> tuple[Fit, ItemSums]:
    """The correlations of rows, in double precision, and the sums by item that permutations need, in single."""
    parts: list[Fit] = []
    sums = item_sums(rows.activations, rows.items, np.float32, lambda block: parts.append(labels.fit(block)))
    return Fit.joined(parts), sums


def _null(
    test: ItemTest,
    observed: Mapping[str, np.ndarray],
    of_candidates: np.ndarray,
    sums: ItemSums,
    ranks: np.ndarray,
    active: np.ndarray,
    name: str,
) -> _Null:
    """Repeat every search on permuted concepts; p = (1 + b)/(1 + B) (Phipson and Smyth 2010).

    Args:
        test: the items and their labels.
        observed: by score, what was measured [c].
        of_candidates: what was measured of each candidate on items that its concept was not chosen on, [f].
        sums, ranks, active: the candidates by item, in single precision.
        name: what they are, for the progress bar.
    """
    total = {key: np.zeros(len(test.names)) for key in observed}
    reached = {key: np.ones(len(test.names)) for key in observed}
    reached_by_candidate = np.ones(len(of_candidates))
    labels = ItemLabels(test.labels, test.halves, np.float32)
    for order in tqdm(test.orders, desc=f"null of {name}", total=PERMUTATIONS, unit="permutation"):
        permuted = labels.fit(sums, order)
        scores = _top(permuted, test, ranks, active, order) | {"unseen_items": permuted.by_concept()[1]}
        for key, values in scores.items():
            total[key] += values
            reached[key] += values >= observed[key] - ROUNDING
        reached_by_candidate += permuted.by_candidate()[1] >= of_candidates - ROUNDING
    return _Null(
        {key: values / PERMUTATIONS for key, values in total.items()},
        {key: values / (1 + PERMUTATIONS) for key, values in reached.items()},
        reached_by_candidate / (1 + PERMUTATIONS),
    )


def _observed(test: ItemTest, rows: Rows, fit: Fit) -> dict[str, np.ndarray]:
    """`_top` of the concepts as they are, in double precision; only the best candidates are ranked."""
    best = fit.whole.argmax(axis=1)
    alone = Fit(fit.whole[:, best], fit.halves)  # concept number c is best fitted by candidate number c of these
    sums = (sum_up(rows.activations[:, best], rows.items) for sum_up in (rank_sums, active_sums))
    return _top(alone, test, *sums)


def _top(
    fit: Fit, test: ItemTest, ranks: np.ndarray, active: np.ndarray, order: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Scores [c] of the candidate with the largest correlation, as in the paper's Table 2.

    Args:
        fit: the correlations.
        test: the items and their labels.
        ranks, active: sums by item [i, f].
        order: int [i]; item number k has the labels of item number order[k].
    """
    best, count = fit.whole.argmax(axis=1), test.count
    places = np.arange(len(count))
    if order is not None:
        places[order] = np.arange(len(order))
    concept, item = test.holders
    starts, candidate, holders = np.flatnonzero(np.diff(concept, prepend=-1)), best[concept], places[item]
    positives = np.add.reduceat(count[holders], starts)
    rank_sum, active_rows = (
        np.add.reduceat(sums[holders, candidate], starts, dtype=np.float64) for sums in (ranks, active)
    )
    return {
        "correlation": fit.whole[np.arange(len(best)), best],
        "auc": 0.5 + rank_sum / (positives * (count.sum() - positives)),
        "sensitivity": active_rows / positives,
    }


def _name(key: str, suffix: str) -> str:
    return suffix if key == "correlation" else f"{key}_{suffix}"


def _candidates(active_items: np.ndarray, unseen_items: np.ndarray, p: np.ndarray) -> pd.DataFrame:
    tested = active_items > 0
    q = np.ones(len(p))
    if tested.any():
        q[tested] = scipy.stats.false_discovery_control(p[tested])
    return pd.DataFrame(
        {
            "candidate": np.arange(len(p)),
            "active_items": active_items,
            "unseen_items": unseen_items,
            "p": p,
            "q": q,
            "passes": (q <= FALSE_DISCOVERIES) & (unseen_items > 0),
        }
    )
