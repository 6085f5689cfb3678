"""The equalizer for a page, a notebook or a server: its scripts as one, and its style.

`mountEqualizer(element, backend, options)` is all that the script defines; `assets/README.md` says what a backend is.
"""

import re
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "pages" / "assets"
PARTS = ("tools", "search", "history", "sliders", "lists", "why", "boost")
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root (\{[^}]*\})\s*\}")


def equalizer_script(*more: str) -> str:
    """One script, whose own names no other script sees; and more after it, by name.

    Args:
        *more: of `assets/equalizer_*.js`, such as "remote" for a backend that asks Python.
    """
    parts = ["fit.js", *(f"equalizer_{part}.js" for part in PARTS), "equalizer.js"]
    inside = "\n".join(_read(part) for part in parts)
    script = f"const mountEqualizer = (() => {{\n{inside}\nreturn mountEqualizer;\n}})();\n"
    return script + "".join(_read(f"equalizer_{name}.js") for name in more)


def equalizer_style(scope: str = ":root") -> str:
    """Its style with the colours.

    Args:
        scope: what the colours are defined for; ".eq" where the page around it has its own, as in a notebook. There the
            class "dark" says that colours are dark, as a notebook's theme need not be the system's.
    """
    colours = _read("colours.css")
    if scope != ":root":
        colours = DARK.sub(rf"{scope}.dark \1", colours).replace(":root", scope)
    return colours + _read("equalizer.css")


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
