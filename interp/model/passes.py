"""Forward passes through an envoy: the steers in force act in each, and several invokes share one.

Axes: b users, s steps.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from nnsight import NNsight
from nnsight.intervention.interleaver import Mediator
from torch import Tensor

from interp.steering.ambient import Force, in_force
from interp.steering.edits import Steer
from recmodels.errors import InputError
from recmodels.recommender import Recommender
from recmodels.steady import check_precision, steady


class SteeredPasses(NNsight):
    """nnsight's hooks around a forward pass; a part of `RecommenderEnvoy`."""

    recommender: Recommender
    lock: Any
    _bodies: list[int]  # threads in which the body of a trace runs
    _tokens: Any
    _latest: Any
    _users: Any
    site: Any

    def interleave(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a forward pass with the steers in force; nnsight's driver behind every trace."""
        check_precision(self.recommender.model)
        workers = [self._worker(force) for force in in_force(self.lock)]
        try:
            with self.lock, steady(self.recommender.model), self._body():
                copy = self._shallow_copy()
                copy._edits = [*self._edits, *workers]
                return NNsight.interleave(copy, fn, *args, **kwargs)
        finally:
            self._latest = None

    def _batch_size(self, *inputs: Any, **kwargs: Any) -> int:
        return len(self._tokens(inputs[0])) if inputs else 0

    def _batch(self, invokes: list[tuple], fn: Any) -> tuple:
        parts = [self._tokens(inputs[0]) for inputs, _ in invokes]
        width = max(part.shape[1] for part in parts)
        return (torch.cat([_padded(part, width) for part in parts]),), {}

    @contextmanager
    def _body(self) -> Iterator[None]:
        """Record that this thread is in the body of a trace, whose code runs in greenlets of the thread."""
        self._bodies.append(threading.get_ident())
        try:
            yield
        finally:
            self._bodies.pop()

    def _refuse_inside(self) -> None:
        if threading.get_ident() in self._bodies:
            raise InputError(
                "a trace of this recommender is open; a steer or another call inside has no effect or breaks it: put "
                "the steer around the trace, and call the recommender before or after it"
            )

    def _worker(self, force: Force) -> Mediator:
        steer: Steer = force.steer
        site: Any = self.site(steer.site)

        def intervene() -> None:
            hidden, users = site.output, self._users() if steer.by_user else None
            force.meet(users, hidden.shape[1])
            site.output = steer.apply(hidden, site.sae, users)

        # As nnsight does with the body of a trace; here the worker calls a function.
        return Mediator(_CALL, {}, {"intervene": intervene}, copy=True)


def _padded(tokens: Tensor, width: int) -> Tensor:
    """Tokens [b, s] or [b, s, n], padded on the left to `width` steps."""
    return F.pad(tokens, (0, 0) * (tokens.ndim - 2) + (width - tokens.shape[1], 0))


_CALL = compile("intervene()", "<steer>", "exec")
