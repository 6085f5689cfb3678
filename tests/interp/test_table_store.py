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


def test_a_table_is_read_by_its_whole_name_and_only_if_it_is_listed(tmp_path):
    for value, name in ((1, "l1-0"), (2, "l1-0.1")):
        table = pd.DataFrame({"value": [value]})
        write_group(tmp_path / name, {}, lambda table=table, name=name: {f"{name}.csv": table}, [f"{name}.csv"])
    assert read_table(tmp_path, "l1-0")["value"].tolist() == [1]
    (tmp_path / "l1-0" / "more.csv").write_text("value\n3\n")
    with pytest.raises(InputError, match="no table 'more'"):
        read_table(tmp_path, "more")
    (tmp_path / "l1-0" / "l1-0.csv").write_text("value\n3\n")
    with pytest.raises(InputError, match="cut short or altered"):
        read_table(tmp_path, "l1-0")
