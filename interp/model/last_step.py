"""The one fast path: scores many values of the last step's hidden state, and runs the layers before it only once.

Axes: b users, s steps, e values, d hidden size.
"""

from collections.abc import Callable
from typing import Any

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
    """What the scorer reads when the last step's hidden state at a site is replaced by each of several values.

    At the output of a block, all values go through the later blocks in one pass; at another site, or under steers in
    force, each value takes its own pass.

    Args:
        rec: the recommender.
        histories: b users; as many as fit into memory with all values.
        site: where.
        values: maps the site's hidden states [b, s, d] to the values [b, e, d] of the last step.
        before: maps the same to the hidden states [b, s, d] of the earlier steps; by default these stay as they are.

    Returns:
        [b, e, d]; `rec.recommender.model.scorer` turns it into scores.
    """
    model, block = rec.recommender.model, block_number(rec, site)
    hidden = rec.hidden(histories, site)
    last, earlier = values(hidden), hidden if before is None else before(hidden)
    if block is not None:
        tokens = model.inference_inputs(histories).to(hidden.device)
        return model.scored_after(block, tokens, earlier, last)
    envoy: Any = rec.site(site)
    outputs = []
    for value in last.unbind(dim=1):
        changed = torch.cat([earlier[:, :-1], value[:, None]], dim=1)
        with rec.trace(histories):
            envoy.output = changed
            final = save(rec.final.output)
        outputs.append(final[:, -1])
    return torch.stack(outputs, dim=1)
