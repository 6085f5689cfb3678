"""Imports of many modules in less time."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


def import_quickly(name: str) -> ModuleType:
    """A module by its name; if it has to be imported, without the garbage collector.

    torch and transformers make half a million objects that stay for good. To look through them again and again, while
    they are imported and after, takes a fifth of the time. They are taken off the collector's list.
    """
    if name in sys.modules:
        return import_module(name)
    with _no_collection():
        return import_module(name)


@contextmanager
def _no_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
