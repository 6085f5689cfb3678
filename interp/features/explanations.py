"""Explanations of one score: the features behind it, and the items that activate them (`interp.features.attributions`).

Axes: s steps, n features.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from html import escape
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnsight import save

from interp.features.attributions import Place, ablated
from interp.model.envoys import RecommenderEnvoy
from recmodels.errors import for_terminal
from recmodels.scalars import whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady
from recmodels.wording import counted, signed

LONGEST = 40  # characters of a title that are shown
_DECIMALS = partial(signed, form=".3f")
SHOWN = 3  # steps and items of each feature that an explanation shows
NO_ITEMS = (
    '; which items activate a feature is not measured, as the site "embedding" of this recommender does not give the '
    "vectors of items"
)


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
                    f"{'[MASK]' if item is None else self._item(item)} {signed(share, '+.0%')}"
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
        title = (
            f"{titled(self.item, self.titles)}: rank {self.rank}, score {signed(self.score, '.2f')} above the mean item"
        )
        if isfinite(self.score_without) and len(self.features):
            together = counted(len(self.features), "feature")
            part = f", {signed(1 - self.score_without / self.score, '.0%')} of it" if self.score > 0 else ""
            title += f"; without these {together} {signed(self.score_without, '.2f')}: they explain "
            title += f"{signed(self.score - self.score_without, '+.2f')}{part}"
        return f"{title}{NO_ITEMS if self.items.empty and len(self.features) else ''}"

    @for_terminal
    def __repr__(self) -> str:
        return f"{self._title()}\n{self._table().to_string(index=False, float_format=_DECIMALS)}"

    def _repr_html_(self) -> str:
        table = self._table().to_html(index=False, float_format=_DECIMALS, border=0)
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
    place = Place.of(rec, history, item, rec.only_site() if site is None else site)
    rank, score, features, averages, without = ablated(place, top)
    order = features["feature"].tolist()
    grid = rec.item_grid(place.history)[0]
    steps = _steps(order, place.features[:, order].cpu().numpy(), averages.cpu().numpy(), grid)
    return Explanation(item, rank, score, features, steps, _items(rec, place.history, order, place.site), without)


def explained(rec: RecommenderEnvoy, history: Any, item: Any, top: int, site: str) -> pd.DataFrame:
    """The features of `why` alone, without their steps and items."""
    return ablated(Place.of(rec, history, item, site), top).features


def titled(item: Any, titles: Mapping[Any, str]) -> str:
    """An item by title and id, or by its id alone."""
    return f"{short_title(titles[item])} (item {item})" if item in titles else f"item {item}"


def short_title(title: str) -> str:
    """The beginning of a title."""
    return title if len(title) <= LONGEST else f"{title[:LONGEST]}…"


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
