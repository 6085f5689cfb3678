"""The adapters that are known by name."""

from typing import TypeVar

from recmodels.adapters.adapter import Adapter
from recmodels.plugins import Registry

ADAPTERS: Registry[type[Adapter]] = Registry(
    "there is no adapter",
    "recmodels.adapters",
    "recmodels.adapters.register_adapter",
    home="recmodels.adapters.shipped",
)

Kind = TypeVar("Kind", bound=type[Adapter])


def register_adapter(adapter: Kind) -> Kind:
    """Register an adapter under its `name`, so that a saved study finds it; a decorator of the class.

    Raises:
        InputError: it has no name, or one of ours.
    """
    ADAPTERS.add(adapter.name, adapter, adapter.__module__)
    return adapter
