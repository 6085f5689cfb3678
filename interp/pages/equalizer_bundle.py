"""The equalizer for a page, a notebook or a server: its scripts as one, and its style.

`mountEqualizer(element, backend, options)` is all that the script defines; `assets/README.md` says what a backend is.
"""

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
PARTS = ("tools", "search", "history", "sliders", "lists", "why", "boost")


def equalizer_script() -> str:
    """One script, whose own names no other script sees."""
    parts = [*(f"equalizer_{part}.js" for part in PARTS), "equalizer.js"]
    inside = "\n".join(_read(part) for part in parts)
    return f"const mountEqualizer = (() => {{\n{inside}\nreturn mountEqualizer;\n}})();\n"


def equalizer_style(scope: str = ":root") -> str:
    """Its style with the colours.

    Args:
        scope: what the colours are defined for; ".eq" where the page around it has its own, as in a notebook.
    """
    return _read("colours.css").replace(":root", scope) + _read("equalizer.css")


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
