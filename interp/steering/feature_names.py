"""Reading the name of a feature or a concept: `412`, `Horror`, `feature:412`, `concept:Horror`."""

import re
import unicodedata
from collections.abc import Collection
from typing import Any

from recmodels.errors import InputError, quote
from recmodels.scalars import as_number

FEATURE, CONCEPT = "feature:", "concept:"


def feature_number(key: Any) -> int | None:
    """The number of a feature: whole numbers of any library, and whole floats, which a row of a table holds."""
    number = as_number(key)
    return int(number) if number is not None and number == number // 1 else None


def feature_or_concept(text: str, concepts: Collection[str], plain_numbers: bool = False) -> int | str:
    """The number of a feature, or the name of a concept; an unknown name is returned as it is.

    Args:
        text: `feature:412` always means a feature, `concept:12` always a concept.
        concepts: names of all concepts.
        plain_numbers: whether `412` is a feature, as on a command line, where everything is text.

    Raises:
        InputError: the text is ambiguous: it names a feature and a concept, or two concepts.
    """
    name = text if text in concepts else unicodedata.normalize("NFC", text.strip())
    readings: list[int | str] = [name] if name in concepts else []
    if plain_numbers and (number := _number(text)) is not None:
        readings.append(number)
    if text.startswith(FEATURE) and (number := _number(text.removeprefix(FEATURE))) is not None:
        readings.append(number)
    if text.startswith(CONCEPT) and (text.removeprefix(CONCEPT) in concepts or not readings):
        readings.append(text.removeprefix(CONCEPT))
    if len(readings) > 1:
        ways = " or ".join(f"{FEATURE if isinstance(reading, int) else CONCEPT}{reading}" for reading in readings)
        if FEATURE in text:
            ways = f"{CONCEPT}{name} for the concept, or the number with a zero in front for the feature"
        raise InputError(f"{quote(text)} is the name of a concept and has another meaning: write {ways}")
    return readings[0] if readings else name


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", text) else None
