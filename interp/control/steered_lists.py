"""Ranked lists under many steers; the layers before the steered site run only once.

Steers that only change the last step of a block's output share all computation before it: the site is read once, and
the later layers process all changed values in one pass. Any other steer runs alone. Both ways give the lists of
`with rec.steer(steer): rec.rank(histories)`.

Axes: b users, e steers, d hidden size, v items.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import block_number, score_last_step
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.edits import Edit, Push, Steer
from interp.steering.validation import check_reach, check_steer
from recmodels.item_blocks import ROWS, best_in_blocks, in_blocks
from recmodels.progress import tqdm
from recmodels.ranking import top_k
from recmodels.sequences import Histories
from recmodels.steady import steady

_USERS = 64  # per pass
_SCORES = 2**20  # of items in a pass, so that they stay in the processor's cache


@steady()
def steered_lists(
    rec: RecommenderEnvoy, histories: Histories, steers: Sequence[Steer], k: int = 10, progress: str | None = None
) -> np.ndarray:
    """Item codes of each history's top k under each steer: int [steer, user, k].

    A history's own items are left out, unless `keep_seen`.

    Args:
        rec: the recommender, with a dictionary at the steers' sites.
        histories: whose lists.
        steers: the steers, each applied alone.
        k: list length.
        progress: the title of a progress bar; None for no bar.

    Raises:
        InputError: a steer cannot be carried out, or has values for none of these users.
    """
    lists = np.empty((len(steers), len(histories), k), dtype=np.int64)
    together: dict[tuple[str, bool], list[int]] = {}
    alone = []
    for place, steer in enumerate(steers):
        check_reach(check_steer(steer, rec.site(steer.site).sae), histories.users)
        if shares_all_before(rec, steer):
            together.setdefault((steer.site, steer.reconstruct == "all"), []).append(place)
        else:
            alone.append(place)
    with tqdm(
        desc=progress, total=len(steers) * len(histories), unit="list", disable=None if progress else True
    ) as bar:
        for places in together.values():
            start = 0
            for batch in histories.batches(_USERS):
                rows = slice(start, start + len(batch))
                lists[places, rows] = _lists_together(rec, batch, [steers[place] for place in places], k)
                start += len(batch)
                bar.update(len(batch) * len(places))
        for place in alone:
            with rec.steer(steers[place]):
                lists[place] = rec.rank(histories, k)
            bar.update(len(histories))
    return lists


def shares_all_before(rec: RecommenderEnvoy, steer: Steer) -> bool:
    """Whether a steer edits only the last step of a block's output; it may replace all steps by the reconstruction."""
    return block_number(rec, steer.site) is not None and all(edit.at in ("last", (-1,)) for edit in steer.edits)


@steady()
@torch.no_grad()
def _lists_together(rec: RecommenderEnvoy, batch: Histories, steers: list[Steer], k: int) -> np.ndarray:
    """Lists [e, b, k] under steers of one site that treat the earlier steps in the same way."""
    envoy = rec.site(steers[0].site)
    hidden = rec.hidden(batch, envoy.name)
    before = Steer((), envoy.name, "all").apply(hidden, envoy.sae) if steers[0].reconstruct == "all" else hidden
    now = hidden[:, -1:]
    features = envoy.sae.encode(now)
    replaced = now if all(steer.reconstruct == "none" for steer in steers) else envoy.sae.decode(features)
    last = torch.cat([_steered(steer, now, replaced, features, envoy.sae, batch.users) for steer in steers], dim=1)
    return last_step_lists(rec, batch, envoy.name, before, last, k)


def _steered(
    steer: Steer, now: Tensor, replaced: Tensor, features: Tensor, sae: SparseAutoencoder, users: pd.Index
) -> Tensor:
    """The last step [b, 1, d] under a steer, from the step, its reconstruction and its features: as `Steer.apply`.

    Only the features that it edits are written.
    """
    edits = [edit for edit in steer.edits if isinstance(edit, Edit)]
    columns = list(dict.fromkeys(int(edit.feature) for edit in edits))
    before = features[..., columns]
    after = before.clone()
    for edit in edits:
        replace(edit, feature=columns.index(int(edit.feature))).apply(after, users)
    output = (now if steer.reconstruct == "none" else replaced) + (after - before) @ sae.directions[columns]
    for push in steer.edits:
        if isinstance(push, Push):
            push.apply(output)
    return output


@torch.no_grad()
def last_step_lists(
    rec: RecommenderEnvoy, batch: Histories, site: str, before: Tensor, last: Tensor, k: int = 10
) -> np.ndarray:
    """Lists when the last step's hidden state at a site is each of several values: int [e, b, k].

    Arguments as in `interp.model.last_step.score_last_step`.
    """
    model, outputs = rec.recommender.model, score_last_step(rec, batch, site, before, last)
    blocked = in_blocks(model)
    rows = ROWS if blocked else max(1, _SCORES // model.config.n_items)
    e = min(rows, outputs.shape[1])
    b, lists = max(1, rows // e), np.empty((outputs.shape[1], len(batch), k), dtype=np.int64)
    for start in range(0, len(batch), b):
        users = slice(start, start + b)
        lengths, codes = batch.lengths[users], batch.codes[batch.offsets[start] : batch.offsets[start:][: b + 1][-1]]
        owner = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)).to(outputs.device)
        own = torch.from_numpy(codes).long().to(outputs.device)
        for first in range(0, outputs.shape[1], e):
            states = outputs[users, first : first + e]
            if blocked:
                n = states.shape[1]
                places = (owner[:, None] * n + torch.arange(n, device=owner.device)).flatten(), own.repeat_interleave(n)
                best = best_in_blocks(model, states.flatten(0, 1), k, None if rec.keep_seen else places).cpu().numpy()
            else:
                scores = model.score_hidden(states)
                if not rec.keep_seen:
                    scores[owner, :, own] = -torch.inf
                best, _ = top_k(scores.flatten(0, 1), None, k)
            lists[first : first + e, users] = best.reshape(*states.shape[:2], k).swapaxes(0, 1)
    return lists
