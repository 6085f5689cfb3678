import pandas as pd
import pytest

from interp.analyses import read_table, write_group
from recmodels.errors import InputError


def test_names_that_look_like_numbers_stay_names(tmp_path):
    table = pd.DataFrame({"concept": ["1990", "True", "None", "NA"], "value": [1.5, None, 2.0, 3.0]})
    write_group(tmp_path / "group", {"recommender": "mine"}, lambda: {"made.csv": table})
    pd.testing.assert_frame_equal(read_table(tmp_path, "made", "mine"), table)
    with pytest.raises(InputError, match="another recommender"):
        read_table(tmp_path, "made", "yours")
