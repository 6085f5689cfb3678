"""A recommender as one graph of ONNX that reads a change of a site beside tokens: what a page needs to steer it.

Axes: b users, s tokens of each, n steps with hidden states (s, or 1 where the module has no steps), d width of the
site, v items.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from interp.deployment.onnx_graph import onnx_graph, run_onnx
from interp.deployment.recommender_program import EXAMPLE, changing, example_tokens, exported, suffix_of
from recmodels.errors import InputError
from recmodels.model import SequentialRecommender
from recmodels.steady import steady

TOLERANCE = 1e-5  # of hidden states and scores, beside the largest
INPUTS, OUTPUTS = ("tokens", "change"), ("hidden", "scores")


class WithChange(nn.Module):
    """A site's output [b, n, d], and scores [b, v] where a change of the same shape is added to it."""

    def __init__(self, model: SequentialRecommender, site: str) -> None:
        super().__init__()
        self.model, self.site = model, site

    def forward(self, tokens: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """Of tokens int64 [b, s] and the change."""
        states: list[Tensor] = []

        def changed(hidden: Tensor) -> Tensor:
            states.append(hidden.clone())
            return hidden + change

        with changing(self.model, {self.site: changed}):
            scores = self.model(tokens).scores
        return states[0], scores


@dataclass(frozen=True)
class ChangedProgram:
    """A recommender as a graph, with inputs `tokens` and `change` and outputs `hidden` and `scores` (`WithChange`).

    Attributes:
        graph: the content of an .onnx file.
        suffix: tokens after every history, such as BERT4Rec's [MASK].
        width: how many tokens each history has, padding and suffix included; None for any number.
    """

    graph: bytes
    suffix: tuple[int, ...]
    width: int | None


def changed_program(model: SequentialRecommender, site: str) -> ChangedProgram:
    """The recommender as a graph, for any number of steps, or else for `max_history` ones; compared with itself.

    Raises:
        InputError: it reads more than items, torch cannot export it, or the graph gives something else.
    """
    try:
        return _program(model, site, full_width=False)
    except InputError:
        return _program(model, site, full_width=True)


@torch.no_grad()
def _program(model: SequentialRecommender, site: str, full_width: bool) -> ChangedProgram:
    suffix = suffix_of(model, advice="")
    module = WithChange(model, site)
    tokens = example_tokens(model, suffix, full_width)
    steps = tokens.shape[1] if model.has_steps else 1
    change = torch.zeros(EXAMPLE[0], steps, model.width(site))
    options = {"full_width": full_width, "by_step": model.has_steps}
    program = exported(model, module, change, **options, advice="")
    graph = onnx_graph(model, program, INPUTS, OUTPUTS)
    _check(model, module, graph, full_width)
    return ChangedProgram(graph, suffix, tokens.shape[1] if full_width else None)


def _check(model: SequentialRecommender, module: WithChange, graph: bytes, full_width: bool) -> None:
    """Compare the graph with the recommender, on histories of several lengths with a change and without.

    Raises:
        InputError: they differ.
    """
    most, generator = model.config.max_history, torch.Generator().manual_seed(0)
    for lengths in ([1, min(3, most), most + 2], *([] if full_width else [[1], [min(2, most)] * 2])):
        tokens = model.inference_inputs(model.example_histories(lengths))
        shape = (len(tokens), tokens.shape[1] if model.has_steps else 1, model.width(module.site))
        for size in (0.0, 0.5):
            change = size * torch.randn(shape, generator=generator)
            with steady(model):
                expected = module(tokens, change)
            results = run_onnx(graph, {"tokens": tokens, "change": change})
            for name, result, own in zip(OUTPUTS, results, expected, strict=True):
                is_real = (tokens != 0) if name == "hidden" and model.has_steps else slice(None)
                error = float((result - own)[is_real].abs().max() / own[is_real].abs().max().clamp_min(1e-12))
                if not error <= TOLERANCE:
                    raise InputError(
                        f"{type(model).__name__} gives other {name} as ONNX, by {error:.1g} of the largest number"
                    )
