"""Registries of named things, such as data sets and recommenders, to which other packages can add.

A script adds with a call such as `register_dataset`. An installed package names the module with these calls as an entry
point, in its pyproject.toml:

    [project.entry-points."recmodels.datasets"]
    shop = "shop_plugin.data"

The module is imported at the first look-up in that group.
"""

import os
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from recmodels.errors import InputError, quote
from recmodels.quick_imports import import_quickly

Thing = TypeVar("Thing")
_IMPORTED: set[EntryPoint] = set()


class Registry(dict[str, Thing]):
    """Things by name: those of this project, those of installed packages, and those that a script registers.

    Args:
        unknown: how the message about an unknown name begins, such as "there is no dataset".
        group: the entry points that add to it, such as "recmodels.datasets".
        register: the function that adds to it, for messages.
        home: the module whose import registers those of this project; None if they are registered already.
        ours: the names that it registers, for checks that do not import it.
    """

    def __init__(
        self, unknown: str, group: str, register: str, home: str | None = None, ours: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.ours = ours
        self.unknown, self.group, self.register, self.home = unknown, group, register, home
        self._ours: set[str] = set()

    def add(self, name: str, thing: Thing, module: str) -> None:
        """Register a thing. A second one under the same name replaces the first.

        Args:
            name: what it is called.
            thing: what it is.
            module: where it is defined.

        Raises:
            InputError: this project has another thing of that name, or the name is not text.
        """
        if not isinstance(name, str) or not name:
            raise InputError(f"{self.register} was given the name {quote(name)}: give a text, such as 'shop'")
        self._import_home()
        is_own = module.partition(".")[0] == self.group.partition(".")[0]
        if name in self._ours and not is_own:
            raise InputError(f"{self.register}: {quote(name)} is already one of ours: give yours another name")
        if is_own:
            self._ours.add(name)
        self[name] = thing

    def find(self, name: str) -> Thing:
        """The thing of a name.

        Raises:
            InputError: there is none, or an installed package cannot be imported.
        """
        self.check(name)
        self.load()
        return self[name]

    def check(self, name: str) -> None:
        """Refuse an unknown name, without importing the things of this project.

        Raises:
            InputError: there is no such thing, or an installed package cannot be imported.
        """
        if isinstance(name, str) and (name in self.ours or name in self):
            return
        if not self.ours:  # only its home knows them
            self._import_home()
        import_entry_points(self.group)
        if not isinstance(name, str) or name not in self:
            known = ", ".join(dict.fromkeys([*self.ours, *self]))
            raise InputError(
                f"{self.unknown} {quote(name)}: choose one of {known}, or register your own first ({self.register})"
            )

    def load(self) -> None:
        """Import what registers the things of this project and of installed packages, unless this has been done."""
        self._import_home()
        import_entry_points(self.group)

    def _import_home(self) -> None:
        home, self.home = self.home, None
        if home is not None:
            import_quickly(home)


def _stamp(folder: str) -> tuple[str, int]:
    """A folder of modules and when its content changed; 0 if it does not exist."""
    try:
        return folder, os.stat(folder or ".").st_mtime_ns
    except OSError:
        return folder, 0


@lru_cache(maxsize=4)
def _entries(_folders: tuple[tuple[str, int], ...]) -> Any:
    """All entry points. To read all installed packages takes 20 ms: once is enough until one is installed."""
    return entry_points()


def import_entry_points(group: str) -> None:
    """Import what installed packages name in a group of entry points, each once.

    Raises:
        InputError: one cannot be imported.
    """
    for entry in _entries(tuple(map(_stamp, sys.path))).select(group=group):
        if entry in _IMPORTED:
            continue
        _IMPORTED.add(entry)
        try:
            entry.load()
        except Exception as error:
            _IMPORTED.discard(entry)
            package = entry.dist.name if entry.dist else "a package"
            reason = (str(error).splitlines() or [""])[0]
            raise InputError(
                f"{package} adds {entry.name} = {entry.value} to {group}, which cannot be imported "
                f"({type(error).__name__}: {reason}): mend or uninstall {package}"
            ) from error
