"""What features do for one item's score after one history: gradients, their averages on the way to 0, and ablations.

Scores are relative to the mean over all items, because an equal change of all scores changes no list; the same holds in
`interp.features.effects`. The reference is the same for every item, so the difference of the attributions of two items
explains why one is above the other. It is linear in the scores, unlike the log-probability, whose attributions depend
on the recommender's certainty. Ranks show the competition for places in the list.

Axes: s steps, f features, v items, r rows (changed copies of the history), n of the features.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_steps
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.errors import InputError, quote
from recmodels.lists import elements
from recmodels.ranking import own_items
from recmodels.sequences import Histories
from recmodels.steady import steady

POINTS = 3  # points between a feature's activation and 0 where gradients are taken


@dataclass(frozen=True)
class Place:
    """One history at a site, and the item whose score is explained there.

    Attributes:
        rec: the recommender.
        history: the one history.
        code: the item.
        site: where.
        hidden: [s, d] hidden states under the steers in force.
    """

    rec: RecommenderEnvoy
    history: Histories
    code: int
    site: str
    hidden: Tensor

    @classmethod
    def of(cls, rec: RecommenderEnvoy, history: Any, item: Any, site: str) -> "Place":
        """Errors as in `one_history_and_code`."""
        sequence, code = one_history_and_code(rec, history, item)
        return cls(rec, sequence, code, rec.site(site).name, rec.hidden(sequence, site)[0])

    @property
    def sae(self) -> SparseAutoencoder:
        """The dictionary there."""
        return self.rec.site(self.site).sae

    @cached_property
    def features(self) -> Tensor:
        """[s, f]."""
        return self.sae.encode(self.hidden)

    def without(self, features: list[int], amounts: Tensor) -> Tensor:
        """Hidden states [r, s, d] in which feature number r is at these activations [r, s]; the error is kept."""
        changes = amounts - self.features[:, features].T
        return self.hidden + changes[..., None] * self.sae.directions[features][:, None]

    def scores(self, hidden: Tensor) -> Tensor:
        """[r, v] scores of hidden states [r, s, d]."""
        return score_steps(self.rec, self.history, self.site, hidden)

    def ranks(self, scores: Tensor) -> np.ndarray:
        """The item's rank in each row: int [r]."""
        rows = self.history.select(np.zeros(len(scores), dtype=int))
        return item_ranks(scores, self.code, rows, self.rec.keep_seen)


class Ablated(NamedTuple):
    """What the strongest features do for the item.

    Attributes:
        rank: of the item, with all features as they are.
        score: the same, relative to the mean item.
        features: as in `interp.features.explanations.Explanation`.
        attributions: [s, n] average attributions of these features.
        without: the relative score with all of them at 0.
    """

    rank: int
    score: float
    features: pd.DataFrame
    attributions: Tensor
    without: float


class Strongest(NamedTuple):
    """The features with the largest attributions.

    Attributes:
        features: their numbers, the largest sum of average attributions first.
        gradients: [n] activation × gradient, summed over steps.
        averages: [s, n] average attributions.
    """

    features: list[int]
    gradients: Tensor
    averages: Tensor


@steady()
def strongest(place: Place, top: int) -> Strongest:
    """The `top` features with the largest average attributions, of the 2 · `top` with the largest gradients."""
    gradients = _slopes(place).mul_(place.features).sum(dim=0)
    candidates = [j for j in gradients.abs().argsort(descending=True)[: 2 * top].tolist() if gradients[j] != 0]
    averages = _averages(place, candidates)
    best = averages.sum(dim=0).abs().argsort(descending=True)[:top].tolist()
    chosen = [candidates[column] for column in best]
    return Strongest(chosen, gradients[chosen], averages[:, best])


@steady()
def ablated(place: Place, top: int) -> Ablated:
    """Take the features with the largest attributions away, one at a time and together."""
    chosen, gradients, averages = strongest(place, top)
    with torch.no_grad():
        hidden = place.without(chosen, torch.zeros(len(chosen), len(place.hidden), device=place.hidden.device))
        of_all = place.features[:, chosen] @ place.sae.directions[chosen]
        # Row 0 is left as it is; each other row lacks one of the features, and the last one all of them.
        scores = place.scores(torch.cat([place.hidden[None], hidden, (place.hidden - of_all)[None]]))
    (*score, without), rank = relative_scores(scores, place.code).tolist(), place.ranks(scores)[:-1]
    features = pd.DataFrame(
        {
            "feature": chosen,
            "gradient": gradients.tolist(),
            "attribution": averages.sum(dim=0).tolist(),
            "ablation": [score[0] - after for after in score[1:]],
            "score_after": score[1:],
            "rank_after": rank[1:],
        }
    ).sort_values("ablation", key=abs, ascending=False, kind="stable", ignore_index=True)
    ordered = averages[:, [chosen.index(j) for j in features["feature"]]]
    return Ablated(int(rank[0]), score[0], features, ordered, without)


@torch.enable_grad()
def _slopes(place: Place) -> Tensor:
    """The gradient of the item's relative score by every feature at every step: [s, f]."""
    hidden = place.hidden[None].detach().requires_grad_()
    (slope,) = torch.autograd.grad(relative_scores(place.scores(hidden), place.code).sum(), hidden)
    return slope[0] @ place.sae.directions.T


@torch.enable_grad()
def _averages(place: Place, features: list[int]) -> Tensor:
    """Activation × gradient of some features at all steps, averaged while each alone goes down to 0: [s, n]."""
    nodes, weights = (torch.from_numpy(part).float() / 2 for part in np.polynomial.legendre.leggauss(POINTS))
    activations, several = place.features[:, features].T, [j for j in features for _ in range(POINTS)]  # [n, s]
    factors = (0.5 + nodes).to(activations).repeat(len(features))[:, None]
    amounts = (activations.repeat_interleave(POINTS, dim=0) * factors).detach().requires_grad_()
    scores = place.scores(place.without(several, amounts))
    (slopes,) = torch.autograd.grad(relative_scores(scores, place.code).sum(), amounts)
    mean = torch.einsum("nps,p->sn", slopes.view(len(features), POINTS, -1), weights.to(slopes))
    return activations.T * mean


@steady()
def attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str) -> tuple[Tensor, Tensor]:
    """Activations, and activation × gradient of the item's relative score, of all features at all steps: [s, f] each.

    Arguments and errors as in `interp.features.explanations.why`.
    """
    place = Place.of(rec, history, item, site)
    return place.features, place.features * _slopes(place)


@steady()
def average_attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str, features: list[int]) -> Tensor:
    """Activation × gradient of some features at all steps, averaged while each alone goes down to 0: [s, n].

    Its sum over steps approximates the change by an ablation, from `POINTS` points. Other arguments and errors as in
    `why`.
    """
    return _averages(Place.of(rec, history, item, site), features)


def one_history_and_code(rec: RecommenderEnvoy, history: Any, item: Any) -> tuple[Histories, int]:
    """A single history as `Histories`, and the item's code.

    Raises:
        InputError: not exactly one history or one item, or an unknown item.
    """
    sequence = rec.recommender.histories(history)
    if len(sequence) != 1:
        raise InputError(f"{len(sequence)} histories were given: ask about one at a time")
    if elements(item) is not None:
        raise InputError(f"{quote(item)} is not an item: ask about one at a time")
    return sequence, int(rec.recommender.vocabulary.encode([item])[0])


def relative_scores(scores: Tensor, code: int) -> Tensor:
    """[b, v] scores to one item's [b], relative to the mean item."""
    return scores[:, code] - scores.mean(dim=1)


def item_ranks(scores: Tensor, code: int, rows: Histories, keep_seen: bool) -> np.ndarray:
    """An item's place in each row's list, equal scores by item code: int [b].

    The history's items are left out of the list, unless `keep_seen`.
    """
    item_scores = scores[:, code, None]
    earlier_code = torch.arange(scores.shape[1], device=scores.device) < code
    better = (scores > item_scores) | ((scores == item_scores) & earlier_code)
    return 1 + (better & ~own_items(rows, scores, keep_seen)).sum(dim=1).cpu().numpy()
