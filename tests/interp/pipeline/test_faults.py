"""Files of a study that are lost, cut, flipped, emptied or links; and full disks: one line or the same result.

A few of each here; all of them with `make faults`.
"""

import contextlib
import hashlib
import io
import os
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from tiny import CONFIG, data

import interp
import interp.pages.report
from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import feature_matrix
from interp.pipeline.grid import EVALUATION
from interp.pipeline.run import run
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.registry import analyses
from interp.store.table_files import TableReader, read_tables
from recmodels.errors import InputError
from recmodels.recommender import Recommender

resource = pytest.importorskip("resource")
EVERY = os.environ.get("INTERP_FAULTS") == "all"
READERS = {
    "recommender": Recommender.load,
    "activations": ActivationStore.load,
    "dictionaries": SparseAutoencoder.load,
    "dictionary": SparseAutoencoder.load,
}


def lost(path, other):
    path.unlink()


def cut(path, other):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flipped(path, other):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path, other):
    path.write_bytes(b"")


def garbled(path, other):
    path.write_bytes(b"[" * 100_000)


def swapped(path, other):
    """A file of the same kind from somewhere else."""
    path.write_bytes(other.read_bytes() + b" ")


def linked(path, other):
    elsewhere = path.parents[3] / f"outside-{path.name}"
    shutil.copy(path, elsewhere)
    path.unlink()
    path.symlink_to(elsewhere)


FAULTS = (lost, cut, flipped, emptied, garbled, swapped, linked)


@pytest.fixture(scope="module", autouse=True)
def timeless():
    """Reports without the table of times, which differ from run to run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interp.pages.report, "read_timings", lambda path: {})
        yield


@pytest.fixture(scope="module")
def dataset():
    return data()


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "study"
    quietly(folder, dataset)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    folder = tmp_path / "deep" / "study"
    shutil.copytree(whole, folder)
    return folder


def quietly(folder, dataset):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(replace(CONFIG, out=folder), dataset)


def digests(folder):
    """Of all files but those that name the folder or the time."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("timings.json", "report.html") and path != folder / "config.json"
    }


def artefacts(folder):
    return sorted(path.parent for path in folder.rglob("manifest.json"))


def read(folder, artefact):
    """What the artefact holds, as something that can be compared."""
    kind, *place = artefact.relative_to(folder).parts
    if kind == "baselines":
        baseline, kind, *place = place
        parts = [folder / "baselines" / baseline / name for name in ("activations", "dictionary", "features")]
    elif kind == "features":
        parts = [folder / "activations" / place[0], folder.joinpath("dictionaries", *place[:2]), artefact.parent]
    if kind in READERS:
        made = READERS[kind](artefact)
        return made.fingerprint, getattr(made, "mean", None)
    if kind == "features":
        return read_features(*parts, place[-1])
    if kind == "evaluations":
        frames = read_tables(artefact, [EVALUATION])
    else:
        analysis = next(analysis for analysis in analyses() if analysis.name == artefact.name)
        frames = {name: TableReader(artefact.parent)(name) for name in analysis.table_names}
    return {name: pd.util.hash_pandas_object(frame.astype(str)).sum() for name, frame in frames.items()}


def read_features(activations, dictionary, features, part):
    """A feature matrix, which is made again where its files are damaged."""
    store, sae = ActivationStore.load(activations / part), SparseAutoencoder.load(dictionary)
    matrix = feature_matrix(store, sae, features / part)
    return {name: hashlib.sha256(getattr(matrix, name)).hexdigest() for name in ("data", "indices", "indptr")}


def test_the_same_configuration_gives_the_same_files(whole, tmp_path, dataset):
    quietly(tmp_path / "again", dataset)
    assert digests(tmp_path / "again") == digests(whole)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_file_is_refused_in_one_line_or_changes_nothing(whole, copy, fault):
    """Every file of every artefact, read as its readers read it."""
    tried = artefacts(copy) if EVERY else artefacts(copy)[::7]
    refused: list[str] = []
    for artefact in tried:
        expected = read(copy, artefact)
        for path in sorted(artefact.iterdir()):
            kept = path.read_bytes()
            fault(path, next(other for other in artefact.iterdir() if other != path))
            try:
                got = read(copy, artefact)
                assert {**expected, **got} == expected if isinstance(got, dict) else got == expected
            except InputError as error:
                refused.append(str(error))
            path.unlink(missing_ok=True)
            path.write_bytes(kept)
        assert read(copy, artefact) == expected
    assert len(refused) >= len(tried)
    assert not [line for line in refused if "\n" in line or str(copy) not in line]


@pytest.mark.parametrize("fault", [lost, flipped] if not EVERY else FAULTS[:-1])
@pytest.mark.parametrize("turn", range(8) if EVERY else [0])
def test_the_same_command_mends_a_study_with_damaged_files(whole, copy, dataset, fault, turn, caplog):
    """One file of every artefact at once; each is made again, or refused in one line that names what to delete."""
    for artefact in artefacts(copy)[turn % 3 :: 3]:
        files = sorted(path for path in artefact.iterdir() if path.name != "manifest.json")
        path = files[turn % len(files)]
        fault(path, next(other for other in artefact.iterdir() if other != path))
    quietly(copy, dataset)
    assert "it is made again" in caplog.text
    assert digests(copy) == digests(whole)
    assert interp.open(copy).table("concepts").equals(interp.open(whole).table("concepts"))


@pytest.mark.parametrize("name", ["timings.json", "config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"data": 3}', b"[" * 100_000, b"\xff", b'{"data": {"seconds": 1e999}}']
)
def test_damaged_records_of_a_study_are_told_or_forgotten(copy, name, content):
    (copy / name).write_bytes(content)
    if name == "config.json":
        with pytest.raises(InputError, match=r"config\.json .*run the study again") as error:
            interp.open(copy)
        assert "\n" not in str(error.value)
    else:
        assert interp.pages.report.write_report(interp.open(copy)).is_file()


def limited(size):
    """Within it, no file may grow beyond so many bytes: what a full disk does, without one."""

    @contextlib.contextmanager
    def within():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return within()


def test_a_full_disk_is_told_in_one_line_and_the_same_command_goes_on(whole, tmp_path, dataset):
    """In each stage: the limit rises until all fits."""
    folder, stopped = tmp_path / "deep" / "study", []
    steps = range(300, 200_000, 700) if EVERY else [100, 9000, 40_000]
    for size in steps:
        with limited(size):
            try:
                quietly(folder, dataset)
                break
            except InputError as error:
                stopped.append(str(error))
    assert stopped
    assert all("there is no space to write" in line and "\n" not in line for line in stopped), set(stopped)
    quietly(folder, dataset)
    assert digests(folder) == digests(whole)
