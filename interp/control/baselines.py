"""Baselines for steering: other ways to get more of a concept into the lists.

Supervised baselines use the users of the part that trains dictionaries, as linear probes do.

Axes: n rows, d hidden size, b users, e boosts, v items.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts, non_constant_columns
from interp.control.sweeps import SweepPoint, unit
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Push, Steer
from recmodels.progress import tqdm
from recmodels.ranking import top_k, users_at_once
from recmodels.sequences import Histories

USERS = 128  # per pass
RAISED = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
"""Boosts, in standard deviations of a user's scores: fine at first, as a little goes a long way; at the end lists hold
little else, as far as there are such items that a user has not had."""
CUT_OFF = 1e6  # what an item loses that is no candidate: it comes after all candidates


def mean_difference(store: ActivationStore, has: np.ndarray) -> torch.Tensor:
    """From the mean activation of the rows without a concept to that of the rows with it: float [d].

    The simplest supervised direction (Marks and Tegmark, *The Geometry of Truth*, arXiv 2310.06824).

    Args:
        store: activations.
        has: bool [n], whether each row's item has the concept; some but not all of them.
    """
    with_it, without = (store.activations.mean(axis=0, dtype=np.float64, where=rows[:, None]) for rows in (has, ~has))
    return torch.from_numpy(with_it - without).float()


def neuron_direction(d: int, neuron: int, sign: float) -> torch.Tensor:
    """One neuron alone, [d], upwards or downwards as the sign says."""
    direction = torch.zeros(d)
    direction[neuron] = 1.0 if sign >= 0 else -1.0
    return direction


def random_direction(d: int, seed: int) -> torch.Tensor:
    """A random direction without meaning, [d]; all directions are equally likely."""
    return torch.randn(d, generator=torch.Generator().manual_seed(seed))


def baseline_points(
    store: ActivationStore, concepts: Concepts, targets: pd.DataFrame, values: Sequence[float]
) -> list[SweepPoint]:
    """Unit directions of each target's mean difference and of its neuron, added at the last step.

    Args:
        store: activations of the SAE part, for mean differences.
        concepts: what items have; a target that no row or every row has gets no mean difference.
        targets: columns concept, abs_neuron (the neuron with the largest absolute correlation) and
            neuron_abs_correlation (its correlation, whose sign gives the direction).
        values: factors of the directions.

    Returns:
        Doses of the methods "mean_difference" (feature −1) and "neuron" (feature: the neuron's number).
    """
    labels = concepts.labels(store.rows["item"])
    columns = non_constant_columns(labels)
    directions: list[tuple[str, str, int, torch.Tensor]] = []
    for row in targets.itertuples():
        column = concepts.index(row.concept)
        if column in columns:
            directions.append(("mean_difference", row.concept, -1, mean_difference(store, labels[:, column])))
        neuron = int(row.abs_neuron)
        alone = neuron_direction(store.activations.shape[1], neuron, row.neuron_abs_correlation)
        directions.append(("neuron", row.concept, neuron, alone))
    return [
        SweepPoint(method, target, number, value, Steer((Push(unit(direction, store.std), value),), store.site))
        for method, target, number, direction in directions
        for value in values
    ]


@dataclass(frozen=True)
class Raise:
    """Boosts of the items of a set.

    Attributes:
        has: bool [v], the items that are raised.
        boosts: what is added to their scores, in units of the standard deviation of each user's scores.
        candidates: only so many of each user's best items are ranked again, as where a service has cut off the rest; by
            default all.
    """

    has: np.ndarray
    boosts: Sequence[float]
    candidates: int | None = None


def boosted_lists(
    rec: RecommenderEnvoy, histories: Histories, raises: Sequence[Raise], k: int = 10, progress: str | None = None
) -> list[np.ndarray]:
    """Lists where the score of every item of a set is raised by the same amount, as services do today.

    The users are scored once for all sets.

    Args:
        rec: the recommender.
        histories: the users of the lists.
        raises: the sets and boosts.
        k: list length.
        progress: the title of a progress bar; None for no bar.

    Returns:
        Item codes for each of `raises`, int [e, b, k], the users' own items left out unless `keep_seen`.
    """
    lists = [np.empty((len(rule.boosts), len(histories), k), dtype=np.int64) for rule in raises]
    start = 0
    with tqdm(desc=progress, total=len(histories), unit="user", disable=None if progress else True) as bar:
        for batch in histories.batches(users_at_once(len(rec.recommender.vocabulary), USERS)):
            scores, rows = rec.score(batch), slice(start, start + len(batch))
            for place, rule in zip(lists, raises, strict=True):
                place[:, rows] = boosted(scores, batch, rule, k, rec.keep_seen)
            start += len(batch)
            bar.update(len(batch))
    return lists


@torch.no_grad()
def boosted(
    scores: torch.Tensor,
    histories: Histories,
    rule: Raise,
    k: int = 10,
    keep_seen: bool = False,
) -> np.ndarray:
    """The lists int [e, b, k] of `boosted_lists` from scores [b, v] that are known."""
    # A boost keeps the order within the items with the concept and within the others, so the k best of each suffice.
    step, raised = scores.std(dim=1, keepdim=True), torch.from_numpy(rule.has).to(scores.device).expand(scores.shape)
    if rule.candidates is not None:
        codes, _ = top_k(scores, histories, rule.candidates, keep_seen)
        rest = torch.ones_like(scores, dtype=torch.bool)
        rest.scatter_(1, torch.from_numpy(np.where(codes < 0, codes[:, :1], codes)).to(rest.device), False)
        scores, raised = torch.where(rest, scores - CUT_OFF, scores), raised & ~rest
    groups = [top_k(scores.masked_fill(mask, -torch.inf), histories, k, keep_seen) for mask in (~raised, raised)]
    codes, values = (np.concatenate(parts, axis=1) for parts in zip(*groups, strict=True))
    steps = step.cpu().numpy() * np.repeat([True, False], k)
    return np.stack([_best(codes, values + np.float32(boost) * steps, k) for boost in rule.boosts])


def _best(codes: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    """The codes of the k largest values of each row, equal ones by code."""
    return np.take_along_axis(codes, np.lexsort((codes, -values), axis=1)[:, :k], axis=1)
