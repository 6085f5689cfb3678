"""A recommender as a program of torch that needs none of its classes: tokens in; scores and each site's output out.

Axes: b users, s steps, d hidden size, v items.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from recmodels.errors import InputError, one_line
from recmodels.model import SequentialRecommender
from recmodels.steady import steady

Change = Callable[[Tensor], Tensor]
EXAMPLE = (3, 5)  # users and items of the example that is traced
SERVE = "; serve it with RecommenderEnvoy.steer instead"  # what to do with one that cannot be exported
MOST_USERS = 2**20  # of a forward pass


@contextmanager
def changing(model: SequentialRecommender, changes: Mapping[str, Change]) -> Iterator[None]:
    """Replace the output of sites while the body runs."""
    hooks = [
        model.get_submodule(model.sites[site]).register_forward_hook(lambda *call, change=change: change(call[-1]))
        for site, change in changes.items()
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class WithSites(nn.Module):
    """Scores [b, v], and a copy of the output [b, s, d] of each site, of which everything after the site is made."""

    def __init__(self, model: SequentialRecommender, sites: Sequence[str]) -> None:
        super().__init__()
        self.model, self.sites = model, tuple(sites)

    def forward(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """Of tokens int64 [b, s]."""
        copies: dict[str, Tensor] = {}

        def copied(site: str) -> Change:
            return lambda hidden: copies.setdefault(site, hidden.clone())

        with changing(self.model, {site: copied(site) for site in self.sites}):
            scores = self.model(tokens).scores
        return scores, *(copies[site] for site in self.sites)


def suffix_of(model: SequentialRecommender, advice: str = SERVE) -> tuple[int, ...]:
    """The tokens that follow every history, such as BERT4Rec's [MASK].

    Args:
        model: the recommender.
        advice: how the message of an error ends.

    Raises:
        InputError: the model reads histories in another way than as their last items, padded on the left.
    """
    most = model.config.max_history
    histories = model.example_histories([1, min(3, most), most + 2])
    with steady(model):
        tokens, plain = model.inference_inputs(histories), histories.tokens(most)
    if tokens.ndim != 2 or not torch.equal(tokens[:, : plain.shape[1]], plain):
        raise InputError(
            f"{type(model).__name__} cannot be exported: it reads more than the last items of a history, such as times "
            f"or users{advice}"
        )
    suffix = tokens[:, plain.shape[1] :]
    assert (suffix == suffix[0]).all()
    return tuple(suffix[0].tolist())


def recommender_program(model: SequentialRecommender, sites: Sequence[str]) -> tuple[ExportedProgram, bool]:
    """The recommender as a program, and whether it reads `max_history` steps always, padding included.

    So it does where torch cannot export it for any number of steps, as where the module itself pads.

    Raises:
        InputError: torch cannot export it.
    """
    module = WithSites(model, sites)
    try:
        return exported(model, module), False
    except InputError:
        return exported(model, module, full_width=True), True


@torch.no_grad()
def exported(
    model: SequentialRecommender,
    module: nn.Module,
    *more: Tensor,
    full_width: bool = False,
    by_step: bool = False,
    advice: str = SERVE,
) -> ExportedProgram:
    """A module around the model as a program, for any number of users.

    Args:
        model: the recommender.
        module: reads tokens, and further inputs with a row for each user.
        *more: an example of these, with `EXAMPLE[0]` rows.
        full_width: whether tokens always have all steps; otherwise any number of them.
        by_step: whether the second axis of these inputs are the steps of tokens.
        advice: how the message of an error ends.

    Raises:
        InputError: torch cannot export it, with torch's reason.
    """
    suffix, most = suffix_of(model, advice), model.config.max_history
    users, steps = Dim("users", min=1, max=MOST_USERS), Dim("steps", min=1, max=most + len(suffix))
    inputs = (example_tokens(model, suffix, full_width), *more)
    by_token: Any = {0: users} if full_width else {0: users, 1: steps}
    shapes: Any = (by_token, *[by_token if by_step else {0: users}] * len(more))
    with steady(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about weights that modules such as its GRU keep twice
        try:
            return torch.export.export(module, inputs, dynamic_shapes=shapes, strict=False)
        except Exception as error:  # of torch, about the model's own code
            reason = one_line(str(error))[:200]
            raise InputError(f"{type(model).__name__} cannot be exported by torch.export: {reason}{advice}") from None


def example_tokens(model: SequentialRecommender, suffix: tuple[int, ...], full_width: bool) -> Tensor:
    """Tokens of `EXAMPLE[0]` histories, the first of which is padded; of all steps if `full_width`."""
    s = model.config.max_history if full_width else min(EXAMPLE[1], model.config.max_history)
    tokens = 1 + torch.arange(EXAMPLE[0] * s).reshape(EXAMPLE[0], s) % model.config.n_items
    tokens[0, : s - 1] = 0
    return torch.cat([tokens, torch.tensor([suffix] * EXAMPLE[0], dtype=torch.long)], dim=1)
