"""What data may lack, in plain sentences, and what takes its place."""

import pandas as pd

NO_TIMES = "The interactions have no times: the order of their rows serves as time, also for who comes last."
NO_ITEMS = "There is no table of items: ids serve as titles."
NO_TITLES = "The items have no titles: their ids serve as titles."


def of_ids(item_ids: pd.Series) -> pd.DataFrame:
    """A table of items of which the ids alone are known: title, indexed by item id."""
    ids = pd.Index(item_ids.unique(), name="item").sort_values()
    return pd.DataFrame({"title": ids.astype(str)}, index=ids)
