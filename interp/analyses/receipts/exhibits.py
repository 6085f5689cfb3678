"""What the standard steer of each target changes."""

import numpy as np
import pandas as pd

from interp.control.user_metrics import own_metrics
from interp.plots.blocks import Block, Column, exhibit, intervals, table
from interp.plots.names import MEASURES
from interp.study.study import Study

IN_RECEIPTS = ("ndcg@10", "coverage@10", "long_tail_share@10", "overlap")


def receipts(study: Study) -> Block:
    """What the standard steer of each target changes."""
    rows = study.table("receipts")
    own = (rows["measure"] == "share") & (rows["concept"] == rows["target"])
    measures = [*IN_RECEIPTS, *(key for name in own_metrics() if (key := f"{name}@10") in set(rows["measure"]))]
    selection = rows[rows["measure"].isin(measures) | own]
    texts = intervals(selection, "change", signs=True), intervals(selection, "after", signs=False)
    cells = selection.assign(text=np.where(selection["measure"] == "overlap", texts[1], texts[0]))
    keys = ["target", "feature", "value"]
    wide = cells.pivot(index=keys, columns="measure", values="text").loc[
        pd.MultiIndex.from_frame(selection[keys].drop_duplicates())
    ]
    columns = [
        Column("target", "Concept", None),
        Column("feature", "Feature", 0),
        Column("value", "Set to", 2),
        Column("share", "Share of it", None),
        *(Column(key, MEASURES.get(key, key), None) for key in measures),
    ]
    return exhibit(
        "",
        "Receipts: what a standard steer changes",
        "Each steered feature is set to its own 99th percentile at the last step; the reconstruction error is kept. "
        "The table has changes in the top 10, and the overlap with the lists before, with 95% intervals over test "
        "users.",
        ["receipts"],
        table(wide.reset_index(), columns),
    )
