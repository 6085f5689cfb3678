"""A finished study whose files are damaged or foreign: the same numbers, or one line; never others without a word."""

import hashlib
import json
import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ledger import COUNTS, Silent, attempt, check, inputs
from mutations import WHOLE_JSON, damaged, odd_json
from odd import JSON_LEAVES

from interp.activations.feature_matrix import feature_matrix
from interp.pages.report import write_report
from interp.pipeline.grid import evaluate_all
from interp.store.timings import Stages
from interp.study.study import open
from recmodels.artifacts import file_sha256
from recmodels.recommender import Recommender

ARTEFACTS, STRANGERS = "artefacts", "strangers"
HISTORIES = [[3, 5, 7], [1, 2]]
MEMORY = 6 * 2**30  # bytes that a process may take beyond what it has, so that a huge size cannot stop the machine
MANIFEST = "manifest.json"


@pytest.fixture(scope="module")
def copy(tiny_study, tmp_path_factory):
    """A copy of the study that a test may damage, and mends again."""
    folder = tmp_path_factory.mktemp("artefacts") / "study"
    shutil.copytree(tiny_study.folder, folder)
    return folder


@pytest.fixture(scope="module")
def files(copy):
    """What a study reads, by path inside its folder; pages are only written."""
    paths = [path.relative_to(copy).as_posix() for path in sorted(copy.rglob("*"))]
    return {path: (copy / path).read_bytes() for path in paths if (copy / path).is_file() and path[-5:] != ".html"}


def digest(*parts):
    """What tells numbers and names apart, to the bit."""
    content = hashlib.sha256()
    for part in parts:
        if isinstance(part, pd.DataFrame):
            part = [list(part.columns), part.map(repr).to_numpy().tolist(), part.index.tolist()]
        elif isinstance(part, np.ndarray | torch.Tensor):
            part = np.asarray(part).tolist()
        content.update(repr(part).encode("utf-8", "surrogatepass"))
    return content.hexdigest()


def scores(recommender):
    return recommender.score(recommender.histories(HISTORIES)), recommender.vocabulary.ids.tolist()


def everything_of(folder, path):
    """The numbers of the artefact that a file belongs to."""
    kind, *rest = path.split("/")
    if kind == "baselines" or rest[1:] == ["timings.json"]:
        return None  # no door of a study reads them; a run makes damaged ones again
    if kind == "config.json":
        study = open(folder)
        return digest(study.name, study.site, study.sae.fingerprint, study.recommender.recommender.fingerprint)
    if kind == "timings.json":
        stages = Stages(folder / path)
        with stages.stage("data"):
            pass
        stages.finish()
        return None
    if kind == "recommender":
        return digest(*scores(Recommender.load(folder / "recommender")))
    study = open(folder)
    if kind == "activations":
        store = study.activations(rest[1])
        return digest(np.array(store.activations), store.rows, store.site, store.recommender, store.mean, store.std)
    if kind == "dictionaries":
        sae = study.dictionary(rest[1], rest[0])
        return digest(sae.encode(torch.linspace(-1, 1, 8)[None]).detach(), sae.config, sae.provenance, sae.mean)
    if kind == "features":
        return digest(study.feature_matrix(rest[2]).toarray())
    if kind == "evaluations":
        return None
    if kind == "features":  # made again where they are damaged
        site, name, part, _ = rest
        place = folder / kind / site / name / part
        matrix = feature_matrix(study.activations(part), study.dictionary(name, site), place)
        return digest(matrix.data, matrix.indices, matrix.indptr)
    group = [
        table.stem for table in sorted((folder / kind / rest[0]).iterdir()) if table.suffix in (".csv", ".parquet")
    ]
    return digest(*(study.table(name) for name in sorted(set(group) | {Path(rest[1]).stem}) if name != "manifest"))


def evaluations_of(folder):
    """What a second run makes of the evaluations that are there."""
    study = open(folder)
    stores = {study.site: {part: study.activations(part) for part in ("sae_validation", "test")}}
    saes = {study.site: {study.record["dictionary"]: study.sae}}
    rec, histories = study.recommender, study.users()
    return digest(*evaluate_all(rec, saes, stores, histories, study.concepts, folder / "evaluations"))


@pytest.fixture(scope="module")
def originals(copy, files):
    """The digest of every file's artefact as it was."""
    return {path: everything_of(copy, path) for path in files}


def is_json(path):
    return path.endswith(".json")


@st.composite
def damages(draw, files):
    """A file, and what becomes of it: bytes, or a word for what is done to it."""
    path = draw(st.sampled_from(sorted(files)))
    ways = [damaged(files[path], 2)]
    if is_json(path):
        ways += [odd_json(json.loads(files[path]), JSON_LEAVES, 2).map(json.dumps).map(str.encode)] * 2
        ways += [st.sampled_from(WHOLE_JSON)]
    ways += [st.sampled_from(["gone", "folder", "link", b"", b"\0" * len(files[path])])]
    ways += [st.sampled_from(sorted(files)).map(files.get)]
    return path, draw(st.one_of(ways))


@contextmanager
def placed(folder, path, content, files):
    """The study with this in the place of a file, which comes back afterwards."""
    target = folder / path
    target.unlink()
    if content == "folder":
        target.mkdir()
    elif content == "link":
        target.symlink_to("/nowhere/at/all")
    elif content != "gone":
        target.write_bytes(content)
    try:
        yield
    finally:
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        target.write_bytes(files[path])


def test_damaged_artefacts(copy, files, originals):
    @inputs(0.035)
    @given(damages(files))
    def run(damage):
        path, content = damage

        def read():
            if everything_of(copy, path) != originals[path]:
                raise Silent("other numbers")

        with placed(copy, path, content, files):
            attempt(ARTEFACTS, read, f"{path}: {content!r}")

    run()


def test_damaged_evaluations(copy, files):
    ours = {path: content for path, content in files.items() if path.startswith("evaluations")}
    before = evaluations_of(copy)

    @inputs(0.0015)
    @given(damages(ours))
    def run(damage):
        path, content = damage

        def read():
            if evaluations_of(copy) != before:
                raise Silent("other numbers")

        with placed(copy, path, content, ours):
            attempt(ARTEFACTS, read, f"{path}: {content!r}")
        for other in ours:
            (copy / other).parent.mkdir(parents=True, exist_ok=True)
            (copy / other).write_bytes(ours[other])

    run()


def test_damaged_records_in_the_report(copy, files):
    ours = {path: content for path, content in files.items() if path in ("config.json", "timings.json")}

    @inputs(0.0005)
    @given(damages(ours))
    def run(damage):
        path, content = damage
        with placed(copy, path, content, ours):
            attempt(ARTEFACTS, lambda: write_report(open(copy)), f"report with {path}: {content!r}")

    run()


def resealed(folder, path):
    """The manifest of a stranger, who knows what checksums are."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    target = folder / path
    manifest["files"][path] = {"bytes": target.stat().st_size, "sha256": file_sha256(target)}
    (folder / MANIFEST).write_text(json.dumps(manifest))


SIZES = st.sampled_from([0, -1, 1, 7, 10**6, 10**12, 2**63, 1.5, "8", None, True, [8], {"a": 8}])
HOSTILE = {
    "attn_implementation": st.sampled_from(["someone/kernels", "flash_attention_2", "eager"]),
    "_attn_implementation": st.just("someone/kernels"),
    "auto_map": st.just({"AutoModel": "evil.py--Model"}),
    "torch_dtype": st.sampled_from(["float16", "evil", 7]),
    "dtype": st.sampled_from(["float16", "evil", 7]),
    "quantization_config": st.just({"quant_method": "bitsandbytes", "load_in_8bit": True}),
    "model_type": st.sampled_from(["bert", "gpt2", "../x", 7, None, "recmodels-bert4rec"]),
    "transformers_weights": st.just("../../../etc/passwd"),
    "architectures": st.sampled_from([["Evil"], 7]),
    "num_labels": SIZES,
    "id2label": st.just({"0": 1}),
    "activation_function": st.sampled_from(["gelu", "evil", 7]),
}


@st.composite
def hostile_files(draw, files):
    """A file of a recommender or dictionary as a stranger might write it, with its checksum."""
    ours = [
        path
        for path in files
        if path.startswith(("recommender", "dictionaries", "activations")) and MANIFEST not in path
    ]
    path = draw(st.sampled_from([*ours, *["recommender/config.json"] * 6]))
    if not is_json(path):
        return path, draw(damaged(files[path], 2) | st.sampled_from(sorted(files)).map(files.get))
    record = json.loads(files[path])
    if path == "recommender/config.json" and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(HOSTILE)))
        record[name] = draw(HOSTILE[name])
    elif isinstance(record, dict) and draw(st.booleans()):
        record[draw(st.sampled_from(sorted(record)))] = draw(SIZES | JSON_LEAVES)
    else:
        record = draw(odd_json(record, JSON_LEAVES, 2))
    return path, json.dumps(record).encode()


def test_studies_of_strangers(copy, files):
    """What is well sealed and odd: an answer or one line, within seconds, whatever sizes it claims."""

    @inputs(0.012)
    @given(hostile_files(files))
    def run(case):
        path, content = case
        folder = (copy / path).parent
        manifest = (folder / MANIFEST).relative_to(copy).as_posix()
        try:
            with placed(copy, path, content, files), at_most(MEMORY):
                resealed(folder, Path(path).name)
                attempt(STRANGERS, lambda: everything_of(copy, path), f"{path}: {content!r}")
        finally:
            (copy / manifest).write_bytes(files[manifest])

    run()


@contextmanager
def at_most(more):
    """Keep this process from taking so many more bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(not COUNTS, reason="failures are raised at once")
@pytest.mark.parametrize("surface", [ARTEFACTS, STRANGERS])
def test_nothing_is_uncaught(surface):
    check(surface)
