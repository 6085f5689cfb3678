"""Whether a recommender is better than a list of the most popular items, in the words that all pages share."""

from dataclasses import dataclass

import pandas as pd

from interp.study.study_parts import StudyParts
from recmodels.bootstrap import is_above_zero
from recmodels.wording import with_interval

MEASURE = "ndcg@10"
TRAIN_LONGER = "Train it longer before you interpret it."
CHECK_IDS = (
    "It was trained elsewhere: first make sure of its item ids and its padding, by scores of its program (--expected)."
)


@dataclass(frozen=True)
class BesidePopular:
    """A recommender and the most popular items on the test users, by NDCG@10.

    Attributes:
        recommender: NDCG@10 and its standard error as text, such as "0.118 ± 0.026".
        most_popular: the same of the most popular items.
        comparison: all numbers as text, with the difference and its interval.
        better: whether the recommender is better; None where the interval of the difference holds 0.
        warning: what to tell everyone who looks at the study; empty where it is better.
    """

    recommender: str
    most_popular: str
    comparison: str
    better: bool | None
    warning: str


def beside_popular(study: StudyParts) -> BesidePopular | None:
    """The recommender of a study beside the most popular items; None for a study of a release without this table.

    Raises:
        InputError: the table was altered.
    """
    is_there = (study.folder / "tables" / "most_popular").is_dir()
    return judge(study.table("most_popular"), study.provenance.is_given) if is_there else None


def judge(most_popular: pd.DataFrame, is_given: bool = False) -> BesidePopular:
    """The same from the table `most_popular`; `is_given` says that the recommender was trained elsewhere."""
    rows = most_popular[most_popular["measure"] == MEASURE].set_index("part")
    test = rows.loc["test"]
    better = None if test["difference"] > 0 else False
    if is_above_zero(test["difference_low"], test["difference_high"], test["users"]):
        better = True
    recommender, popular = (f"{test[side]:.3f} ± {test[f'{side}_se']:.3f}" for side in ("recommender", "most_popular"))
    numbers = (
        f"NDCG@10 {recommender} against {popular} on {test['users']:,} test users (± standard error), "
        f"{_difference(test)}; on {rows.at['sae', 'users']:,} users of the SAE part, who decide nothing here, "
        f"{_difference(rows.loc['sae'])}"
    )
    warning = ""
    if better is False:
        warning = f"This recommender is no better than recommending the most popular items: {numbers}. "
        warning += CHECK_IDS if is_given else TRAIN_LONGER
    elif better is None:
        warning = "It cannot be told whether this recommender is better than recommending the most popular items: "
        warning += f"{numbers}. Test it on more users, or train it longer, before you interpret it."
    return BesidePopular(recommender, popular, numbers, better, warning)


def _difference(row: pd.Series) -> str:
    change = with_interval(row["difference"], row["difference_low"], row["difference_high"], "+.3f")
    return f"difference {change}"
