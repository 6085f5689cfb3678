"""Least squares for steers: which moves of hidden states raise the scores of some items and leave the others alone.

A re-ranker adds b to the scores of the items of a set and 0 to all others. A move m of the last hidden state changes
the scores by E m, with E the scorer's weights (the item embeddings where they are tied; where scores are not linear,
what the recommender says of a small move). Of all moves, the one with the least collateral is that whose E m is
closest to what the re-ranker adds, where items count by how near they are to the list:

    min over m and c of  Σ_i w_i (e_i · m − b · [i in the set] − c)²

c is free, because an equal change of all scores changes no list. w_i is 1 / (1 + (r_i / 10)²), r_i an item's rank
without or with the boost, whichever is better. Earlier in the model, a move m has the effect E J m, with J the Jacobian
of each user's last hidden state.

Axes: u users, v items, c of them near the list, d hidden size, f features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_last_step
from recmodels.ranking import own_items
from recmodels.sequences import Histories
from recmodels.steady import steady

NEAR, OF_SET = 200, 100  # items of each user that are weighed: the best ones, and the best of the set
BOUNDARY = 10  # the rank from which an item's weight falls off
RIDGE = 0.01  # of the mean diagonal of a Gram matrix
OUT = -1e9  # the score of an item that is left out: finite, so that 0 times it is 0
_USERS = 32  # per pass


@dataclass(frozen=True)
class LastStates:
    """What the scorer reads of some users, and the scores that it makes.

    Attributes:
        hidden: [u, d] at the site "final".
        items: [v, d] weights of the items' scores.
        own: bool [u, v], the items that are left out of each user's list: those of the history, unless `keep_seen`.
        score: [..., d] to [..., v] scores; by default the products with `items`.
    """

    hidden: Tensor
    items: Tensor
    own: Tensor
    score: Callable[[Tensor], Tensor] | None = None

    @classmethod
    @torch.no_grad()
    def of(cls, rec: RecommenderEnvoy, histories: Histories, hidden: Tensor | None = None) -> "LastStates":
        """The states after whole histories, from `last_states` where they are known."""
        model = rec.recommender.model
        items = model.output_weights().detach()
        hidden = last_states(rec, histories) if hidden is None else hidden
        like = hidden.new_empty(1).expand(len(histories), len(items))
        by_weights = model.has_linear_scores and model.output_bias() is None
        return cls(hidden, items, own_items(histories, like, rec.keep_seen), None if by_weights else model.score_hidden)

    @cached_property
    def scores(self) -> Tensor:
        """[u, v], `OUT` for a user's own items."""
        return self.scores_of(self.hidden)

    @cached_property
    def unit(self) -> Tensor:
        """[u, 1] standard deviation of each user's scores: the unit of boosts."""
        return self._scored(self.hidden).std(dim=1, keepdim=True)

    @cached_property
    def probabilities(self) -> Tensor:
        """[u, v] what the recommender itself expects to come next: softmax of the scores."""
        return self.scores.softmax(dim=1)

    def scores_of(self, hidden: Tensor) -> Tensor:
        """[u, v] scores of other hidden states of the same users."""
        return self._scored(hidden).masked_fill(self.own, OUT)

    def _scored(self, hidden: Tensor) -> Tensor:
        return hidden @ self.items.T if self.score is None else self.score(hidden).detach()

    def expected_ndcg(self, lists: np.ndarray) -> np.ndarray:
        """NDCG of lists int [..., u, k] as the unsteered recommender expects it: float [..., u].

        The probability of the item at each place, discounted as NDCG does; no held-out item is needed.
        """
        places = torch.from_numpy(lists).to(self.hidden.device)
        chance = self.probabilities.expand(*lists.shape[:-2], -1, -1).gather(-1, places.clamp_min(0)) * (places >= 0)
        return (chance.cpu().double().numpy() / np.log2(np.arange(2, lists.shape[-1] + 2))).sum(axis=-1)


@torch.no_grad()
def last_states(rec: RecommenderEnvoy, histories: Histories) -> Tensor:
    """The last hidden states after whole histories, [u, d]."""
    return torch.cat([rec.hidden(batch, "final")[:, -1] for batch in histories.batches(4 * _USERS)])


@dataclass(frozen=True)
class NearItems:
    """The items that the equations of each user weigh: the best ones, and the best of the set.

    Attributes:
        vectors: [u, c, d] weights of their scores.
        scores: [u, c] without a boost, `OUT` where an item does not count.
        counts: bool [u, c], not for a user's own items, nor for the second of two equal ones.
        in_set: bool [u, c].
        rank: [u, c] among these, from 0.
        unit: [u, 1], of boosts.
    """

    vectors: Tensor
    scores: Tensor
    counts: Tensor
    in_set: Tensor
    rank: Tensor
    unit: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, states: LastStates, has: np.ndarray) -> "NearItems":
        """Those of some users, for the set `has`, bool [v]."""
        member = torch.from_numpy(has).to(states.own.device)
        near = states.scores.topk(min(NEAR, states.scores.shape[1]), dim=1).indices
        best = states.scores.masked_fill(~member, 2 * OUT).topk(min(OF_SET, int(member.sum())), dim=1).indices
        twice = torch.zeros_like(states.own).scatter_(1, near, True).gather(1, best)
        codes = torch.cat([near, best], dim=1)
        scores = states.scores.gather(1, codes)
        counts = torch.cat([torch.ones_like(near, dtype=torch.bool), ~twice], dim=1) & (scores > OUT / 2)
        scores = scores.masked_fill(~counts, OUT)
        return cls(states.items[codes], scores, counts, member[codes], _ranks(scores), states.unit)

    def gain(self, boost: float) -> Tensor:
        """What a boost adds to the scores, [u, c]."""
        return boost * self.unit * self.in_set

    def best_rank(self, boost: float) -> Tensor:
        """Each item's rank without or with the boost, whichever is better: [u, c]."""
        return torch.minimum(self.rank, _ranks(self.scores + self.gain(boost)))


@torch.no_grad()
def equations(near: NearItems, boost: float, rank: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The normal equations of each user: Gram matrix [u, d, d] and right-hand side [u, d].

    Args:
        near: the items that are weighed.
        boost: what those of the set are to gain, in units of the standard deviation of the user's scores.
        rank: [u, c], from which items are weighed; by default `near.best_rank`.
    """
    gain, vectors = near.gain(boost), near.vectors
    rank = near.best_rank(boost) if rank is None else rank
    weight = near.counts / (1 + (rank / BOUNDARY) ** 2)
    weight = weight / weight.sum(dim=1, keepdim=True)
    mean = (weight[:, None] @ vectors)[:, 0]
    gram = (vectors * weight[..., None]).mT @ vectors - mean[:, :, None] * mean[:, None]
    mean_gain = (weight * gain).sum(dim=1, keepdim=True)
    return gram, ((weight * gain)[:, None] @ vectors)[:, 0] - mean * mean_gain


@torch.no_grad()
def user_moves(near: NearItems, boost: float) -> Tensor:
    """Each user's least-collateral move of the last hidden state: [u, d].

    The equations are solved twice: the second time, items that the first solution lifts by mistake have weight.
    """
    rank = near.best_rank(boost)
    gram, side = equations(near, boost, rank)
    first = torch.linalg.solve(gram + _ridge(gram), side)
    lifted = _ranks(near.scores + (near.vectors @ first[:, :, None])[..., 0])
    gram, side = equations(near, boost, torch.minimum(rank, lifted))
    return torch.linalg.solve(gram + _ridge(gram), side)


@steady()
@torch.no_grad()
def user_jacobians(rec: RecommenderEnvoy, histories: Histories, site: str, step: float) -> Tensor:
    """How each user's last hidden state follows the last step at a site: [u, d (final), d (site)].

    Central differences over ± `step`, which is about the spread of activations.
    """
    d = rec.recommender.model.width(site)
    pushes = step * torch.cat([torch.eye(d), -torch.eye(d)]).to(rec.device)
    parts = []
    for batch in histories.batches(_USERS):
        hidden = rec.hidden(batch, site)
        up, down = score_last_step(rec, batch, site, hidden, hidden[:, -1:] + pushes).split(d, dim=1)
        parts.append(((up - down) / (2 * step)).mT)
    return torch.cat(parts)


def greedy_weights(directions: Tensor, gram: Tensor, side: Tensor, n: int) -> tuple[list[int], Tensor]:
    """The n features that solve min ½ mᵀ gram m − side · m best together, m = Σ weight · direction, and their weights.

    Orthogonal matching pursuit (Pati et al., Asilomar 1993): the feature that lowers the objective most by itself comes
    next, then all weights are solved again.

    Args:
        directions: [f, d].
        gram: [d, d].
        side: [d].
        n: features, at most; features that no longer help are left out.

    Returns:
        The features in order of choice, and their weights [n].
    """
    among, against = directions @ gram @ directions.T, directions @ side
    size = among.diagonal().clamp_min(torch.finfo(among.dtype).tiny)
    chosen: list[int] = []
    weights = against[:0]
    while len(chosen) < min(n, len(directions)):
        rest = against - among[:, chosen] @ weights
        gain = rest**2 / size
        gain[[*chosen, *torch.nonzero(among.diagonal() <= 0)[:, 0].tolist()]] = -1
        best = int(gain.argmax())
        if gain[best] <= 1e-9 * (against**2 / size).max():
            break
        chosen.append(best)
        weights = torch.linalg.solve(among[chosen][:, chosen] + RIDGE * torch.diag(size[chosen]), against[chosen])
    return chosen, weights


def _ranks(scores: Tensor) -> Tensor:
    """Rank of each item of each user, from 0; of equal ones the first is better: float [u, c]."""
    order = scores.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device).expand_as(scores)
    return torch.empty_like(scores).scatter_(1, order, places)


def _ridge(gram: Tensor) -> Tensor:
    """A small multiple of the identity for each Gram matrix."""
    mean = gram.diagonal(dim1=-2, dim2=-1).mean(dim=-1)
    return RIDGE * mean[:, None, None] * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
