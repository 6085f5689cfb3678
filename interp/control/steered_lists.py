"""Ranked lists under many steers; the layers before the steered site run only once.

Steers that only change the last step of a block's output share all computation before it: the site is read once, and
the later layers process all changed values in one pass. Any other steer runs alone. Both ways give the lists of
`with rec.steer(steer): rec.rank(histories)`.

Axes: b users, e steers, d hidden size, v items.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import block_number, score_last_step
from interp.steering.edits import Steer
from interp.steering.validation import check_reach, check_steer
from recmodels.ranking import own_items, top_k, users_at_once
from recmodels.sequences import Histories
from recmodels.steady import steady

USERS = 64  # per pass, at most
LISTS = 2048  # per pass, at most: of users under steers


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
    with tqdm(desc=progress, total=len(steers) * len(histories), unit="list", leave=False, disable=not progress) as bar:
        for places in together.values():
            start = 0
            for batch in histories.batches(users_at_once(len(rec.recommender.vocabulary), USERS)):
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
    last = torch.cat([steer.apply(now, envoy.sae, batch.users, features) for steer in steers], dim=1)
    return last_step_lists(rec, batch, envoy.name, before, last, k)


@torch.no_grad()
def last_step_lists(
    rec: RecommenderEnvoy, batch: Histories, site: str, before: Tensor, last: Tensor, k: int = 10
) -> np.ndarray:
    """Lists when the last step's hidden state at a site is each of several values: int [e, b, k].

    Arguments as in `interp.model.last_step.score_last_step`.
    """
    model, outputs = rec.recommender.model, score_last_step(rec, batch, site, before, last)
    parts = []
    lists_at_once = users_at_once(len(rec.recommender.vocabulary), LISTS)
    for part in outputs.split(max(lists_at_once // len(batch), 1), dim=1):
        scores = model.score_hidden(part)
        scores.masked_fill_(own_items(batch, scores[:, 0], rec.keep_seen)[:, None], -torch.inf)
        codes, _ = top_k(scores.flatten(0, 1), None, k)
        parts.append(codes.reshape(len(batch), part.shape[1], k))
    return np.concatenate(parts, axis=1).swapaxes(0, 1)
