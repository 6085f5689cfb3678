"""How words of the command line become values."""

from pathlib import Path
from typing import Any

import tyro

registry = tyro.constructors.ConstructorRegistry()


@registry.primitive_rule
def path_words(about: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec[Any] | None:
    """How a path is read: as usual, but an empty word stays empty, where pathlib makes it the current folder."""
    if about.type is not Path:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=lambda words: Path(words[0]) if words[0] else "",
        is_instance=lambda value: isinstance(value, Path | str),
        str_from_instance=lambda value: [str(value)],
    )
