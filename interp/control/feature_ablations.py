"""What the lists lose without each feature: every feature alone set to 0 at all steps.

Ablating a feature changes nothing for users on whose histories it is never active, so only the others' lists are
made again, and the layers before the site run once for all features.

Axes: b users, s steps, d hidden size, f features, p pairs of a user and a feature, k places of a list.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy
import torch
from nnsight import save
from torch import Tensor

from interp.control.intervals import of_means
from interp.control.sweeps import user_overlap
from interp.features.group_differences import corrected
from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import block_number
from recmodels.bootstrap import Resampling
from recmodels.errors import InputError
from recmodels.metrics import user_ndcg
from recmodels.progress import tqdm
from recmodels.ranking import own_items, top_k
from recmodels.sequences import Histories
from recmodels.steady import steady

_USERS = 32  # whose hidden states are held at once
_PAIRS = 256  # per pass


@steady()
@torch.no_grad()
def feature_ablations(rec: RecommenderEnvoy, histories: Histories, site: str, k: int = 10) -> pd.DataFrame:
    """NDCG without each feature, from the lists of `rec.steer([feature], op="ablate", at="all")`.

    Args:
        rec: the recommender, with a dictionary at the site.
        histories: users; the last item of each is held out.
        site: of the dictionary.
        k: list length.

    Returns:
        A row for each feature: feature, users, lists, overlap, ndcg, change, change_low, change_high, p, q, as in
        `Study.ablate_all`.

    Raises:
        InputError: a steer is in force, or a history has one item.
    """
    if rec.steered:
        raise InputError("a steer is in force: ablate all features outside of it")
    inputs, truth = histories.split_last()
    n, f = len(inputs), rec.site(site).sae.n_features
    changes = np.zeros((n, f))
    users, lists, stays, before = np.zeros(f), np.zeros(f), np.zeros(f), np.zeros(n)
    with tqdm(desc="ablations", total=n, unit="user") as bar:
        for start in range(0, n, _USERS):
            rows = slice(start, start + _USERS)
            batch, own_truth = inputs.select(rows), truth[rows]
            plain, _ = top_k(rec.score(batch), batch, k, rec.keep_seen)
            before[rows] = user_ndcg(plain, own_truth)
            for row, feature, ablated in _ablated_lists(rec, batch, site, k):
                changes[start + row, feature] = user_ndcg(ablated, own_truth[row]) - before[start + row]
                kept = user_overlap(plain[row], ablated)
                np.add.at(users, feature, 1)
                np.add.at(lists, feature, (plain[row] != ablated).any(axis=1))
                np.add.at(stays, feature, kept - 1)
            bar.update(len(batch))
    table = of_means(np.repeat(before[:, None], f, axis=1), before[:, None] + changes, Resampling())
    spread = changes.std(axis=0, ddof=1) if n > 1 else np.zeros(f)
    t = np.divide(changes.mean(axis=0) * np.sqrt(n), spread, out=np.zeros(f), where=spread > 0)
    p = 2 * scipy.stats.t.sf(np.abs(t), max(n - 1, 1))
    return pd.DataFrame(
        {
            "feature": np.arange(f),
            "users": users / n,
            "lists": lists / n,
            "overlap": 1 + stays / n,
            "ndcg": table["after"],
            "change": table["change"],
            "change_low": table["change_low"],
            "change_high": table["change_high"],
            "p": p,
            "q": corrected(p, users > 0),
        }
    )


def _ablated_lists(rec: RecommenderEnvoy, batch: Histories, site: str, k: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Pairs of a user and a feature that is active there, and their lists: rows [p], features [p], lists [p, k]."""
    sae, model = rec.site(site).sae, rec.recommender.model
    hidden = rec.hidden(batch, site)
    features = sae.encode(hidden)
    tokens = model.inference_inputs(batch).to(hidden.device)
    rows, numbers = (features != 0).any(dim=1).nonzero(as_tuple=True)
    for row, number in zip(rows.split(_PAIRS), numbers.split(_PAIRS), strict=True):
        written = features[row, :, number][:, :, None] * sae.directions[number][:, None]
        pairs, place = batch.select(row.cpu().numpy()), row.to(tokens.device)
        scores = model.score_hidden(_last_after(rec, pairs, tokens[place], site, hidden[row] - written))
        scores = scores.masked_fill(own_items(pairs, scores, rec.keep_seen), -torch.inf)
        yield row.cpu().numpy(), number.cpu().numpy(), top_k(scores, None, k)[0]


def _last_after(rec: RecommenderEnvoy, histories: Histories, tokens: Tensor, site: str, hidden: Tensor) -> Tensor:
    """What the scorer reads, [p, d of "final"], when the hidden states of all steps at a site are these [p, s, d]."""
    block = block_number(rec, site)
    if block is not None:
        return rec.recommender.model.encode_after(block, tokens, hidden)[:, -1]
    envoy: Any = rec.site(site)
    width = rec.item_steps(histories).shape[1]  # of these histories, which may be shorter than the others
    with rec.trace(histories):
        envoy.output = hidden[:, -width:]
        final = save(rec.final.output)
    return final[:, -1]
