"""The public face of a package: names that are imported when they are first used."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from recmodels.quick_imports import import_quickly

DISTRIBUTION = "interp-recsys"


def public_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names are imported when they are first used.

    Args:
        package: the package's name.
        homes: name → the module that defines it. `__version__` is known as well.
    """

    def get(name: str) -> Any:
        if name == "__version__":
            return version(DISTRIBUTION)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_quickly(homes[name]), name)

    return get, lambda: sorted([*homes, "__version__"])
