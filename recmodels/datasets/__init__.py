"""Public datasets and a planted synthetic one, by name: `load("ml-100k")`.

One module per source family. Each has `NAMES` and `load(name, folder, cache)`; naming it in `_SOURCES` below
is all that a new one needs.
"""

from collections.abc import Callable
from pathlib import Path

from recmodels.datasets import lastfm, movielens, music4all, planted, recbole
from recmodels.errors import InputError, shown
from recmodels.interactions import Dataset
from recmodels.paths import as_path

Loader = Callable[[str, Path | None, Path | None], Dataset]


def _planted(name: str, folder: Path | None, cache: Path | None) -> Dataset:
    if folder is not None:
        raise InputError(f"{name} is generated, not read: leave {folder} out")
    return planted.load()


_SOURCES: dict[str, Loader] = {
    **{name: source.load for source in (movielens, music4all, lastfm, recbole) for name in source.NAMES},
    planted.NAME: _planted,
}

NAMES = tuple(_SOURCES)


def load(name: str, folder: str | Path | None = None, cache: str | Path | None = None) -> Dataset:
    """One of the datasets in `NAMES`.

    Args:
        name: which one.
        folder: a copy that is on this machine, as a folder or as the official `.zip`; without it the dataset
            comes from the cache, which is filled by downloading.
        cache: where downloads are kept; env INTERP_CACHE, or `~/.cache/interp`, when absent.

    Raises:
        InputError: unknown name, a missing file, a row in another format, or nothing to download from.
    """
    if not isinstance(name, str) or name not in _SOURCES:
        raise InputError(f"there is no dataset {shown(name)}: choose one of {', '.join(NAMES)}")
    return _SOURCES[name](
        name,
        None if folder is None else as_path(folder),
        None if cache is None else as_path(cache),
    )
