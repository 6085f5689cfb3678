"""Packages that only some parts need, and what to do where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from recmodels.errors import InputError

Image = Literal["svg", "pdf", "png"]  # formats of figures that kaleido writes


@contextmanager
def needing(*packages: str) -> Iterator[None]:
    """Imports inside need these packages, which are not installed with the others.

    Raises:
        InputError: one of them is not there.
    """
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install {' '.join(packages)}") from None
