"""An exported recommender as a function of tokens, with a place for steers at each site.

Axes: b users, s steps, d hidden size, v items.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, fx

from recmodels.errors import InputError, one_line

Change = Callable[[Tensor], Tensor]
"""[b, s, d] hidden states of a site to those that replace them."""
Program = Callable[[Tensor, Mapping[str, Change]], Tensor]
"""Tokens int64 [b, s] and the change at each steered site to scores [b, v]."""


def changed(hidden: Tensor, changes: Mapping[str, Change], site: str) -> Tensor:
    """What the rest of the program reads at a site."""
    change = changes.get(site)
    return hidden if change is None else change(hidden)


def load_program(path: Path, sites: Sequence[str]) -> Program:
    """The program of a file that `torch.export.save` wrote: it returns scores, and a copy of each site's output.

    Each copy becomes the place of that site's steer; the copies themselves are not made any more.

    Args:
        path: the file. Loading it may run code that it holds: only load files that you exported yourself.
        sites: the names of the sites, in the order of the program's results.

    Raises:
        InputError: this version of torch cannot load it, or it is another program.
    """
    try:
        module = torch.export.load(path).module()
    except Exception as error:  # of torch, which changes the format between versions
        reason = one_line(str(error))[:200]
        raise InputError(f"torch {torch.__version__} cannot load {path} ({reason}): export the study again") from None
    graph: fx.Graph = module.graph
    (output,) = graph.find_nodes(op="output")
    scores, *copies = output.args[0]
    if len(copies) != len(sites):
        raise InputError(f"{path} has {len(copies)} sites, not {len(sites)}: export the study again")
    with graph.inserting_after(graph.find_nodes(op="placeholder")[-1]):
        changes = graph.placeholder("changes")
    for site, copy in zip(sites, copies, strict=True):
        copy.target, copy.args, copy.kwargs = changed, (copy.args[0], changes, site), {}
    output.args = (scores,)
    graph.set_codegen(fx.graph.CodeGen())  # arguments one by one, as the placeholders are
    graph.lint()
    return fx.GraphModule(module, graph)
