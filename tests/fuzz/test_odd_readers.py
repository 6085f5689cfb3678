"""Readers of data sets: damaged files and archives give a data set of texts and numbers, or one line."""

import io
import shutil
import struct
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from mutations import damaged
from samples import SAMPLES

from recmodels import datasets
from recmodels.config import Columns
from recmodels.datasets.tables import from_tables
from recmodels.datasets.tmdb import with_tmdb
from recmodels.interactions import Dataset

READERS = "readers"
FILMS = pd.DataFrame({"title": ["Toy Story", "Été", "c"], "genres": [("x",)] * 3}, index=[2, 11, 5])
MET = pd.DataFrame({"user": [1, 1, 2], "item": [2, 11, 5], "time": [1, 2, 3]})


def load(name, source):
    if name.startswith("own"):
        kind = name.split()[1]
        return from_tables(source / f"loans{kind}", source / f"books{kind}", Columns())
    if name == "tmdb":
        return with_tmdb(Dataset("ml-25m", MET, FILMS, "genres"), source)
    return datasets.load(name, source)


def sound(dataset):
    """The data set itself, if all that later steps rely on holds."""
    parts = [dataset.items["title"], dataset.items.index.to_series(), dataset.interactions["user"]]
    for part in parts:
        try:
            part.astype(str).str.encode("utf-8")
        except UnicodeEncodeError:
            raise Silent(f"{part.name} holds text that no file can hold") from None
    if not dataset.items.map(lambda cell: isinstance(cell, tuple) or pd.isna(cell) or pd.api.types.is_scalar(cell)).all(
        axis=None
    ):
        raise Silent("a cell of the items is neither a tuple nor a scalar")
    if dataset.interactions["time"].isna().any():
        raise Silent("a time is missing")
    assert dataset.fingerprint
    return dataset


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Every sample as a folder."""
    made = {}
    for name, files in SAMPLES.items():
        made[name] = tmp_path_factory.mktemp("sample") / "files"
        made[name].mkdir()
        for file, content in files.items():
            (made[name] / file).write_bytes(content)
    return made


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read(folders, name):
    assert len(sound(load(name, folders[name])).items)


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files(folders, name):
    folder, files = folders[name], SAMPLES[name]

    @inputs(0.15 / len(SAMPLES))
    @given(st.sampled_from(sorted(files)).flatmap(lambda file: st.tuples(st.just(file), damaged(files[file]))))
    def run(case):
        file, content = case
        (folder / file).write_bytes(content)
        try:
            attempt(READERS, lambda: sound(load(name, folder)), f"{name} {file} {content!r}")
        finally:
            (folder / file).write_bytes(files[file])

    run()


def zipped(files, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(f"x/{name}", content)
    return buffer.getvalue()


def flagged(content, bit):
    """An archive whose members carry one more general-purpose flag, such as encrypted (bit 0)."""
    content = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            flags = struct.unpack_from("<H", content, place + offset)[0]
            struct.pack_into("<H", content, place + offset, flags | (1 << bit))
            place = content.find(signature, place + 4)
    return bytes(content)


ZIPPED = {name: zipped(SAMPLES[name]) for name in ("ml-100k", "ml-1m", "ml-25m", "lastfm-2k", "music4all", "recbole")}
STORED = {name: zipped(SAMPLES[name], zipfile.ZIP_STORED) for name in ZIPPED}
ARCHIVES = st.sampled_from(sorted(ZIPPED)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.one_of(
            damaged(ZIPPED[name]),
            damaged(STORED[name]),
            st.integers(0, 15).map(lambda bit: flagged(ZIPPED[name], bit)),
            damaged(flagged(ZIPPED[name], 0)),
            st.sampled_from([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]).flatmap(
                lambda way: damaged(zipped(SAMPLES[name], way))
            ),
        ),
    )
)


def test_damaged_archives(tmp_path):
    @inputs(0.04)
    @given(ARCHIVES)
    def run(case):
        name, content = case
        path = tmp_path / f"{name}.zip"
        path.write_bytes(content)
        attempt(READERS, lambda: sound(load(name, path)), f"{name}.zip {content!r}")

    run()


def test_places_that_are_none(folders, tmp_path):
    """Folders where files should be, links to nowhere, names that no file can have."""
    for name, folder in folders.items():
        for file in SAMPLES[name]:
            copy = tmp_path / name / file / "copy"
            shutil.copytree(folder, copy)
            (copy / file).unlink()
            attempt(READERS, lambda name=name, copy=copy: sound(load(name, copy)), f"{name} without {file}")
            (copy / file).mkdir()
            attempt(READERS, lambda name=name, copy=copy: sound(load(name, copy)), f"{name} {file} is a folder")
            (copy / file).rmdir()
            (copy / file).symlink_to(tmp_path / "nowhere")
            attempt(READERS, lambda name=name, copy=copy: sound(load(name, copy)), f"{name} {file} links to nowhere")
    for source in ("\0", "x" * 5_000, "", "\ud800", "/dev/null"):
        attempt(READERS, lambda source=source: datasets.load("ml-1m", source), source)


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
def test_nothing_is_uncaught():
    check(READERS)
