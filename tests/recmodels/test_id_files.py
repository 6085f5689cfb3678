import json

import numpy as np
import pandas as pd
import pytest

from recmodels.errors import InputError
from recmodels.id_files import ids_like, read_ids, whole_numbers


def test_ids_are_read_in_the_order_of_the_scores(tmp_path):
    (tmp_path / "list.json").write_text(json.dumps(["b", "a"]))
    (tmp_path / "map.json").write_text(json.dumps({"a": 7, "b": 2, "c": 5}))
    (tmp_path / "lines.txt").write_text("b\na\n")
    np.save(tmp_path / "array.npy", np.array([5, 3]))
    assert read_ids(tmp_path / "list.json") == ["b", "a"]
    assert read_ids(tmp_path / "map.json") == ["b", "c", "a"]
    assert read_ids(tmp_path / "lines.txt") == ["b", "a"]
    assert read_ids(str(tmp_path / "array.npy")) == [5, 3]


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", "3"), ("b.json", "[]"), ("c.json", '{"a": 1.5}'), ("d.npy", "x")]
)
def test_a_file_without_ids_is_refused_in_a_line(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=r"no user ids.*write a \.json list"):
        read_ids(tmp_path / name, "user")
    with pytest.raises(InputError, match="there is no file"):
        read_ids(tmp_path / f"no-{name}")


def test_text_is_a_number_only_if_all_of_it_is_and_nothing_is_lost():
    assert whole_numbers(["1", "-2", "30", "0"]) == [1, -2, 30, 0]
    for ids in (["1", "02"], ["1", "a"], ["1", "²"], ["1", ""], ["9" * 30], ["1", 2]):
        assert whole_numbers(ids) == ids


def test_ids_are_written_as_the_data_write_them():
    assert ids_like(["1", 2, "x"], pd.Index([7, 8])) == [1, 2, "x"]
    assert ids_like([1, "2", np.int64(3)], pd.Index(["7", "8"])) == ["1", "2", "3"]
