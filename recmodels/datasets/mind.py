"""MIND, news and who clicked on them: `behaviors.tsv` and `news.tsv` of one part, such as MINDsmall_train.

A row of behaviors.tsv is an impression: user, time, the clicks of the user before it, and the news shown, each with 1
if it was clicked. The interactions are a user's earlier clicks, then the clicks of all impressions by their time.
Earlier clicks have no time of their own: they are set one second apart, right before the user's first impression.

News have a `title`, a `category` and a `subcategory`; the concepts are the subcategories.

F. Wu et al., MIND: A Large-scale Dataset for News Recommendation, ACL 2020. Format: https://msnews.github.io
"""

from pathlib import Path

import numpy as np
import pandas as pd

from recmodels import columns
from recmodels.datasets import cells
from recmodels.datasets.source_files import read_file
from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAMES = ("mind",)
BEHAVIORS = ("impression", "user", "time", "history", "impressions")
NEWS = ("item", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
TIME = "%m/%d/%Y %I:%M:%S %p"
CLICKED, SHOWN = "-1", "-0"
LACKS = "Clicks before a user's first impression have no time: they are set one second apart, right before it."


def load(name: str, folder: Path | None = None, cache: Path | None = None) -> Dataset:
    """The dataset whose `behaviors.tsv` and `news.tsv` are in a folder or archive.

    Raises:
        InputError: no folder is given, a file is missing, or a row is in another format.
    """
    if folder is None:
        raise InputError(f"{name} reads files that you have: pass the folder of behaviors.tsv with --data FOLDER")
    behaviors = cells.read(read_file(folder, "behaviors.tsv"), "\t", header=BEHAVIORS)
    news = cells.read(read_file(folder, "news.tsv"), "\t", header=NEWS)
    (items,) = columns.ids((news, "item"))
    columns.unique_ids(news, items)
    titles = columns.texts(news.frame["title"]).fillna(news.frame["item"])
    table = pd.DataFrame({"title": titles, **{name: columns.texts(news.frame[name]) for name in NEWS[1:3]}})
    times = columns.times(behaviors, "time", TIME)
    (users,) = columns.ids((behaviors, "user"))
    shown = behaviors.frame["impressions"].str.split()
    odd = shown.map(lambda parts: not all(part.endswith((CLICKED, SHOWN)) for part in parts)).to_numpy(bool)
    if odd.any():
        raise behaviors.fault("impressions", odd, f"not news that end in {CLICKED} or {SHOWN}")
    rows = pd.DataFrame({"user": users, "time": times, "item": shown}).explode("item").dropna()
    clicks = rows[rows["item"].str.endswith(CLICKED)]
    clicks = clicks.assign(item=clicks["item"].str.removesuffix(CLICKED))
    frame = pd.concat([_earlier(users, times, behaviors.frame["history"]), clicks], ignore_index=True)
    frame["time"] = frame["time"].astype(np.int64)
    return Dataset(name, frame, table.set_axis(pd.Index(items, name="item")), "subcategory", (LACKS,))


def _earlier(users: pd.Series, times: pd.Series, histories: pd.Series) -> pd.DataFrame:
    """The clicks before each user's first impression: user, time, item."""
    rows = pd.DataFrame({"user": users, "time": times, "item": histories.str.split()})
    first = rows.sort_values("time", kind="stable").drop_duplicates("user")
    clicks = first.explode("item").dropna(subset="item")
    place = clicks.groupby("user").cumcount(ascending=False)
    return clicks.assign(time=clicks["time"] - 1 - place)
