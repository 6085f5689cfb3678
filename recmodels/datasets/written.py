"""Lists that a table holds as text, as pandas' `to_csv` writes them: "['Crime', 'Drama']", and JSON's and numpy's.

No cell is run as code: only text in quotation marks, numbers and missing values are read.
"""

import ast
import json
import re
import warnings

CLOSING = {"[": "]", "(": ")", "{": "}"}
QUOTED = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*(,|(?=['\"]|$))", re.DOTALL)
BARE = re.compile(r"\s*(-?[0-9][0-9.eE+-]*|None|null|nan|NaN|NA|<NA>|True|False|true|false)\s*(,|(?<=\s)|$)")
BEGINNING = re.compile(r"""[\[({]\s*['"{\[]""")
MISSING = {"None", "null", "nan", "NaN", "NA", "<NA>"}
WRAPPED = re.compile(r"(?:frozenset|set|array|list|tuple)\((.*?)(?:, dtype=\w+)?\)", re.DOTALL)


def written_list(cell: str) -> tuple[str, ...] | None:
    """The parts of a list that is written as text; None if the cell is not a list.

    A list has square brackets. Round and curly brackets also count if a part is in quotation marks; "(1994)" is text.
    """
    cell = cell.strip()
    wrapper = WRAPPED.fullmatch(cell)
    if wrapper:
        cell = wrapper[1].strip() or "[]"
    if len(cell) < 2 or CLOSING.get(cell[0]) != cell[-1]:
        return None
    inner, parts, place, quoted = cell[1:-1].strip(), [], 0, False
    while place < len(inner):
        if part := QUOTED.match(inner, place):
            quoted = True
            value = _unquoted(part[1])
            if value is None:
                return None
            parts.append(value)
        elif part := BARE.match(inner, place):
            if part[1] not in MISSING:
                parts.append(part[1].removesuffix(".0").removesuffix("."))
        else:
            return None
        place = part.end()
    if not (quoted or cell[0] == "[" or not inner):
        return None
    return tuple(stripped for part in parts if (stripped := part.strip()))


def begins_like_a_list(cell: str) -> bool:
    """Whether a cell begins like a list: a list cut short, a list of records, or of words without quotes."""
    return bool(BEGINNING.match(cell)) or (cell.startswith("[") and cell.endswith("]") and "," in cell)


def _unquoted(literal: str) -> str | None:
    if literal[0] == '"':
        try:
            return json.loads(literal)
        except ValueError:
            pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(literal)
    except (ValueError, SyntaxError):  # a line break in the text
        return literal[1:-1] if "\\" not in literal else None
