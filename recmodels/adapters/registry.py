"""The adapters that are known by name."""

from typing import TypeVar

from recmodels.adapters.adapter import Adapter
from recmodels.errors import InputError, quote
from recmodels.plugins import Registry

ADAPTERS: Registry[type[Adapter]] = Registry(
    "there is no adapter",
    "recmodels.adapters",
    "recmodels.adapters.register_adapter",
    home="recmodels.adapters.shipped",
)

Kind = TypeVar("Kind", bound=type[Adapter])


def check_known(name: object) -> None:
    """Refuse a saved recommender whose adapter is not registered here.

    Raises:
        InputError: there is no adapter of this name.
    """
    ADAPTERS.load()
    if not isinstance(name, str) or name not in ADAPTERS:
        raise InputError(
            f"this recommender needs the adapter {quote(name)}, which is not known here: import the file that "
            f"registers it first (`interp --import FILE …`, or import it in Python)"
        )


def register_adapter(adapter: Kind) -> Kind:
    """Register an adapter under its `name`, so that a saved study finds it; a decorator of the class.

    Raises:
        InputError: it has no name, or one of ours.
    """
    ADAPTERS.add(adapter.name, adapter, adapter.__module__)
    return adapter
