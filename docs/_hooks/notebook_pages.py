"""The executed notebooks as pages: text, code and what came out of it. A hook of mkdocs."""

import base64
from html import escape
from pathlib import Path

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]_*.ipynb"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page and its pictures for each notebook."""
    for path in NOTEBOOKS:
        text, pictures = page(path)
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))
    return files


def page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and the pictures that it shows by name."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source.replace("](../docs/", "](../"))
            continue
        parts.append(f"```python\n{cell.source}\n```")
        parts += [markdown_of(output, f"{path.stem}-{len(pictures)}.png", pictures) for output in cell.outputs]
    return "\n\n".join(parts) + "\n", pictures


def markdown_of(output: NotebookNode, name: str, pictures: dict[str, bytes]) -> str:
    """An output as Markdown: a picture, a table or text."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        pictures[name] = base64.b64decode(data["image/png"])
        return f"![A figure of this notebook]({name})"
    if "text/html" in data:
        # On one line: a blank line would end the block of HTML.
        return f'<div class="output">{" ".join("".join(data["text/html"]).split())}</div>'
    text = escape("".join(data["text/plain"])).replace("\n", "&#10;")
    return f'<div class="output"><pre><code>{text}</code></pre></div>'
