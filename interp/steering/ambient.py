"""Steers in force for a stretch of code: `with rec.steer(…):`. Nothing here traces a model."""

from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, NoReturn

from interp.steering.edits import Steer
from interp.steering.validation import check_reach
from recmodels.errors import InputError


class Force:
    """A steer in force, known by its identity, and what forward passes it has met."""

    def __init__(self, owner: object, steer: Steer) -> None:
        self.owner, self.steer = owner, steer
        self.ended = False
        self.users: list[Any] = []  # one that it has no value for, then one that it has
        self.steps = 0  # of the widest pass

    def meet(self, users: Iterable[Any] | None, steps: int) -> None:
        """Remember a forward pass over these users, where the steer asks for them, with so many steps."""
        self.steps = max(self.steps, steps)
        if users is not None:
            named = self.steer.users
            met = [user for user in users if user in named]
            self.users = met[:1] or self.users or list(users)[:1]

    def end(self) -> None:
        """Be in force no more, in whatever thread, task or generator the steer was seen."""
        self.ended = True


# Outermost first. A context variable, so that a steer never leaks into another thread or task.
_IN_FORCE: ContextVar[tuple[Force, ...]] = ContextVar("steers_in_force", default=())


def in_force(owner: object) -> list[Force]:
    """The steers of an owner that are in force here, outermost first."""
    return [force for force in _IN_FORCE.get() if force.owner is owner and not force.ended]


class AmbientSteer(ContextDecorator):
    """Puts a steer in force while a block runs, and takes away this one and no other.

    It may be used again once its block has ended; as a decorator each call has a block of its own.

    Args:
        owner: whose steer it is.
        steer: what is done.
        result: what `as` gives.
        check: raises where no block can be opened.
    """

    def __init__(self, owner: object, steer: Steer, result: Any, check: Callable[[], None]) -> None:
        self.owner, self.steer, self.result, self.check = owner, steer, result, check
        self.force: Force | None = None

    def __enter__(self) -> Any:
        self.check()
        if self.force is not None:
            raise InputError("this steer is in force already: call rec.steer again for a second one")
        self.force = Force(self.owner, self.steer)
        if not self.steer.empty:
            _IN_FORCE.set((*_IN_FORCE.get(), self.force))
        return self.result

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        force, self.force = self.force, None
        if force is None:
            return
        force.end()
        _IN_FORCE.set(tuple(other for other in _IN_FORCE.get() if not other.ended))
        if kind is None:
            check_reach(self.steer, force.users, force.steps)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise InputError("a block's steer cannot be copied or pickled: keep what rec.steer_of makes")

    def _recreate_cm(self) -> "AmbientSteer":
        return AmbientSteer(self.owner, self.steer, self.result, self.check)
