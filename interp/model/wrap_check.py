"""Checks of a wrapped recommender: each site in a trace against a plain hook, and each history alone.

What needs no trace is measured in `recmodels.adapters`: by `checks` when a module is wrapped, and by `verification`
against the scores of the program that trained it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from nnsight import save
from torch import Tensor

from recmodels.errors import InputError
from recmodels.recommender import Recommender
from recmodels.sequences import Histories
from recmodels.steady import steady
from recmodels.tolerance import is_close


class Wrapped(Protocol):
    """The part of a wrapped recommender that the checks use."""

    recommender: Recommender

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """Open a trace."""

    def site(self, name: str) -> Any:
        """The envoy of a site."""

    def score(self, histories: Histories) -> Tensor:
        """[b, v] scores."""

    @property
    def scores(self) -> Tensor:
        """[b, v] scores in a trace."""


@dataclass(frozen=True)
class Pass:
    """A forward pass of the bare model.

    Attributes:
        histories: its input.
        tokens: [b, s], what the model read.
        outputs: the output of every site, by plain hooks.
        scores: [b, v].
    """

    histories: Histories
    tokens: Tensor
    outputs: dict[str, Any]
    scores: Tensor


def bare_pass(recommender: Recommender) -> Pass:
    """A forward pass of the model before it is wrapped, on two histories of different lengths.

    Raises:
        InputError: its scores are not finite, or a site gives no hidden states.
    """
    model = recommender.model
    histories = model.example_histories([2, 3])
    outputs: dict[str, Any] = {}
    with steady(model):  # in the current grad mode, as in a trace: kernels may depend on it
        tokens = model.inference_inputs(histories).to(model.device)
        hooks = [
            model.get_submodule(path).register_forward_hook(lambda *call, name=name: outputs.update({name: call[-1]}))
            for name, path in model.sites.items()
        ]
        try:
            scores = model(tokens).scores
        finally:
            for hook in hooks:
                hook.remove()
    if not torch.isfinite(scores).all():
        raise InputError("the recommender's scores are not finite: its weights are damaged, train it again")
    for name, output in outputs.items():
        if not isinstance(output, Tensor) or output.shape != (*model.step_tokens(tokens).shape, model.width(name)):
            raise InputError(
                f"site {name} of {type(model).__name__} does not give hidden states [user, step, "
                f"{model.width(name)}]: name in site_paths a module whose output is that tensor and nothing else"
            )
    # Copies, so that later code cannot change them.
    return Pass(histories, tokens, {name: output.clone() for name, output in outputs.items()}, scores.clone())


def check_faithful(rec: Wrapped, bare: Pass, weights: str) -> None:
    """Compare every site in a trace with the bare model, to detect changes of nnsight or of a model.

    Args:
        rec: the wrapped recommender.
        bare: the forward pass before wrapping.
        weights: the recommender's fingerprint before wrapping.

    Raises:
        InputError: they differ, or the model's scores depend on the padding.
    """
    recommender, model = rec.recommender, rec.recommender.model
    if Recommender(model, recommender.vocabulary).fingerprint != weights:
        raise InputError(
            "the weights of this recommender have changed since it was made: make it again, as "
            "Recommender(model, vocabulary)"
        )
    from_trace: dict[str, Tensor] = {}
    with rec.trace(bare.tokens):
        for name in model.sites:
            from_trace[name] = save(rec.site(name).output)
        scores = save(rec.scores)
    sites_match = all(torch.equal(from_trace[name], bare.outputs[name]) for name in model.sites)
    if not (sites_match and torch.equal(scores, bare.scores)):
        raise InputError(
            "a trace of this recommender differs from the bare model: install the nnsight of constraints.txt"
        )
    alone = torch.cat([recommender.score(history) for history in bare.histories.batches(1)])
    if not is_close(alone, bare.scores).all():
        raise InputError(
            f"{type(model).__name__} scores a history differently alone than beside a longer one: make sure that its "
            f"padding, token 0 on the left, changes nothing"
        )
