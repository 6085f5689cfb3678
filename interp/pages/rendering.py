"""Offline pages: one file each that asks the network for nothing.

plotly.js is inside, and a content security policy forbids the rest. Data are JSON, from which the page's own script
draws: text from the data becomes text nodes, never markup. Data and plotly.js are deflated blocks, which `opening.js`
unpacks before it runs the page's script. A page that would be too large has files in a folder beside it
(`interp.pages.beside`). `<name>.html` makes a page together with the other parts of HTML that it
names, and with the style sheets of `STYLES` and the scripts of `SCRIPTS`.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from interp.study.equalizer_bundle import equalizer_script

ASSETS = Path(__file__).parent / "assets"
OPENING = ("opening", "addscript")  # the script that runs by itself; its second part for files beside the page
ENGINE = ("engine_math", "engine_blocks", "engine_model", "engine_lists", "engine_reasons", "engine")
SCRIPTS = {
    "dashboard": (
        *ENGINE,
        "base",
        "shards",
        "features",
        "items",
        "map",
        "first",
        "receipt",
        "panel",
        "sorting",
        "table",
        "notes",
        "fit",
        "search",
        "address",
        "equalizer",
        "try",
        "dashboard",
    ),
    "report": ("base", "report"),
    "scorecard": ("base", "sorting", "scorecard"),
    "comparison": ("base", "first", "pair", "sorting", "comparison"),
}
STYLES = {
    "dashboard": ("colours", "base", "controls", "first", "notes", "dashboard", "equalizer"),
    "report": ("colours", "base", "report"),
    "scorecard": ("colours", "base", "scorecard"),
    "comparison": ("colours", "base", "controls", "first", "notes", "comparison"),
}
PARTS = ("head", "first", "table", "tail")  # of HTML
WITHOUT_FIGURES = ("comparison",)
PLACES = ("'self'", "file:")
"""What allows the scripts of a folder beside the page: those of the page's own server and, from the disk, those of the
disk. A hash would allow no file there, as browsers take one only of scripts that the page may read."""


@dataclass(frozen=True)
class Beside:
    """The folder beside a page, from which it loads scripts (`interp.pages.beside`).

    Attributes:
        folder: its name.
        stamp: what the page and all of its files bear.
    """

    folder: str
    stamp: str


def render(
    name: str,
    title: str,
    data: dict[str, Any],
    blocks: Mapping[str, bytes] | None = None,
    beside: Beside | None = None,
) -> str:
    """A whole page. Its scripts are allowed by their hashes, so that no other can run but those of its own place.

    Args:
        name: which page, such as "report".
        title: the document's title, plain text.
        data: JSON values, which the page's script reads.
        blocks: what the page carries besides, by name; its script asks for it with `unpacked(name)`.
        beside: the folder beside the page from which it may load scripts; none by default.
    """
    page = _read(f"{name}.html")
    for part in PARTS:
        page = page.replace(f"{{{{{part}}}}}", _read(f"{part}.html"))
    style = "".join(_read(f"{part}.css") for part in STYLES[name])
    opening = "".join(_read(f"{part}.js") for part in (OPENING if beside else OPENING[:1]))
    script = "".join(map(_script, SCRIPTS[name]))
    plotly = "" if name in WITHOUT_FIGURES else get_plotlyjs()
    parts = {
        "title": escape(title),
        "hashes": " ".join((*map(script_hash, (opening, script, plotly)), *(PLACES if beside else ()))),
        "beside": f' data-folder="{escape(beside.folder)}" data-stamp="{beside.stamp}"' if beside else "",
        "style": style,
        "blocks": "\n".join(_block(name, text) for name, text in _packed(data, blocks or {}, plotly).items()),
        "script": script,
        "opening": opening,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def json_block(data: Any) -> str:
    """JSON for a page: no "<" is left in it, so that nothing can end its block."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def packed(content: bytes) -> str:
    """Content as a block of a page: deflated, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _packed(data: dict[str, Any], blocks: Mapping[str, bytes], plotly: str) -> dict[str, str]:
    content = {"data": json_block(data).encode(), **blocks}
    return {name: packed(part) for name, part in content.items()} | {"plotly": _packed_script(plotly)}


def _block(name: str, text: str) -> str:
    return f'<script type="text/plain" id="{name}">{text}</script>'


@cache
def _packed_script(script: str) -> str:
    return packed(script.encode())


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _script(part: str) -> str:
    return equalizer_script() if part == "equalizer" else _read(f"{part}.js")


def script_hash(script: str) -> str:
    """What allows a script, or a style, in a content security policy."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
