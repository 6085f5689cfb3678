"""Steers in force for a stretch of code: `with rec.steer(…):`. Nothing here traces a model."""

from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, NoReturn

from interp.steering.edits import Steer
from interp.steering.validation import check_reach
from recmodels.errors import InputError


class Force:
    """A steer in force, and what it has seen of the forward passes."""

    def __init__(self, owner: object, steer: Steer) -> None:
        self.owner, self.steer = owner, steer
        self.ended = False
        self.users: list[Any] = []  # a user with a value in the steer; if there is none so far, a user without
        self.steps = 0  # of the widest pass

    def meet(self, users: Iterable[Any] | None, steps: int) -> None:
        """Record a forward pass: its number of steps and, if the steer has values by user, its users."""
        self.steps = max(self.steps, steps)
        if users is not None:
            own_users = self.steer.users
            matches = [user for user in users if user in own_users]
            self.users = matches[:1] or self.users or list(users)[:1]

    def end(self) -> None:
        """End the steer in every thread, task and generator that knows it."""
        self.ended = True


# Outermost first. A context variable, so that a steer never leaks into another thread or task.
_IN_FORCE: ContextVar[tuple[Force, ...]] = ContextVar("steers_in_force", default=())


def in_force(owner: object) -> list[Force]:
    """The steers of an owner that are in force here, outermost first."""
    return [force for force in _IN_FORCE.get() if force.owner is owner and not force.ended]


class AmbientSteer(ContextDecorator):
    """Keeps a steer in force while a block runs, and removes only this steer at the end.

    It can be used again after its block has ended; as a decorator, each call has its own block.

    Args:
        owner: whose steer it is.
        steer: what is done.
        result: the value for `as`.
        check: raises an error where no block can be opened.
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
        _IN_FORCE.set(tuple(entry for entry in _IN_FORCE.get() if not entry.ended))
        if kind is None:
            check_reach(self.steer, force.users, force.steps)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise InputError("a block's steer cannot be copied or pickled: keep what rec.steer_of makes")

    def _recreate_cm(self) -> "AmbientSteer":
        return AmbientSteer(self.owner, self.steer, self.result, self.check)
