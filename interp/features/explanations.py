"""Why this item? The features behind one score, and the items that lit them.

Scores are taken relative to the mean over all items: a change of all scores alike moves no list, and counts nothing.
That reference is the one of `interp.features.effects`. It is the same for every item, so that the attributions of two
items subtract to the answer to "why this one rather than that one", and it is linear in the scores, unlike the
log-probability, whose attributions change with how sure the recommender is. What competes for a place in the list is
said by ranks.

Axes: b rows, s steps, f features, v items.
"""

from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnsight import save
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from recmodels.errors import InputError, for_terminal, quote
from recmodels.lists import elements
from recmodels.scalars import whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady

SHOWN = 3  # steps and items of each feature that an explanation shows
POINTS = 3  # at which gradients on a feature's way to 0 are taken


@dataclass(frozen=True)
class Explanation:
    """What made an item's score. Shows itself in Jupyter and in a terminal.

    Attributes:
        item: its id.
        rank: its place among the items that are not in the history, from 1.
        score: its score relative to the mean item.
        features: feature, gradient (activation × gradient of the score, summed over steps), attribution (the same
            with the gradient averaged on the feature's way to 0), ablation (how far the score drops when the feature
            is set to 0 at all steps, measured), score_after and rank_after (of the item, with the feature at 0); the
            largest change by ablation first.
        steps: where each of these features was active: feature, step (0 is the first the model read), item (None at
            BERT4Rec's [MASK]), activation, attribution, share (of the sum of the feature's absolute attributions,
            with the attribution's sign); the largest share of each feature first.
        items: which items light these features at the last step, the one that is scored: feature, item, activation
            (there), drop (of it when the item's embedding is replaced by the mean item's wherever it is, measured:
            leaving the item out would move all others to another position); the largest drop of each feature first.
    """

    item: Any
    rank: int
    score: float
    features: pd.DataFrame
    steps: pd.DataFrame
    items: pd.DataFrame

    def _table(self) -> pd.DataFrame:
        """The features, with the largest shares of their steps and the items that light them most."""
        at, lit_by = [], []
        for feature in self.features["feature"]:
            steps = self.steps[self.steps["feature"] == feature].head(SHOWN)
            items = self.items[(self.items["feature"] == feature) & (self.items["drop"] > 0)].head(SHOWN)
            at.append(
                ", ".join(
                    f"{'[MASK]' if item is None else item} {share:+.0%}"
                    for item, share in zip(steps["item"], steps["share"], strict=True)
                )
            )
            lit_by.append(
                ", ".join(f"{item} {drop:.2f}" for item, drop in zip(items["item"], items["drop"], strict=True))
            )
        return self.features.assign(at=at, lit_by=lit_by)

    def _title(self) -> str:
        return f"item {self.item}: rank {self.rank}, score {self.score:.2f} above the mean item"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self._title()}\n{self._table().to_string(index=False, float_format='{:.3f}'.format)}"

    def _repr_html_(self) -> str:
        table = self._table().to_html(index=False, float_format="{:.3f}".format, border=0)
        return f"<b>{escape(self._title())}</b>{table}"


@steady()
def why(rec: RecommenderEnvoy, history: Any, item: Any, top: int = 10, site: str | None = None) -> Explanation:
    """Explain an item's score for one history by the features of a dictionary, under the steers in force.

    Activation × gradient is taken for all features at all steps in one forward and one backward pass, with the
    dictionary's error kept. For twice the `top` of them by size, the gradient is then averaged on the way on which the
    feature alone is turned down to 0 (integrated gradients, Sundararajan et al., ICML 2017, with a baseline of its own
    for each feature), in one more pass: where scores bend, as behind BERT4Rec's attention to its [MASK], the slope at
    the full activation may have the wrong sign. The `top` of these are ablated, each by itself. A path on which all
    features grow from 0 together agrees with ablations less: it leads through hidden states that no history makes.

    Args:
        rec: the recommender, with a dictionary attached.
        history: one history, in any form.
        item: any item that the recommender knows, recommended or not.
        top: how many features are ablated and reported.
        site: whose dictionary; by default that of the one site that has one.

    Raises:
        InputError: not one history, an unknown item, or no such dictionary.
    """
    one, code = asked(rec, history, item)
    top = whole_number("top", top)
    name = rec.only_site() if site is None else site
    activations, slopes = attributions(rec, one, item, name)
    first = slopes.sum(dim=0)
    candidates = [j for j in first.abs().argsort(descending=True)[: 2 * top].tolist() if first[j] != 0]
    attributed = averaged(rec, one, item, name, candidates)
    total = attributed.sum(dim=0)
    best = total.abs().argsort(descending=True)[:top].tolist()
    chosen = [candidates[place] for place in best]
    # Row 0 is left as it is; each other row lacks one of the features.
    rows = replace(one.select(np.zeros(len(chosen) + 1, dtype=int)), users=pd.RangeIndex(len(chosen) + 1))
    ablations = Steer(tuple(Edit(j, {row: 0.0}, "set", "all") for row, j in enumerate(chosen, start=1)), name)
    with torch.no_grad(), rec.steer(ablations):
        scores = rec.score(rows)
    score, rank = relative(scores, code).tolist(), item_ranks(scores, code, rows)
    features = pd.DataFrame(
        {
            "feature": chosen,
            "gradient": first[chosen].tolist(),
            "attribution": total[best].tolist(),
            "ablation": [score[0] - after for after in score[1:]],
            "score_after": score[1:],
            "rank_after": rank[1:],
        }
    ).sort_values("ablation", key=abs, ascending=False, kind="stable", ignore_index=True)
    order = features["feature"].tolist()
    columns = [candidates.index(j) for j in order]
    steps = _steps(
        order, activations[:, order].cpu().numpy(), attributed[:, columns].cpu().numpy(), rec.item_grid(one)[0]
    )
    return Explanation(item, int(rank[0]), score[0], features, steps, _items(rec, one, order, name))


@steady()
@torch.enable_grad()
def attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str) -> tuple[Tensor, Tensor]:
    """Activations, and activation × gradient of the item's relative score, of all features at all steps: [s, f] each.

    Arguments and errors as in `why`.
    """
    one, code = asked(rec, history, item)
    envoy: Any = rec.site(site)
    with rec.trace(one):
        features = save(envoy.features.detach().clone().requires_grad_())
        envoy.features = features
        scores = save(rec.scores)
    (gradient,) = torch.autograd.grad(relative(scores, code).sum(), features)
    return features.detach()[0], (features.detach() * gradient)[0]


@steady()
@torch.enable_grad()
def averaged(rec: RecommenderEnvoy, history: Any, item: Any, site: str, features: list[int]) -> Tensor:
    """Activation × gradient of some features at all steps, averaged while each alone is turned down to 0: [s, n].

    Summed over steps it is what an ablation changes, but for what `POINTS` of the way leave out. Other arguments and
    errors as in `why`.
    """
    one, code = asked(rec, history, item)
    envoy: Any = rec.site(site)
    nodes, weights = (torch.from_numpy(part).float() / 2 for part in np.polynomial.legendre.leggauss(POINTS))
    row = torch.arange(len(features) * POINTS)
    column = torch.tensor(features, dtype=torch.long).repeat_interleave(POINTS)
    kept = torch.ones(len(row), 1, envoy.sae.n_features)
    kept[row, 0, column] = (0.5 + nodes).repeat(len(features))
    kept = kept.to(rec.device)
    with rec.trace(one.select(np.zeros(len(row), dtype=int))):
        whole = save(envoy.features.detach().clone())
        changed = save((whole * kept).requires_grad_())
        envoy.features = changed
        scores = save(rec.scores)
    (gradient,) = torch.autograd.grad(relative(scores, code).sum(), changed)
    slopes = gradient[row, :, column].reshape(len(features), POINTS, -1)
    mean = torch.einsum("nps,p->sn", slopes, weights.to(slopes))
    return whole.detach()[0][:, features] * mean


def asked(rec: RecommenderEnvoy, history: Any, item: Any) -> tuple[Histories, int]:
    """The one history, and the item's code."""
    one = rec.recommender.histories(history)
    if len(one) != 1:
        raise InputError(f"{len(one)} histories were given: ask about one at a time")
    if elements(item) is not None:
        raise InputError(f"{quote(item)} is not an item: ask about one at a time")
    return one, int(rec.recommender.vocabulary.encode([item])[0])


def relative(scores: Tensor, code: int) -> Tensor:
    """[b, v] scores to one item's [b], relative to the mean item."""
    return scores[:, code] - scores.mean(dim=1)


def seen(rows: Histories, like: Tensor) -> Tensor:
    """Which items are in each row's history: bool [b, v]."""
    seen = torch.zeros(like.shape, dtype=torch.bool)
    seen[torch.from_numpy(np.repeat(np.arange(len(rows)), rows.lengths)), torch.from_numpy(rows.codes).long()] = True
    return seen.to(like.device)


def item_ranks(scores: Tensor, code: int, rows: Histories) -> np.ndarray:
    """An item's place in each row's list, the history's items left out, equal scores by item code: int [b]."""
    mine = scores[:, code, None]
    before = torch.arange(scores.shape[1], device=scores.device) < code
    better = (scores > mine) | ((scores == mine) & before)
    return 1 + (better & ~seen(rows, scores)).sum(dim=1).cpu().numpy()


def _steps(features: list[int], activations: np.ndarray, attributed: np.ndarray, items: np.ndarray) -> pd.DataFrame:
    """Where these features were active, from their columns of [s, n] activations and attributions."""
    n, step = np.nonzero(activations.T)
    total = np.abs(attributed).sum(axis=0)
    rows = pd.DataFrame(
        {
            "feature": np.array(features, dtype=int)[n],
            "step": step,
            "item": pd.Series(items[step], dtype=object),
            "activation": activations[step, n],
            "attribution": attributed[step, n],
            "share": np.divide(attributed[step, n], total[n], out=np.zeros_like(total[n]), where=total[n] > 0),
        }
    )
    return rows.iloc[np.lexsort((-rows["share"].abs(), n))].reset_index(drop=True)


def _items(rec: RecommenderEnvoy, one: Histories, features: list[int], site: str) -> pd.DataFrame:
    """How far these features fall at the last step when each item that the model reads is made the mean item."""
    grid, envoy = rec.item_grid(one)[0], rec.site(site)
    read = pd.unique(grid[rec.item_steps(one)[0].numpy()])
    # Row 0 is left as it is.
    hidden = torch.from_numpy(np.stack([grid == item for item in [object(), *read]]))[..., None].to(rec.device)
    mean = rec.recommender.model.item_embeddings().mean(dim=0)
    with torch.no_grad(), rec.trace(one.select(np.zeros(len(hidden), dtype=int))):
        rec.embedding.output = torch.where(hidden, mean, rec.embedding.output)
        last = save(envoy.features[:, -1])
    activation = last[:, features].cpu().numpy()
    drop = (activation[0] - activation[1:]).T.ravel()
    n = np.arange(len(features)).repeat(len(read))
    rows = pd.DataFrame(
        {
            "feature": np.array(features, dtype=int)[n],
            "item": np.tile(read, len(features)),
            "activation": activation[0][n],
            "drop": drop,
        }
    )
    return rows.iloc[np.lexsort((-drop, n))].reset_index(drop=True)
