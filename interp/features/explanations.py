"""Explanations of one score: the features behind it, and the items that activate them.

Scores are relative to the mean over all items, because an equal change of all scores changes no list; the same holds in
`interp.features.effects`. The reference is the same for every item, so the difference of the attributions of two items
explains why one is above the other. It is linear in the scores, unlike the log-probability, whose attributions depend
on the recommender's certainty. Ranks show the competition for places in the list.

Axes: b rows, s steps, f features, v items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from math import isfinite, nan
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
    sequence, code = one_history_and_code(rec, history, item)
    top = whole_number("top", top)
    name = rec.only_site() if site is None else site
    activations, slopes = attributions(rec, sequence, item, name)
    gradients = slopes.sum(dim=0)
    candidates = [j for j in gradients.abs().argsort(descending=True)[: 2 * top].tolist() if gradients[j] != 0]
    averages = average_attributions(rec, sequence, item, name, candidates)
    total = averages.sum(dim=0)
    best = total.abs().argsort(descending=True)[:top].tolist()
    to_ablate = [candidates[place] for place in best]
    # Row 0 is left as it is; each other row lacks one of the features, and the last one all of them.
    last = len(to_ablate) + 1
    rows = replace(sequence.select(np.zeros(last + 1, dtype=int)), users=pd.RangeIndex(last + 1))
    ablations = Steer(
        tuple(Edit(j, {row: 0.0, last: 0.0}, "set", "all") for row, j in enumerate(to_ablate, start=1)), name
    )
    with torch.no_grad(), rec.steer(ablations):
        scores = rec.score(rows)
    relative, ranks = relative_scores(scores, code).tolist(), item_ranks(scores, code, rows, rec.keep_seen)
    (*score, without), rank = relative, ranks[:-1]
    features = pd.DataFrame(
        {
            "feature": to_ablate,
            "gradient": gradients[to_ablate].tolist(),
            "attribution": total[best].tolist(),
            "ablation": [score[0] - after for after in score[1:]],
            "score_after": score[1:],
            "rank_after": rank[1:],
        }
    ).sort_values("ablation", key=abs, ascending=False, kind="stable", ignore_index=True)
    order = features["feature"].tolist()
    columns = [candidates.index(j) for j in order]
    steps = _steps(
        order, activations[:, order].cpu().numpy(), averages[:, columns].cpu().numpy(), rec.item_grid(sequence)[0]
    )
    return Explanation(item, int(rank[0]), score[0], features, steps, _items(rec, sequence, order, name), without)


def titled(item: Any, titles: Mapping[Any, str]) -> str:
    """An item by title and id, or by its id alone."""
    return f"{short_title(titles[item])} (item {item})" if item in titles else f"item {item}"


def short_title(title: str) -> str:
    """The beginning of a title."""
    return title if len(title) <= LONGEST else f"{title[:LONGEST]}…"


@steady()
@torch.enable_grad()
def attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str) -> tuple[Tensor, Tensor]:
    """Activations, and activation × gradient of the item's relative score, of all features at all steps: [s, f] each.

    Arguments and errors as in `why`.
    """
    sequence, code = one_history_and_code(rec, history, item)
    envoy: Any = rec.site(site)
    with rec.trace(sequence):
        features = save(envoy.features.detach().clone().requires_grad_())
        envoy.features = features
        scores = save(rec.scores)
    (gradient,) = torch.autograd.grad(relative_scores(scores, code).sum(), features)
    return features.detach()[0], (features.detach() * gradient)[0]


@steady()
@torch.enable_grad()
def average_attributions(rec: RecommenderEnvoy, history: Any, item: Any, site: str, features: list[int]) -> Tensor:
    """Activation × gradient of some features at all steps, averaged while each alone goes down to 0: [s, n].

    Its sum over steps approximates the change by an ablation, from `POINTS` points. Other arguments and errors as in
    `why`.
    """
    sequence, code = one_history_and_code(rec, history, item)
    envoy: Any = rec.site(site)
    nodes, weights = (torch.from_numpy(part).float() / 2 for part in np.polynomial.legendre.leggauss(POINTS))
    row = torch.arange(len(features) * POINTS)
    column = torch.tensor(features, dtype=torch.long).repeat_interleave(POINTS)
    factors = torch.ones(len(row), 1, envoy.sae.n_features)
    factors[row, 0, column] = (0.5 + nodes).repeat(len(features))
    factors = factors.to(rec.device)
    with rec.trace(sequence.select(np.zeros(len(row), dtype=int))):
        whole = save(envoy.features.detach().clone())
        changed = save((whole * factors).requires_grad_())
        envoy.features = changed
        scores = save(rec.scores)
    (gradient,) = torch.autograd.grad(relative_scores(scores, code).sum(), changed)
    slopes = gradient[row, :, column].reshape(len(features), POINTS, -1)
    mean = torch.einsum("nps,p->sn", slopes, weights.to(slopes))
    return whole.detach()[0][:, features] * mean


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
