"""Optional packages: an import that fails says what to install."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from recmodels.errors import InputError

Image = Literal["svg", "pdf", "png"]  # formats of figures that kaleido writes


@contextmanager
def needing(*packages: str) -> Iterator[None]:
    """Turn a failed import of one of these optional packages into an error that says what to install.

    Raises:
        InputError: a package is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error.name} is not installed: pip install {' '.join(packages)}") from None
