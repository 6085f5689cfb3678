"""What `interp --import` names: a module, or a file, that registers what is one's own."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from recmodels.errors import InputError


def import_module_or_file(name: str) -> None:
    """Import a module, or a file by its path, for what it registers.

    Raises:
        InputError: there is no such module or file.
    """
    path = Path(name)
    if path.suffix != ".py":
        import_module(name)
        return
    if not path.is_file():
        raise InputError(f"--import: there is no file {name}: give a .py file, or the name of a module")
    # Under a name of its own: a file may be called as a module that is there already.
    spec = spec_from_file_location(f"imported_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)


def import_first(arguments: list[str]) -> list[str]:
    """Import what --import names at the beginning of the command line: what is left of it.

    Raises:
        InputError: nothing is named, or what is named is not there.
    """
    while arguments and arguments[0].partition("=")[0] == "--import":
        name = arguments[0].partition("=")[2] or "".join(arguments[1:2])
        if not name:
            raise InputError("--import names nothing: give a .py file, or the name of a module")
        import_module_or_file(name)
        arguments = arguments[1 if "=" in arguments[0] else 2 :]
    return arguments
