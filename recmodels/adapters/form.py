"""What an adapter must be before its module runs: its types and sizes."""

import inspect
import json
from typing import Any

from torch import nn

from recmodels.adapters.adapter import Adapter
from recmodels.errors import InputError, quote
from recmodels.scalars import as_whole_number


def check_form(adapter: Any) -> None:
    """Refuse what is no adapter, and one whose attributes have other types than they must.

    Raises:
        InputError: as said.
    """
    is_class = inspect.isclass(adapter)
    name = adapter.__name__ if is_class else type(adapter).__name__
    if is_class and issubclass(adapter, Adapter):
        raise InputError(f"{name} is a class: make an adapter of it, {name}(module, n_items=…, max_history=…)")
    if not isinstance(adapter, Adapter):
        what = "a class" if is_class else "a torch module" if isinstance(adapter, nn.Module) else "something else"
        raise InputError(
            f"{name} is {what}, not an adapter: subclass recmodels.adapters.Adapter with `run` and `weights`, and give "
            f"it the module"
        )
    if not isinstance(adapter.module, nn.Module):
        raise InputError(
            f"the module of {name} is {type(adapter.module).__name__}: build the network, load its weights, and give "
            f"it to the adapter"
        )
    empty = next((path for path, weights in adapter.module.named_parameters() if weights.is_meta), None)
    if empty is not None:
        raise InputError(
            f"{empty} of the module of {name} is on the device meta, so it has no values: load its weights first"
        )
    for size in ("n_items", "max_history"):
        value = as_whole_number(getattr(adapter, size))
        if value is None or value < 1:
            raise InputError(f"{size} of {name} is {quote(getattr(adapter, size))}: give a whole number of 1 or more")
        setattr(adapter, size, value)
    try:
        is_plain = isinstance(adapter.settings, dict) and bool(json.dumps(adapter.settings))
    except (TypeError, ValueError):
        is_plain = False
    if not is_plain:
        raise InputError(f"settings of {name} are {quote(adapter.settings)}: give a dict of JSON values for `build`")
