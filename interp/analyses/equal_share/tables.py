"""All methods that turn a concept up, at equal share of it."""

import pandas as pd

from interp.control.equal_share import at_equal_share
from interp.store.table_files import Tables


def equal_share(steering_table: pd.DataFrame, baselines_table: pd.DataFrame) -> Tables:
    """Table `equal_share` (`interp.control.equal_share.at_equal_share`).

    Args:
        steering_table: the sweeps of features.
        baselines_table: those of other methods, of the same targets and users.
    """
    return {"equal_share": at_equal_share(pd.concat([steering_table, baselines_table], ignore_index=True))}
