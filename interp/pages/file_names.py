"""File names that say what is in a file, made from what the report calls it."""

import re
import textwrap
import unicodedata

from interp.plots.blocks import Block

LETTER = re.compile(r"^\((\w)\)\s*")
LONGEST = 72  # characters of a name
CLEAR = 3  # words that say enough


def file_name(exhibit: Block, part: str, used_names: set[str]) -> str:
    """A name without ending that is not taken yet, such as "figure-9b-ndcg-10"; it is taken from now on.

    Args:
        exhibit: what it belongs to.
        part: the title of its block in the exhibit, which may begin with a letter: "(b) NDCG@10".
        taken: the names that are in use.
    """
    number, title = exhibit["number"], exhibit["title"]
    if letter := LETTER.match(part):
        number, part = re.sub(r"\(.*\)", "", number) + letter[1], part[letter.end() :]
    words = [number, part or title] if exhibit["number"] else [title, number, part]
    name = textwrap.shorten("-".join(filter(None, map(_slug, words))).replace("-", " "), LONGEST, placeholder="")
    name = name.replace(" ", "-") or "unnamed"
    count, unique = 1, name
    while unique in used_names:
        count += 1
        unique = f"{name}-{count}"
    used_names.add(unique)
    return unique


def _slug(text: str) -> str:
    """Small letters and digits between hyphens; of three words before a comma or colon, only these."""
    head = re.split(r"[,:]", text)[0]
    head = (head if len(head.split()) >= CLEAR else text).replace("’", "").replace("(", "").replace("λ", "lambda")
    plain = unicodedata.normalize("NFKD", head).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
