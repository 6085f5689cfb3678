"""The trace of a recommender: it takes the recommender's lock, applies a steer first, and flushes at barriers."""

from types import CodeType
from typing import Any

from nnsight.intervention.barrier import Barrier
from nnsight.intervention.interleaver import Mediator
from nnsight.intervention.tracer import InterleavingTracer

from interp.steering.ambient import AmbientSteer
from interp.steering.edits import Steer


class FlushingBarrier(Barrier):
    """A barrier; edits before it have taken effect when it is passed."""

    def __call__(self) -> None:
        """Flush the edits of this invoke, and wait for the others."""
        Mediator.current("barrier").flush()
        super().__call__()


class Tracer(InterleavingTracer):
    """A trace that holds the recommender's lock and, in the tracing form of `steer`, applies it first."""

    def barrier(self, n: int) -> Barrier:
        """As nnsight's."""
        return FlushingBarrier(n)

    def __init__(self, *args: Any, steer: Steer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steer = steer

    def execute(self, code: CodeType) -> None:
        """Run the body of the trace under the lock and the steer."""
        envoy = self.envoy
        steer = Steer((), "") if self.steer is None else self.steer
        with envoy.lock, AmbientSteer(envoy.lock, steer, envoy, lambda: None), envoy._body():
            super().execute(code)
