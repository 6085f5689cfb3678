"""One item by its id, its title, or words of its title."""

from typing import Any

import pandas as pd

from interp.study.study_parts import StudyParts
from interp.study.title_search import plain, search
from recmodels.errors import InputError, quote

SHOWN = 6  # items that the name may mean
YEAR = r"\s*\(\d{4}\)$"  # at the end of a film's title


def item_of(study: StudyParts, item: Any) -> Any:
    """The id of an item.

    Args:
        study: whose items.
        item: an id; a title, whatever its case and accents, with or without its year; or words that only one title has.

    Raises:
        InputError: no item is called this, or several are, which the message names.
    """
    if pd.api.types.is_scalar(item) and pd.isna(item):
        raise InputError(f"{item} is not an item: give its id, its title, or words that only one title has")
    try:
        (code,) = study.recommender.recommender.vocabulary.encode([item])
    except InputError:
        if not isinstance(item, str):
            raise
    else:
        return study.recommender.recommender.vocabulary.ids[code]
    titles = study.items["title"]
    wanted, names = plain(item.strip()), titles.map(plain)
    rows = titles[names == wanted].rename_axis("item").reset_index()
    if rows.empty:
        rows = titles[names.str.replace(YEAR, "", regex=True) == wanted].rename_axis("item").reset_index()
    if rows.empty:
        rows = search(study, item, SHOWN + 1)
    if rows.empty:
        raise InputError(f"no item has the id or the title {quote(item)}: look for it in study.items")
    if len(rows) > 1:
        names = "; ".join(f"{quote(row.item)} {row.title}" for row in rows.head(SHOWN).itertuples())
        more = "; …" if len(rows) > SHOWN else ""
        raise InputError(f"{quote(item)} may be several items: give one of these ids: {names}{more}")
    return rows["item"].tolist()[0]
