"""The one door of the equalizer: what a page or a widget sends is checked here, and is plain inside.

A message is `{"method": name, "args": [...]}`, as JSON. Items, concepts and features are positions in what `about`
says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from interp.study.equalizer import CONCEPT_REACH, FEATURE_REACH
from recmodels.errors import InputError, quote

REACH = {"concept": CONCEPT_REACH, "feature": FEATURE_REACH}
HIGHEST_BOOST = 100.0  # standard deviations of a user's scores
ITEMS = 50_000  # of a history
SETTINGS = 2_000

Settings: TypeAlias = tuple[tuple[str, int, float], ...]
"""Kind, position and value of every slider that is not at 0."""


@dataclass(frozen=True)
class Sizes:
    """How many there are of what messages name by position."""

    items: int
    concepts: int
    features: int
    users: int


@dataclass(frozen=True)
class Message:
    """A message whose parts are what they should be; parts that its method does not take are empty.

    Attributes:
        method: what is asked for.
        history: item codes, the oldest first.
        settings: of sliders.
        boosts: concept → what is added to the scores of its items, in standard deviations of a user's scores.
        place: of a test user, or the code of an item.
        reasons: whether they are wanted, which takes longer.
    """

    method: str
    history: tuple[int, ...] = ()
    settings: Settings = ()
    boosts: tuple[tuple[int, float], ...] = ()
    place: int = -1
    reasons: bool = True


def read(message: Any, sizes: Sizes) -> Message:
    """A message after all checks.

    Raises:
        InputError: it is none that the equalizer's own component sends.
    """
    if not isinstance(message, dict) or set(message) != {"method", "args"} or not isinstance(message["args"], list):
        raise InputError("this is not a message to the equalizer: give a method and its args")
    method, args = message["method"], message["args"]
    if not isinstance(method, str) or method not in PARTS:
        raise InputError(f"there is no method {quote(method)}: choose one of {', '.join(PARTS)}")
    if method == "about":
        return Message(method) if not args else _refuse(method)
    if len(args) != 1:
        _refuse(method)
    if method == "user":
        return Message(method, place=_place(args[0], sizes.users, "test user"))
    (record,) = args
    if not isinstance(record, dict) or not set(record) <= set(PARTS[method]):
        _refuse(method)
    return Message(
        method, **{FIELDS.get(name, name): PARTS[method][name](record.get(name), sizes) for name in PARTS[method]}
    )


def _refuse(method: str) -> Any:
    parts = ", ".join(PARTS[method])
    raise InputError(f"{method!r} was sent the wrong args: it takes {f'an object of {parts}' if parts else 'none'}")


def _history(value: Any, sizes: Sizes) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise InputError(f"the history is {quote(value)}: give a list of items")
    if not value:
        raise InputError("there is no history yet: choose a test user, or add items")
    if len(value) > ITEMS:
        raise InputError(f"the history has {len(value):,} items: give at most {ITEMS:,}")
    return tuple(_place(item, sizes.items, "item") for item in value)


def _settings(value: Any, sizes: Sizes) -> Settings:
    if not isinstance(value, list) or len(value) > SETTINGS:
        raise InputError(f"the settings are {quote(value)}: give a list of at most {SETTINGS:,}")
    settings = []
    for row in value:
        if (
            not isinstance(row, dict)
            or set(row) != {"kind", "index", "value"}
            or row["kind"] not in ("concept", "feature")
        ):
            raise InputError(f"{quote(row)} is no setting: give kind (concept or feature), index and value")
        kind = row["kind"]
        index = _place(row["index"], sizes.concepts if kind == "concept" else sizes.features, kind)
        settings.append((kind, index, _number(row["value"], REACH[kind], f"{kind} {index}")))
    if len({setting[:2] for setting in settings}) < len(settings):
        raise InputError("a concept or feature has two settings: give each once")
    return tuple(setting for setting in settings if setting[2] != 0)


def _boosts(value: Any, sizes: Sizes) -> tuple[tuple[int, float], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise InputError(f"the boosts are {quote(value)}: give an object from concept to number")
    boosts = []
    for key, number in value.items():
        is_whole = isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10
        concept = _place(int(key) if is_whole else key, sizes.concepts, "concept")
        boosts.append((concept, _number(number, HIGHEST_BOOST, f"the boost of concept {concept}")))
    return tuple(boost for boost in boosts if boost[1] != 0)


def _wish(value: Any, _sizes: Sizes) -> bool:
    """Whether something is wanted; it is, unless the message says otherwise."""
    if value is not None and not isinstance(value, bool):
        raise InputError(f"reasons is {quote(value)}: give true or false")
    return value is not False


def _item(value: Any, sizes: Sizes) -> int:
    return _place(value, sizes.items, "item")


def _place(value: Any, n: int, kind: str) -> int:
    """A position among n."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < n:
        raise InputError(
            f"there is no {kind} {quote(value)}: " + (f"give 0 to {n - 1}" if n else "there are none here")
        )
    return value


def _number(value: Any, reach: float, name: str) -> float:
    """A finite number from −reach to reach."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= reach or not isfinite(value):
        raise InputError(f"{name} is {quote(value)}: give a number from {-reach:g} to {reach:g}")
    return float(value)


PARTS: dict[str, dict[str, Callable[[Any, Sizes], Any]]] = {
    "about": {},
    "user": {},
    "run": {"history": _history, "settings": _settings, "boosts": _boosts, "reasons": _wish},
    "lights": {"history": _history},
    "explain": {"history": _history, "settings": _settings, "item": _item},
    "measure": {"settings": _settings},
}
"""The methods, and the parts of the object that each takes."""
FIELDS = {"item": "place"}
