"""Explanations of one score: the features behind it, and the items that activate them.

Scores are relative to the mean over all items, because an equal change of all scores changes no list; the same holds in
`interp.features.effects`. The reference is the same for every item, so the difference of the attributions of two items
explains why one is above the other. It is linear in the scores, unlike the log-probability, whose attributions depend
on the recommender's certainty. Ranks show the competition for places in the list.

Axes: b rows, s steps, f features, v items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnsight import save
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_steps
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.errors import InputError, for_terminal, quote
from recmodels.lists import elements
from recmodels.ranking import own_items
from recmodels.scalars import whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady

LONGEST = 40  # characters of a title that are shown
SHOWN = 3  # steps and items of each feature that an explanation shows
NO_ITEMS = (
    '; which items activate a feature is not measured, as the site "embedding" of this recommender does not give the '
    "vectors of items"
)
POINTS = 3  # points between a feature's activation and 0 where gradients are taken


@dataclass(frozen=True)
class Explanation:
    """The explanation of an item's score. It has a display for Jupyter and for a terminal.

    Attributes:
        item: its id.
        rank: its place among the items that a list may have (not those of the history, unless `keep_seen`), from 1.
        score: its score relative to the mean item.
        features: feature, gradient (activation × gradient of the score, summed over steps), attribution (the same
            with the gradient averaged between the feature's activation and 0), ablation (the measured drop of the score
            when the feature is set to 0 at all steps), score_after and rank_after (of the item, with the feature at 0);
            the largest change by ablation first.
        steps: where each of these features was active: feature, step (0 is the first the model read), item (None at
            BERT4Rec's [MASK]), activation, attribution, share (of the sum of the feature's absolute attributions,
            with the attribution's sign); the largest share of each feature first.
        items: the items that activate these features at the last step, which is scored: feature, item, activation
            (there), drop (the measured drop of the activation when the item's embedding is replaced by the mean
            embedding; leaving the item out would move all others to another position); the largest drop of each
            feature first. Empty where the recommender's site "embedding" does not give the vectors of items.
        score_without: the score with all of these features at 0 at all steps: what they do not explain together.
        titles: item → title, for the display; items without one are shown by their ids.
        names: feature → name, for the display.
    """

    item: Any
    rank: int
    score: float
    features: pd.DataFrame
    steps: pd.DataFrame
    items: pd.DataFrame
    score_without: float = nan
    titles: Mapping[Any, str] = field(default_factory=dict, repr=False)
    names: Mapping[int, str] = field(default_factory=dict, repr=False)

    def _table(self) -> pd.DataFrame:
        """The features, with the steps of the largest shares and the items that activate them most."""
        at, lit_by = [], []
        for feature in self.features["feature"]:
            steps = self.steps[self.steps["feature"] == feature].head(SHOWN)
            items = self.items[(self.items["feature"] == feature) & (self.items["drop"] > 0)].head(SHOWN)
            at.append(
                ", ".join(
                    f"{'[MASK]' if item is None else self._item(item)} {share:+.0%}"
                    for item, share in zip(steps["item"], steps["share"], strict=True)
                )
            )
            lit_by.append(
                ", ".join(
                    f"{self._item(item)} {drop:.2f}" for item, drop in zip(items["item"], items["drop"], strict=True)
                )
            )
        table = self.features.assign(at=at) if self.items.empty else self.features.assign(at=at, lit_by=lit_by)
        if self.names:
            table.insert(1, "name", [self.names.get(feature, "") for feature in table["feature"]])
        return table

    def _item(self, item: Any) -> str:
        return short_title(self.titles[item]) if item in self.titles else str(item)

    def _title(self) -> str:
        title = f"{titled(self.item, self.titles)}: rank {self.rank}, score {self.score:.2f} above the mean item"
        if isfinite(self.score_without) and len(self.features):
            together = f"{len(self.features)} feature{'s' * (len(self.features) != 1)}"
            part = f", {1 - self.score_without / self.score:.0%} of it" if self.score > 0 else ""
            title += f"; without these {together} {self.score_without:.2f}: they explain "
            title += f"{self.score - self.score_without:+.2f}{part}"
        return f"{title}{NO_ITEMS if self.items.empty and len(self.features) else ''}"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self._title()}\n{self._table().to_string(index=False, float_format='{:.3f}'.format)}"

    def _repr_html_(self) -> str:
        table = self._table().to_html(index=False, float_format="{:.3f}".format, border=0)
        return f"<b>{escape(self._title())}</b>{table}"


@steady()
def why(rec: RecommenderEnvoy, history: Any, item: Any, top: int = 10, site: str | None = None) -> Explanation:
    """Explain an item's score for one history by the features of a dictionary, under the steers in force.

    One forward and one backward pass give activation × gradient of all features at all steps, with the reconstruction
    error kept. For the 2 · `top` features with the largest values, one more pass averages the gradient while the
    feature alone goes down to 0 (integrated gradients, Sundararajan et al., ICML 2017, with a separate baseline for
    each feature): where scores are not linear, as with BERT4Rec's attention to its [MASK], the gradient at the full
    activation may have the wrong sign. The `top` of these are ablated one at a time. A path on which all features grow
    from 0 together agrees less with ablations, because its hidden states do not occur in any history.

    Args:
        rec: the recommender, with a dictionary attached.
        history: one history, in any form.
        item: any item that the recommender knows, recommended or not.
        top: how many features are ablated and reported.
        site: the site of the dictionary; by default the only site with one.

    Raises:
        InputError: not one history, an unknown item, or no such dictionary.
    """
    top = whole_number("top", top)
    place = _Place.of(rec, history, item, rec.only_site() if site is None else site)
    features, averages, without = _ablated(place, top)
    order = features["feature"].tolist()
    grid = rec.item_grid(place.history)[0]
    steps = _steps(order, place.features[:, order].cpu().numpy(), averages.cpu().numpy(), grid)
    rank, score = place.plain
    return Explanation(item, rank, score, features, steps, _items(rec, place.history, order, place.site), without)


@dataclass(frozen=True)
class _Place:
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
    def of(cls, rec: RecommenderEnvoy, history: Any, item: Any, site: str) -> "_Place":
        """Errors as in `why`."""
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

    @cached_property
    def plain(self) -> tuple[int, float]:
        """The item's rank and relative score as they are."""
        with torch.no_grad():
            scores = self.scores(self.hidden[None])
        return int(self.ranks(scores)[0]), float(relative_scores(scores, self.code)[0])

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


def explained(rec: RecommenderEnvoy, history: Any, item: Any, top: int, site: str) -> pd.DataFrame:
    """The features of `why` alone, without their steps and items."""
    return _ablated(_Place.of(rec, history, item, site), top)[0]


@steady()
def _ablated(place: _Place, top: int) -> tuple[pd.DataFrame, Tensor, float]:
    """`Explanation.features`, their average attributions [s, n], and the score without all of them."""
    gradients = _slopes(place).mul_(place.features).sum(dim=0)
    candidates = [j for j in gradients.abs().argsort(descending=True)[: 2 * top].tolist() if gradients[j] != 0]
    averages = _averages(place, candidates)
    total = averages.sum(dim=0)
    best = total.abs().argsort(descending=True)[:top].tolist()
    ablated = [candidates[column] for column in best]
    with torch.no_grad():
        hidden = place.without(ablated, torch.zeros(len(ablated), len(place.hidden), device=place.hidden.device))
        of_all = place.features[:, ablated] @ place.sae.directions[ablated]
        # Row 0 is left as it is; each other row lacks one of the features, and the last one all of them.
        scores = place.scores(torch.cat([place.hidden[None], hidden, (place.hidden - of_all)[None]]))
    (*score, without), rank = relative_scores(scores, place.code).tolist(), place.ranks(scores)[:-1]
    features = pd.DataFrame(
        {
            "feature": ablated,
            "gradient": gradients[ablated].tolist(),
            "attribution": total[best].tolist(),
            "ablation": [score[0] - after for after in score[1:]],
            "score_after": score[1:],
            "rank_after": rank[1:],
        }
    ).sort_values("ablation", key=abs, ascending=False, kind="stable", ignore_index=True)
    return features, averages[:, [candidates.index(j) for j in features["feature"]]], without


def titled(item: Any, titles: Mapping[Any, str]) -> str:
    """An item by title and id, or by its id alone."""
    return f"{short_title(titles[item])} (item {item})" if item in titles else f"item {item}"


def short_title(title: str) -> str:
    """The beginning of a title."""
    return title if len(title) <= LONGEST else f"{title[:LONGEST]}…"


@torch.enable_grad()
def _slopes(place: _Place) -> Tensor:
    """The gradient of the item's relative score by every feature at every step: [s, f]."""
    hidden = place.hidden[None].detach().requires_grad_()
    (slope,) = torch.autograd.grad(relative_scores(place.scores(hidden), place.code).sum(), hidden)
    return slope[0] @ place.sae.directions.T


@torch.enable_grad()
def _averages(place: _Place, features: list[int]) -> Tensor:
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

    Arguments and errors as in `why`.
    """
    place = _Place.of(rec, history, item, site)
    return place.features, place.features * _slopes(place)


@steady()
def average_attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str, features: list[int]) -> Tensor:
    """Activation × gradient of some features at all steps, averaged while each alone goes down to 0: [s, n].

    Its sum over steps approximates the change by an ablation, from `POINTS` points. Other arguments and errors as in
    `why`.
    """
    return _averages(_Place.of(rec, history, item, site), features)


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


def _steps(features: list[int], activations: np.ndarray, attributions: np.ndarray, items: np.ndarray) -> pd.DataFrame:
    """The steps where these features are active, from their columns of [s, n] activations and attributions."""
    n, step = np.nonzero(activations.T)
    total = np.abs(attributions).sum(axis=0)
    rows = pd.DataFrame(
        {
            "feature": np.array(features, dtype=int)[n],
            "step": step,
            "item": pd.Series(items[step], dtype=object),
            "activation": activations[step, n],
            "attribution": attributions[step, n],
            "share": np.divide(attributions[step, n], total[n], out=np.zeros_like(total[n]), where=total[n] > 0),
        }
    )
    return rows.iloc[np.lexsort((-rows["share"].abs(), n))].reset_index(drop=True)


def _items(rec: RecommenderEnvoy, history: Histories, features: list[int], site: str) -> pd.DataFrame:
    """The drop of these features at the last step when an item that the model reads becomes the mean item."""
    if not rec.recommender.model.reads_item_embeddings:
        return pd.DataFrame(columns=["feature", "item", "activation", "drop"])
    grid, envoy = rec.item_grid(history)[0], rec.site(site)
    read = pd.unique(grid[rec.item_steps(history)[0].numpy()])
    # Row 0 is left as it is.
    hidden = torch.from_numpy(np.stack([grid == item for item in [object(), *read]]))[..., None].to(rec.device)
    mean = rec.recommender.model.item_embeddings().mean(dim=0)
    with torch.no_grad(), rec.trace(history.select(np.zeros(len(hidden), dtype=int))):
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
