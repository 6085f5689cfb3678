"""The histories of two periods, from the data that a study was made from."""

from typing import Any

import pandas as pd

from interp.study.record_config import data_of
from interp.study.study_parts import StudyParts
from recmodels.advice import Advice
from recmodels.columns import Table, times
from recmodels.errors import InputError, quote
from recmodels.interactions import without_repeats

# Times up to a bound are numbers among which a date has no place; above it, they count so many parts of a second since
# 1970. The bounds are 1973 in each unit.
UNITS = ((1e8, 0), (1e11, 1), (1e14, 10**3), (1e17, 10**6), (float("inf"), 10**9))


def histories_of_periods(study: StudyParts, before: str, after: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the users whom neither recommender nor dictionary was trained on did in two periods.

    These are the test users, and those held out of the SAE part; of both, all interactions of the period with items
    that the recommender knows.

    Args:
        study: the study, whose data are read anew.
        before: the earlier period, such as "1997-09-20..1998-01-01": from the first date up to, but without, the
            second; either may be missing. Numbers are times as the data have them; dates fit data whose times were
            dates, or are seconds, milli-, micro- or nanoseconds since 1970.
        after: the later one.

    Returns:
        Tables user, item, time, for `Study.drift`.

    Raises:
        InputError: a period that cannot be read or that nobody has an interaction in, or the data cannot be read.
    """
    data = data_of(study)
    interactions = without_repeats(data.dataset.interactions, study.config["repeats"])
    users = pd.concat([data.split.sae_validation["user"], data.split.test["user"]]).unique()
    rows = interactions[interactions["user"].isin(users) & interactions["item"].isin(study.items.index)]
    first, last = rows["time"].min(), rows["time"].max()
    tables = []
    for text in (before, after):
        start, end = _ends(text, last)
        part = rows[(rows["time"] >= start) & (rows["time"] < end)]
        if part.empty:
            raise InputError(
                f"nobody has an interaction in {text}: the held-out users have theirs in {_span(first, last)}"
            )
        tables.append(part.reset_index(drop=True))
    return tables[0], tables[1]


def _ends(text: str, last: float) -> tuple[float, float]:
    start, separator, end = text.partition("..")
    if not separator or not (start.strip() or end.strip()):
        raise InputError(f"cannot read the period {quote(text)}: write it as FROM..TO, such as 1998-01-01..1998-04-01")
    ends = (_time(start, last, float("-inf")), _time(end, last, float("inf")))
    if ends[0] >= ends[1]:
        raise InputError(f"the period {quote(text)} ends before it begins: swap the two")
    return ends


def _time(text: str, last: float, usual: float) -> float:
    if not text.strip():
        return usual
    try:
        return float(text)
    except ValueError:
        pass
    cell: Any = pd.DataFrame({"time": [text.strip()]})
    moment = float(times(Table("the period", cell, False, Advice("correct it")), "time").iloc[0])
    if not (parts := _per_second(last)):
        raise InputError(
            f"{text} is a date, and the times of these data are numbers up to {last:g}: write such numbers"
        )
    return moment * parts


def _per_second(last: float) -> int:
    """How many of the units of these times are in a second; 0 for numbers that are no times since 1970."""
    return next(parts for bound, parts in UNITS if last < bound)


def _span(first: float, last: float) -> str:
    if not (parts := _per_second(last)):
        return f"{first:g}..{last:g}"
    return "..".join(str(pd.Timestamp(moment / parts, unit="s").date()) for moment in (first, last))
