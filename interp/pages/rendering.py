"""Offline pages: one file each that asks the network for nothing.

plotly.js is inside, and a content security policy forbids the rest. All data is one JSON block, from which the page's
own script draws: text from the data becomes text nodes, never markup. `<name>.html` makes a page together with the
other parts of HTML that it names, and with the style sheets of `STYLES` and the scripts of `SCRIPTS`.
"""

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = {
    "dashboard": ("base", "features", "map", "first", "receipt", "panel", "table", "dashboard"),
    "report": ("base", "report"),
    "scorecard": ("base", "scorecard"),
    "comparison": ("base", "first", "pair", "comparison"),
}
STYLES = {
    "dashboard": ("base", "controls", "first", "dashboard"),
    "report": ("base", "report"),
    "scorecard": ("base", "scorecard"),
    "comparison": ("base", "controls", "first", "comparison"),
}
PARTS = ("head", "first", "tail")  # of HTML
WITHOUT_FIGURES = ("comparison",)


def render(name: str, title: str, data: dict[str, Any]) -> str:
    """A whole page. Its scripts are allowed by their hashes, so that no other can run.

    Args:
        name: which page, such as "report".
        title: the document's title, plain text.
        data: JSON values, which the page's script reads.
    """
    page = _read(f"{name}.html")
    for part in PARTS:
        page = page.replace(f"{{{{{part}}}}}", _read(f"{part}.html"))
    style = "".join(_read(f"{part}.css") for part in STYLES[name])
    script = "".join(_read(f"{part}.js") for part in SCRIPTS[name])
    plotly = "" if name in WITHOUT_FIGURES else get_plotlyjs().replace("</script", "<\\/script")
    parts = {
        "title": escape(title),
        "hashes": " ".join(_hash(text) for text in (script, plotly)),
        "style": style,
        "data": json_block(data),
        "script": script,
        "plotly": plotly,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def json_block(data: Any) -> str:
    """JSON for a page: no "<" is left in it, so that nothing can end its block."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
