"""Tables as LaTeX that compiles with pdflatex, lualatex and xelatex alike, whatever is in their cells."""

import re
import unicodedata
from collections.abc import Sequence

from interp.plots.blocks import Block

PACKAGES = "\\usepackage[T1]{fontenc}\n\\usepackage{array}\n\\usepackage{booktabs}\n\\usepackage{graphicx}"
LONG = 32  # characters from which on a cell is broken into lines
COLUMN = 52  # characters that fit into one column of a two-column paper
PAGE = 118  # and across the page, in small type
GAP = 3  # and between two columns of a table
# What has a meaning in LaTeX, or a sign that only mathematics has.
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': r"\textquotedbl{}",
    "'": "’",
    "`": r"\textasciigrave{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # after a row's end it would be an argument
    "]": "{]}",
    "λ": r"$\lambda$",
    "‖": r"$\|$",
    "−": "$-$",
    "→": r"$\to$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
# Whatever else pdflatex cannot set: it says "?", and lualatex and xelatex, which have \Umathchar, set it.
OTHER = re.compile(r"[^ -~¡-ĥĨ-ķĹ-ľŁ-ňŊ-ťŨ-ž–—‘’“”„…]+")
RANGES = re.compile("|".join(map(re.escape, SPECIAL)) + "|" + OTHER.pattern)


def escape(text: str) -> str:
    """Plain text as LaTeX that shows just that; invisible characters, such as controls of direction, are left out."""
    visible = "".join(sign for sign in unicodedata.normalize("NFC", text) if unicodedata.category(sign)[0] != "C")
    return RANGES.sub(
        lambda match: SPECIAL.get(match[0], f"{{\\ifdefined\\Umathchar {match[0]}\\else ?\\fi}}"), visible
    )


def tabular(block: Block) -> str:
    """A table block of the report as a booktabs tabular.

    Args:
        block: what `interp.plots.blocks.table` makes.
    """
    widths = _widths(block)
    kinds = ["l" if column["text"] else "r" for column in block["columns"]]
    long = [width > LONG for width in widths]
    if any(long):
        # What is left of the line by the short columns, in proportion to what the long ones hold.
        short_width = GAP * len(widths) + sum(width for width in widths if width <= LONG)
        room = max(1 - short_width / PAGE, 0.3)
        long_width = sum(min(width, 3 * LONG) for width in widths if width > LONG)
        for place, width in enumerate(widths):
            if long[place]:
                share = room * min(width, 3 * LONG) / long_width
                kinds[place] = f">{{\\raggedright\\arraybackslash}}p{{{share:.2f}\\linewidth}}"
    head = _row([escape(column["name"]) for column in block["columns"]])
    body = [_row(_cells(row, place in block["strong"])) for place, row in enumerate(block["rows"])]
    lines = ["\\toprule", head, "\\midrule", *body, "\\bottomrule"]
    inner = "\n".join(f"    {line}" for line in lines)
    return f"  \\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}\n{inner}\n  \\end{{tabular}}"


def floating(block: Block, caption: str, label: str) -> str:
    """The same in a float with a caption: across both columns where one would not hold it, and never wider than that.

    Args:
        block: what `interp.plots.blocks.table` makes.
        caption: plain text.
        label: for references, such as "tab:table-2".
    """
    widths = _widths(block)
    total = sum(widths) + GAP * len(widths)
    name = "table" if total <= COLUMN else "table*"
    content = tabular(block)
    # Lines are broken where a cell is long; only many short columns are too wide.
    if max(widths) <= LONG and total > PAGE:
        content = content.replace("\\begin{tabular}", "\\resizebox{\\linewidth}{!}{%\n  \\begin{tabular}", 1) + "}"
    size = "\\small" if total <= COLUMN else "\\footnotesize"
    lines = [f"\\begin{{{name}}}", "  \\centering", f"  {size}", f"  \\caption{{{escape(caption)}}}"]
    return "\n".join([*lines, f"  \\label{{{label}}}", content, f"\\end{{{name}}}"]) + "\n"


def document(names: Sequence[str]) -> str:
    """A document that shows all these files, and what they need.

    Args:
        names: of the files beside it, without ending.
    """
    inputs = "\n".join(f"\\input{{{name}}}\n\\clearpage" for name in names)
    return (
        "% Every table on a page of its own: pdflatex all.tex (or lualatex, for titles in other scripts).\n"
        "\\documentclass[twocolumn]{article}\n\\usepackage[margin=0.75in]{geometry}\n"
        f"{PACKAGES}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    )


def _cells(row: Sequence[str], strong: bool) -> list[str]:
    texts = [escape(text) for text in row]
    return [f"\\textbf{{{text}}}" if text else "" for text in texts] if strong else texts


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _widths(block: Block) -> list[int]:
    """Characters of each column's longest cell."""
    columns = zip(*([column["name"] for column in block["columns"]], *block["rows"]), strict=True)
    return [max(map(len, cells)) for cells in columns]
