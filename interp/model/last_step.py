"""The one fast path: many values of the last step's hidden state, scored without running again what comes before it.

Axes: b users, s steps, e values, d hidden size.
"""

from collections.abc import Callable

import torch
from nnsight import save
from torch import Tensor

from interp.model.envoys import RecommenderEnvoy
from recmodels.sequences import Histories

BLOCK = "blocks."


def block_number(rec: RecommenderEnvoy, site: str) -> int | None:
    """The number of the block whose output a site is; None for another site, or while a steer is in force."""
    number = site.removeprefix(BLOCK)
    return int(number) if number.isdigit() and not rec.steered else None


@torch.no_grad()
def score_last_step(
    rec: RecommenderEnvoy,
    histories: Histories,
    site: str,
    values: Callable[[Tensor], Tensor],
    before: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """What the scorer reads when the last step's hidden state at a site is each of several values.

    At the output of a block all values take one pass together through the blocks that follow; at another site, or under
    steers in force, each takes a pass of its own.

    Args:
        rec: the recommender.
        histories: b users; as many as fit into memory with all values.
        site: where.
        values: given the site's hidden states [b, s, d], the values [b, e, d] of the last step.
        before: given the same, the hidden states [b, s, d] of the steps before; by default as they are.

    Returns:
        [b, e, d]; `rec.recommender.model.scorer` makes scores of it.
    """
    model, block = rec.recommender.model, block_number(rec, site)
    hidden = rec.hidden(histories, site)
    last, earlier = values(hidden), hidden if before is None else before(hidden)
    if block is not None:
        tokens = model.inference_inputs(histories).to(hidden.device)
        return model.scored_after(block, tokens, earlier, last)
    scored = []
    for value in last.unbind(dim=1):
        changed = torch.cat([earlier[:, :-1], value[:, None]], dim=1)
        with rec.trace(histories):
            rec.site(site).output = changed
            final = save(rec.final.output)
        scored.append(final[:, -1])
    return torch.stack(scored, dim=1)
