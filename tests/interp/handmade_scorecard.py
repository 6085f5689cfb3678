"""A scorecard made by hand, with a hostile name."""

import numpy as np
import pandas as pd
from pages import HOSTILE

from interp.plots.scorecard_columns import SCORES, TABLE


def handmade_scorecard():
    """Two runs of two and three dictionaries; row r has r + k/100 in the k-th score, r from 1, but for blanks."""
    rows = [("one", "top_k-64-k-8", "top_k"), ("one", "ica", "baseline")]
    rows += [("two", name, kind) for name, kind in ((HOSTILE["script"], "gated"), ("b", "top_k"), ("c", "baseline"))]
    frame = pd.DataFrame(rows, columns=["run", "dictionary", "kind"]).assign(site="blocks.0", n_features=64, seed=0)
    for k, score in enumerate(SCORES):
        frame[score.key] = np.arange(1, 6) + k / 100
    frame["recovery"] = np.nan
    frame.loc[1, "minutes"] = np.nan
    return frame[list(TABLE.kinds)]
