import os
from pathlib import Path

import pytest

from recmodels.errors import InputError
from recmodels.paths import as_path


def test_a_path_is_absolute_and_the_home_directory_is_filled_in(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert as_path("~/runs") == as_path(Path("~/runs")) == as_path("runs") == tmp_path / "runs"
    assert as_path("a/../b") == tmp_path / "b"


def test_links_stay_links(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert as_path(tmp_path / "link") == tmp_path / "link"


@pytest.mark.parametrize(
    "given",
    ["", b"runs", 3, None, "a\0b", ["runs"], "\ud800", "x" * 300, "x/" * 5000, "~nobody-of-this-name/x", "s3://a/b"],
)
def test_what_is_no_path_is_refused(given):
    with pytest.raises(InputError):
        as_path(given)


def test_a_path_like_object_is_a_path(tmp_path):
    entry = next(os.scandir(tmp_path.parent))
    assert as_path(entry) == Path(entry.path)


@pytest.mark.parametrize("address", ["https://x.org/a.csv", Path("https://x.org/a.csv"), "FILE:///a.csv"])
def test_an_address_is_not_a_path(address):
    with pytest.raises(InputError, match="is an address, not a path: download the file, and give its path"):
        as_path(address)
