"""Changes that bring an item into the list: of features, or of the history by removing or appending an item.

Axes: b rows, d hidden size, f features, v items, n changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from interp.activations.feature_matrix import Units, units_of
from interp.features.attributions import item_ranks, one_history_and_code
from interp.features.explanations import short_title, titled
from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_last_step
from recmodels.errors import InputError, for_terminal, quote
from recmodels.lists import elements
from recmodels.ranking import own_items
from recmodels.scalars import as_number, whole_number
from recmodels.sequences import Histories
from recmodels.steady import steady

GRID = 8  # amounts between 0 and the reach
HALVINGS = 7  # halvings of the interval between two of them
TOGETHER = 3  # features changed at once, at most
ROWS = 128  # per pass

Ask = Callable[[Tensor], tuple[np.ndarray, np.ndarray]]
"""The ranks, int [n], and margins, float [n], of an item under [n, d] changes of the last step's hidden state."""


@dataclass(frozen=True)
class Entry:
    """Ways to bring an item into the list. It has a display for Jupyter and for a terminal.

    Attributes:
        item: its id.
        rank: its place now among the items that a list may have (not those of the history, unless `keep_seen`), from 1.
        k: length of the list.
        reach: the largest change of a feature that was tried, in its units.
        ways: kind ("steer", "remove" or "append"); change (what to add to each feature at the last step, to be given
            to `rec.steer(change, op="add")`, or the item that is removed or appended); amount (units by which each of
            the features changes; NaN for items); enters; rank_before; rank_after. Steers come by the number of their
            features, then the smallest that enter first. If no way of a kind enters, the closest ones are listed.
        titles, names: item → title and feature → name, for the display.
    """

    item: Any
    rank: int
    k: int
    reach: float
    ways: pd.DataFrame
    titles: Mapping[Any, str] = field(default_factory=dict, repr=False)
    names: Mapping[int, str] = field(default_factory=dict, repr=False)

    @for_terminal
    def __repr__(self) -> str:
        if self.rank <= self.k:
            return f"{titled(self.item, self.titles)} is in the top {self.k} already, at rank {self.rank}"
        lines = [f"{titled(self.item, self.titles)} is at rank {self.rank}; into the top {self.k} it comes by"]
        for kind, ways in self.ways.groupby("kind", sort=False):
            rows = ways[ways["enters"]]
            if rows.empty:
                within = f" within {self.reach:g} units" if kind == "steer" else ""
                lines.append(f"  {kind}: nothing{within}; closest are")
                rows = ways
            for way in rows.itertuples():
                amount = "" if np.isnan(way.amount) else f" ({way.amount:.2f} units)"
                lines.append(f"  {kind} {self._change(way.change)}{amount}: rank {way.rank_after}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def _change(self, change: Any) -> str:
        """A change of features with their names, or an item, as text."""
        if not isinstance(change, dict):
            return f"{short_title(self.titles[change])} (item {change})" if change in self.titles else str(change)
        text = "{" + ", ".join(f"{feature}: {value:+.2f}" for feature, value in change.items()) + "}"
        names = ", ".join(self.names[feature] for feature in change if feature in self.names)
        return f"{text} {names}" if names else text


@steady()
def to_enter(
    rec: RecommenderEnvoy,
    history: Any,
    item: Any,
    k: int = 10,
    units: Units | None = None,
    reach: float = 4.0,
    candidates: Sequence[Any] = (),
    count: int = 3,
    site: str | None = None,
) -> Entry:
    """The smallest changes that bring an item into the list: of features at the last step, or of the history.

    Every feature is turned down and up by amounts on a grid; between the first amount at which the item enters and the
    one before, the smallest is found by halving. Features changed together all change by the same amount: to the best
    single one, the ones that help the item most beside it are added, one at a time. The history is changed by removing
    an item wherever it is, or by appending one of the candidates.

    Args:
        rec: the recommender, with a dictionary attached.
        history: one history, in any form.
        item: any item that the recommender knows and, unless `keep_seen`, the history lacks.
        k: length of the list.
        units: [f] what one unit of each feature is, such as `study.features.table["p99"]`; features with unit 0, those
            that are never active, are left alone. By default activations are taken as they are.
        reach: largest change of a feature that is tried, in units.
        candidates: items to append; the history's own and the item itself are passed over.
        count: ways of each kind that are reported.
        site: the site of the dictionary; by default the only site with one.

    Raises:
        InputError: not one history, an unknown item, one that the history has, no such dictionary, or an argument that
            makes no sense.
    """
    sequence, code = one_history_and_code(rec, history, item)
    if code in sequence.codes and not rec.keep_seen:
        raise InputError(f"item {quote(item)} is in the history, so it is never listed: choose another item")
    k, count, span = whole_number("k", k), whole_number("count", count), as_number(reach)
    if span is None or not 0 < span < np.inf:
        raise InputError(f"reach is {quote(reach)}: give a positive number of units, such as 4")
    reach = float(span)
    if elements(candidates) is None:
        raise InputError(f"candidates are {quote(candidates)}: give a list of items")
    name = rec.only_site() if site is None else site
    sae = rec.site(name).sae
    scale = units_of(units, sae.n_features)
    with steady(rec.recommender.model), torch.no_grad():
        rank = int(item_ranks(rec.score(sequence), code, sequence, rec.keep_seen)[0])
        ways = []
        if rank > k:
            ways += _steers(_item_ranker(rec, sequence, code, name, k), sae.directions, scale, k, reach, count)
            ways += _other_histories(rec, sequence, code, k, candidates, count)
    columns = ["kind", "change", "amount", "enters", "rank_before", "rank_after"]
    return Entry(item, rank, k, reach, pd.DataFrame(ways).assign(rank_before=rank).reindex(columns=columns))


def _steers(ask: Ask, directions: Tensor, scale: np.ndarray, k: int, reach: float, count: int) -> list[dict[str, Any]]:
    """The smallest steers of one feature, then of more."""
    alive = np.flatnonzero(scale)
    if not len(alive):
        return []
    unit = directions[alive] * torch.from_numpy(scale[alive]).to(directions)[:, None]
    features, signs, pushes = np.tile(alive, 2), np.repeat([1.0, -1.0], len(alive)), torch.cat([unit, -unit])

    def way(members: list[int], amount: float, rank: int) -> dict[str, Any]:
        change = {int(features[m]): float(signs[m] * amount * scale[features[m]]) for m in members}
        return {"kind": "steer", "change": change, "amount": amount, "enters": rank <= k, "rank_after": rank}

    amounts, ranks = _smallest(ask, pushes, k, reach)
    order = np.lexsort((amounts, ranks.clip(min=k)))
    _, first = np.unique(features[order], return_index=True)
    best = order[np.sort(first)][:count]
    ways = [way([int(m)], float(amounts[m]), int(ranks[m])) for m in best]
    combined = [int(best[0])]
    amount = float(amounts[best[0]])
    while len(combined) < min(TOGETHER, len(alive)):
        remaining_pushes = np.flatnonzero(~np.isin(features, features[combined]))
        _, margins = ask(amount * (pushes[combined].sum(dim=0) + pushes[remaining_pushes]))
        combined.append(int(remaining_pushes[margins.argmax()]))
        together, ranks = _smallest(ask, pushes[combined].sum(dim=0, keepdim=True), k, reach)
        ways.append(way(combined, float(together[0]), int(ranks[0])))
    return ways


def _smallest(ask: Ask, pushes: Tensor, k: int, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """For each of [n, d] pushes, the smallest amount of it at which the item is listed, and its rank there.

    Where no amount on the grid does, the one that brings it highest.
    """
    grid = np.linspace(0, reach, GRID + 1)
    grid_ranks = np.stack([ask(amount * pushes)[0] for amount in grid[1:]])
    at = np.where((grid_ranks <= k).any(axis=0), (grid_ranks <= k).argmax(axis=0), grid_ranks.argmin(axis=0))
    ranks = grid_ranks[at, np.arange(len(pushes))]
    low, high = grid[at], grid[at + 1]
    entering = np.flatnonzero(ranks <= k)
    for _ in range(HALVINGS if len(entering) else 0):
        middle = (low[entering] + high[entering]) / 2
        new_ranks, _ = ask(torch.from_numpy(middle).to(pushes)[:, None] * pushes[entering])
        entered = new_ranks <= k
        high[entering[entered]], ranks[entering[entered]] = middle[entered], new_ranks[entered]
        low[entering[~entered]] = middle[~entered]
    return high, ranks


def _item_ranker(rec: RecommenderEnvoy, sequence: Histories, code: int, site: str, k: int) -> Ask:
    """The ranks and margins of an item under changes of the last step's hidden state at a site.

    The margin is the item's score minus the k-th largest score of the other items.
    """
    model, hidden = rec.recommender.model, rec.hidden(sequence, site)

    def ask(pushes: Tensor) -> tuple[np.ndarray, np.ndarray]:
        ranks, margins = [], []
        for part in pushes.split(ROWS):
            rows = sequence.select(np.zeros(len(part), dtype=int))
            outputs = score_last_step(rec, sequence, site, hidden, hidden[:, -1:] + part)
            scores = model.score_hidden(outputs)[0]
            ranks.append(item_ranks(scores, code, rows, rec.keep_seen))
            other_scores = scores.masked_fill(own_items(rows, scores, rec.keep_seen), -torch.inf)
            other_scores[:, code] = -torch.inf
            kth = other_scores.topk(min(k, other_scores.shape[1])).values[:, -1]
            margins.append((scores[:, code] - kth).cpu().numpy())
        return np.concatenate(ranks), np.concatenate(margins)

    return ask


def _other_histories(
    rec: RecommenderEnvoy, sequence: Histories, code: int, k: int, candidates: Sequence[Any], count: int
) -> list[dict[str, Any]]:
    """The best removals of one item from the history, and the best additions to it."""
    history, vocabulary = sequence[0], rec.recommender.vocabulary
    candidate_codes = vocabulary.encode(candidates) if len(candidates) else history[:0]
    distinct = pd.unique(history) if len(np.unique(history)) > 1 else history[:0]
    steps = np.arange(len(history))  # where each item stood; an item that is added has what the last one has beside it
    changed = {
        "remove": [(c, history[history != c], steps[history != c]) for c in distinct],
        "append": [
            (c, np.append(history, c), np.append(steps, steps[-1]))
            for c in pd.unique(candidate_codes)
            if c != code and c not in history
        ],
    }
    ways = []
    for kind, pairs in changed.items():
        if not pairs:
            continue
        offsets = np.cumsum([0, *(len(codes) for _, codes, _ in pairs)])
        among = np.concatenate([places for _, _, places in pairs])
        extras = {name: values[among] for name, values in sequence.extras.items()}
        codes = np.concatenate([codes for _, codes, _ in pairs])
        histories = Histories(pd.RangeIndex(len(pairs)), codes, offsets, extras)
        ranks = np.concatenate(
            [item_ranks(rec.score(rows), code, rows, rec.keep_seen) for rows in histories.batches(ROWS)]
        )
        order = np.argsort(ranks, kind="stable")[:count]
        items = vocabulary.decode(np.array([c for c, *_ in pairs])).tolist()
        ways += [
            {"kind": kind, "change": items[i], "amount": nan, "enters": ranks[i] <= k, "rank_after": ranks[i]}
            for i in order
        ]
    return ways
