"""Items by the words of their titles, in milliseconds for any catalogue and any input."""

import unicodedata
from dataclasses import dataclass

import pandas as pd

from interp.study.study_parts import StudyParts
from recmodels.errors import InputError

LONGEST = 200  # characters of a search
WORDS = 20


@dataclass(frozen=True)
class Titles:
    """What is searched: the items, the most popular first, and their titles in plain letters."""

    source: pd.DataFrame
    items: pd.DataFrame
    plain: list[str]
    place: dict[str, int]

    @classmethod
    def of(cls, source: pd.DataFrame) -> "Titles":
        """Of a study's items."""
        items = source.sort_values("popularity", ascending=False, kind="stable")[["title"]]
        place = {str(item): place for place, item in enumerate(items.index.tolist())}
        return cls(source, items, [plain(title) for title in items["title"]], place)


def search(study: StudyParts, words: str, limit: int = 12) -> pd.DataFrame:
    """Items whose title has all these words, whatever their case and accents, or whose id this is.

    Returns:
        item and title, the most popular first; nothing for no words.

    Raises:
        InputError: more characters or words than anybody searches by.
    """
    terms = list(dict.fromkeys(plain(words).split())) if len(words) <= LONGEST else []
    if len(words) > LONGEST or len(terms) > WORDS:
        raise InputError(f"the search is too long: {WORDS} words and {LONGEST} characters are the most")
    cache = vars(study)  # where its cached properties lie, too
    titles: Titles | None = cache.get("_titles")
    if titles is None or titles.source is not study.items:
        titles = cache["_titles"] = Titles.of(study.items)
    by_id = titles.place.get(words.strip()) if terms else None
    places = []
    for place, title in enumerate(titles.plain if terms else []):
        if place == by_id or all(word in title for word in terms):
            places.append(place)
            if len(places) == limit:
                break
    return titles.items.iloc[places].reset_index()


def plain(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
