"""The fenced blocks of README and of the pages in docs."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if "_hooks" not in page.parts),
]
LANGUAGES = {"python", "bash", "text", "json", "toml", "csv"}
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*\Z", re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its code, the line that it begins on, and why it is not run, if so."""

    language: str
    code: str
    line: int
    reason: str = ""


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    blocks = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 2
        reason = NOT_RUN.search(text[: fence.start()])
        blocks.append(Block(fence["language"], textwrap.dedent(fence["code"]), line, reason[1] if reason else ""))
    return blocks


def python_blocks(page: Path) -> list[Block]:
    """Those of Python that are run."""
    return [block for block in blocks_of(page) if block.language == "python" and not block.reason]


def commands_of(page: Path) -> list[str]:
    """The commands of the shell blocks that are run, without comments; one that goes on over lines is joined."""
    blocks = [block for block in blocks_of(page) if block.language == "bash" and not block.reason]
    lines = "\n".join(block.code for block in blocks).replace("\\\n", " ").splitlines()
    commands = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return [command for command in commands if command]


def name_of(page: Path) -> str:
    """A page's path, as a test's name."""
    return page.relative_to(ROOT).as_posix()
