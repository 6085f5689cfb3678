"""The one fast path: scores many values of the last step's hidden state, and runs the layers before it only once.

Axes: b users, s steps, e values, d hidden size.
"""

from typing import Any

import numpy as np
import torch
from nnsight import save
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from recmodels.sequences import Histories
from recmodels.steady import steady

_BLOCK = "blocks."
_ROWS = 128  # per traced pass


def block_number(rec: RecommenderEnvoy, site: str) -> int | None:
    """The number of the block whose output a site is; None for another site, or while a steer is in force."""
    number = site.removeprefix(_BLOCK)
    return int(number) if number.isdigit() and not rec.steered else None


@steady()
def score_last_step(rec: RecommenderEnvoy, histories: Histories, site: str, hidden: Tensor, last: Tensor) -> Tensor:
    """What the scorer reads when the last step's hidden state at a site is each of several values.

    At the output of a block all values take one pass together through the blocks that follow. At another site, or while
    a steer is in force, each takes a row of a traced pass; a steer at the same site does not act on the values again.

    Args:
        rec: the recommender.
        histories: b users; as many as fit into memory with all values.
        site: where.
        hidden: [b, s, d] hidden states of the site, such as `rec.hidden(histories, site)`; the last step is not used.
        last: [b, e, d] values of the last step; gradients flow to them if they require any.

    Returns:
        [b, e, d of "final"]; `rec.recommender.model.score_hidden` turns it into scores.
    """
    with torch.set_grad_enabled(last.requires_grad):
        return _score_last_step(rec, histories, site, hidden, last)


def _score_last_step(rec: RecommenderEnvoy, histories: Histories, site: str, hidden: Tensor, last: Tensor) -> Tensor:
    model, block = rec.recommender.model, block_number(rec, site)
    if block is not None:
        with steady(model):
            return model.scored_after(block, model.inference_inputs(histories).to(hidden.device), hidden, last)
    if site == "final":
        return last  # nothing follows but scoring
    per_pass = max(1, _ROWS // len(histories))
    return torch.cat([_traced(rec, histories, site, hidden, some) for some in last.split(per_pass, dim=1)], dim=1)


@steady()
def score_steps(rec: RecommenderEnvoy, histories: Histories, site: str, hidden: Tensor) -> Tensor:
    """Scores when the hidden states of a site are these, with gradients if they are enabled.

    At the output of a block only the blocks that follow run, and in the last one the last step alone; at another site,
    or while a steer is in force, a traced pass.

    Args:
        rec: the recommender.
        histories: one history, or r of them.
        site: where.
        hidden: [r, s, d].

    Returns:
        [r, v].
    """
    rows = histories.select(np.zeros(len(hidden), dtype=int)) if len(histories) == 1 else histories
    model, block = rec.recommender.model, block_number(rec, site)
    if block is None:
        envoy: Any = rec.site(site)
        with rec.trace(rows):
            envoy.output = hidden
            scores = save(rec.scores)
        return scores
    with steady(model):
        tokens = model.inference_inputs(rows).to(hidden.device)
        return model.score_hidden(model.scored_after(block, tokens, hidden, hidden[:, -1:])[:, 0])


def _traced(rec: RecommenderEnvoy, histories: Histories, site: str, hidden: Tensor, last: Tensor) -> Tensor:
    """The same in one traced pass, a row for each user and value."""
    b, e, d = last.shape
    envoy: Any = rec.site(site)
    rows = histories.select(np.repeat(np.arange(b), e))
    states = torch.cat([hidden[:, :-1].repeat_interleave(e, dim=0), last.reshape(b * e, 1, d)], dim=1)
    with rec.trace(rows):
        envoy.output = states
        final = save(rec.final.output)
    return final[:, -1].view(b, e, -1)
