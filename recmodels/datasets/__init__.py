"""Public datasets and a planted synthetic one, by name: `load("ml-100k")`.

One module per source family. Each has `NAMES` and `load(name, folder, cache)`; naming it in `SOURCES` below is all that
a new one needs. A script or another package adds its own by `register_dataset` (docs/plugins/dataset.md).
"""

from collections.abc import Callable
from pathlib import Path

from recmodels.datasets import lastfm, mind, movielens, music4all, planted, recbole
from recmodels.errors import InputError, an
from recmodels.interactions import Dataset
from recmodels.paths import as_path
from recmodels.plugins import Registry

SOURCES = (movielens, music4all, lastfm, recbole, mind)

Loader = Callable[[str, Path | None, Path | None], Dataset]
_LOADERS: Registry[Loader] = Registry(
    "there is no dataset", "recmodels.datasets", "recmodels.datasets.register_dataset"
)


def register_dataset(name: str, loader: Loader) -> Loader:
    """Register a data set under a name, for `load`, `StudyConfig(dataset=name)` and `interp study NAME`.

    Args:
        name: what it is called.
        loader: called with this name, the folder or archive that the user passed, and the folder for downloads (both
            None where the user passed none); it returns the data, for example from
            `recmodels.from_tables(interactions, items, columns, name)`.

    Returns:
        The loader.

    Raises:
        InputError: this package has a data set of that name.
    """
    _LOADERS.add(name, loader, loader.__module__)
    return loader


def names() -> tuple[str, ...]:
    """The names of all data sets that `load` knows, those of installed packages included.

    Raises:
        InputError: such a package cannot be imported.
    """
    _LOADERS.load()
    return tuple(_LOADERS)


def check(name: str) -> None:
    """Refuse an unknown name, without reading anything.

    Raises:
        InputError: there is no data set of this name.
    """
    _LOADERS.check(name)


def _planted(name: str, folder: Path | None, cache: Path | None) -> Dataset:
    if folder is not None:
        raise InputError(f"{name} is generated, not read: leave {folder} out")
    return planted.load()


def load(name: str, folder: str | Path | None = None, cache: str | Path | None = None) -> Dataset:
    """One of the datasets in `names()`.

    Args:
        name: which one.
        folder: a copy that is on this machine, as a folder or as the official `.zip`; without it the dataset
            comes from the cache, which is filled by downloading.
        cache: where downloads are kept; env INTERP_CACHE, or `~/.cache/interp`, when absent.

    Raises:
        InputError: unknown name, a missing file, a row in another format, or nothing to download from.
    """
    dataset = _LOADERS.find(name)(
        name,
        None if folder is None else as_path(folder),
        None if cache is None else as_path(cache),
    )
    if not isinstance(dataset, Dataset):
        raise InputError(f"the loader of {name} gives {an(type(dataset).__name__)}: return a recmodels.Dataset")
    return dataset


for _source in SOURCES:
    for _name in _source.NAMES:
        register_dataset(_name, _source.load)
register_dataset(planted.NAME, _planted)
