import os
import struct
import zipfile
from contextlib import suppress

import pandas as pd
import pyarrow.parquet as pq
import pytest

from recmodels.datasets import parquet_files, source_files
from recmodels.datasets.cells import read
from recmodels.datasets.parquet_files import read_parquet
from recmodels.datasets.source_files import SourceFile, file_names, read_file, read_path
from recmodels.errors import InputError


def archive(path, members, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", how) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def patch(path, local, central, value):
    """Change a field of two bytes in the headers of an archive's one member."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        struct.pack_into("<H", data, data.find(signature) + offset, value)
    path.write_bytes(data)
    return path


def message(call, *args):
    with pytest.raises(InputError) as caught:
        call(*args)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_archives_that_cannot_be_read_are_one_line(tmp_path):
    path = tmp_path / "a.zip"
    patch(archive(path, {"u.data": "1"}), 6, 8, 1)
    assert "u.data is encrypted: unpack it" in message(read_file, path, "u.data")
    assert "u.data is damaged" in message(read_file, patch(archive(path, {"u.data": "1"}), 8, 10, 99), "u.data")
    for how in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        archive(path, {"u.data": "123456789" * 100}, how)
        data = bytearray(path.read_bytes())
        data[45:60] = b"\xff" * 15
        path.write_bytes(data)
        assert "u.data is damaged" in message(read_file, path, "u.data")


def test_archives_have_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(source_files, "SMALL_BYTES", 1000)
    path = archive(tmp_path / "a.zip", {"u.data": b"1" * 1000, "bomb": b"1" * 1_000_000})
    assert len(read_file(path, "u.data").data) == 1000
    assert "1,000,000 bytes in" in message(read_file, path, "bomb")
    monkeypatch.setattr(source_files, "MAX_MEMBERS", 1)
    assert "has 2 members, and at most 1 are read" in message(file_names, path)


def test_what_stands_in_the_place_of_a_file_is_said(tmp_path):
    assert "is a folder: pass the path of a file" in message(read_path, tmp_path)
    assert "does not exist" in message(read_path, tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "loop cannot be read" in message(read_path, tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_without_the_right_to_read_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "a.csv").chmod(0)
    assert "a.csv cannot be read (Permission denied)" in message(read_path, tmp_path / "a.csv")


def test_parquet_that_is_damaged_or_too_large_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": range(100), "b": ["x"] * 100}).to_parquet(path)
    whole = path.read_bytes()
    for start in range(4, len(whole) - 4, 97):
        path.write_bytes(whole[:start] + b"\xff" * 40 + whole[start + 40 :])
        with suppress(InputError):  # damage to the values alone cannot be seen
            read_parquet(path)
    path.write_bytes(whole)
    monkeypatch.setattr(parquet_files, "MAX_CELLS", 199)
    assert "has 200 cells, and at most 199 are read" in message(read_parquet, path)
    assert pq.read_metadata(path).num_rows == 100


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "is in UTF-16: save it in UTF-8"),
        (b"a,b\n1,\0\n", "row 2 has a zero byte"),
        (b"a,b\n1,\xff\n", "row 2 is not in UTF-8"),
        (b"", "t.csv is empty"),
        (b"\na,b\n1,2\n", "row 1 is blank"),
        (b'a,"b\n1,2\n', "t.csv"),
        (b"a," + b"x" * 200_000 + b"\n1,2\n", "row 1 cannot be read (field larger than field limit"),
    ],
)
def test_text_that_is_no_table_is_one_line(data, says):
    assert says in message(read, SourceFile("t.csv", data), ",", True)


@pytest.mark.parametrize("data", [b"a, b\n1, 2\n", b"a,b\r1,2\r", b"\xef\xbb\xbfa,b\r\n 1,2 \r\n", b'a,b\n"1 ",2'])
def test_line_ends_marks_and_blanks_do_no_harm(data):
    frame = read(SourceFile("t.csv", data), ",", quoted=True).frame
    assert (frame.columns.tolist(), frame.to_numpy().tolist()) == (["a", "b"], [["1", "2"]])
