"""A study in a folder or archive for others: recommender, dictionary, tables, card; without users unless asked."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from interp.config import StudyConfig
from interp.sae.autoencoder import KIND as DICTIONARY
from interp.store.study_folder import RECORD
from interp.store.table_files import KIND as TABLES
from interp.study.bundle_record import BundleRecord, bundle_record
from interp.study.card import card
from interp.study.page_files import copy_page
from interp.study.study_parts import StudyParts
from recmodels import artifacts
from recmodels.archives import write_archive
from recmodels.errors import InputError
from recmodels.folders import MANIFEST, refuse_link
from recmodels.paths import as_path
from recmodels.recommender import KIND as RECOMMENDER
from recmodels.recommender import USERS

KIND = artifacts.Kind("bundle", (RECORD, "bundle.json", "README.md"))
CARD = "README.md"
USER = "user"  # the column of a table that names users
# A path of the machine that made the study, in a text.
PATH = re.compile(r"(?<![\w:/.])(?:~|[A-Za-z]:)?[/\\][^\s,;'\"]*[/\\]")
PAGES = ("dashboard.html", "report.html", "notes.json")  # which show histories, and who wrote notes


def write_bundle(
    study: StudyParts,
    to: Path | str,
    *,
    with_users: bool = False,
    with_activations: bool = False,
    licence: str | None = None,
    cite: str | None = None,
) -> Path:
    """Write a study as a bundle: see `Study.bundle`."""
    target = as_path(to)
    if study.other is not None:
        raise InputError("this study has another dictionary than its run: bundle the run itself, interp.open(folder)")
    if with_activations and not with_users:
        raise InputError("activations name their users: ask for both (with_users and with_activations), or for neither")
    before = bundle_record(study.folder)
    if before is not None and (with_users > before.users or with_activations > before.activations):
        raise InputError("this study was opened from a bundle without them: bundle the study itself")
    if (study.folder / "recommender" / USERS).is_file() and not with_users:
        raise InputError(
            "this recommender has a vector for each user, under their ids: ask for a bundle with users, or make none"
        )
    inputs = {"recommender": study.record["fingerprints"]["recommender"], "dictionary": study.sae.fingerprint}
    terms = {"licence": licence, "cite": cite}
    if target.suffix != ".zip":
        if target == study.folder or study.folder in target.parents or target in study.folder.parents:
            raise InputError(f"{target} is the study's own folder: give another one")
        artifacts.discard_partial(target, KIND)
        with artifacts.writing(target, KIND, inputs) as partial:
            _fill(study, partial, with_users, with_activations, terms)
        return target
    refuse_link(target)
    if target.is_dir():
        raise InputError(f"{target} is a folder: give the name of an archive, or a folder whose name has no .zip")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bundle-") as place:
        folder = Path(place) / "bundle"
        with artifacts.writing(folder, KIND, inputs) as partial:
            _fill(study, partial, with_users, with_activations, terms)
        write_archive(folder, target)
    return target


def _fill(study: StudyParts, to: Path, users: bool, activations: bool, terms: dict[str, Any]) -> None:
    """Copy what the bundle holds, each part verified before."""
    for path in to.iterdir():  # of an attempt that was interrupted
        if path.is_dir():
            shutil.rmtree(path)
    name = study.record["dictionary"].split("/")[-1]
    _copy(study.folder / "recommender", to / "recommender", RECOMMENDER)
    _copy(study.folder / "dictionaries" / study.site / name, to / "dictionaries" / study.site / name, DICTIONARY)
    left_out = _copy_tables(study.folder / "tables", to / "tables", users)
    if activations:
        for part in ("activations", "features"):
            shutil.copytree(study.folder / part / study.site, to / part / study.site, ignore=_leftovers)
    for page in PAGES if users else ():
        if (study.folder / page).is_file():
            copy_page(study.folder / page, to)
    if (study.folder / "timings.json").is_file():
        shutil.copyfile(study.folder / "timings.json", to / "timings.json")
    record = public_record(study.record)
    artifacts.write_json(to / RECORD, record)
    before = bundle_record(study.folder)  # of a study that was opened from a bundle
    left_out = sorted({*left_out, *(before.tables_left_out if before else ())})
    contents = BundleRecord(tuple(left_out), users, activations)
    contents.write(to)
    artifacts.write_text(to / CARD, card(replace(study, record=record), contents, **terms))


def public_record(record: dict[str, Any]) -> dict[str, Any]:
    """The content of a study's config.json without the paths of the machine: of files that it names, names stay."""

    def public(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: public(entry) for name, entry in value.items()}
        if isinstance(value, list):
            return [public(entry) for entry in value]
        return PATH.sub("", value) if isinstance(value, str) else value

    paths = [field.name for field in fields(StudyConfig) if "Path" in str(field.type)]
    config = record["config"] | {name: None for name in paths if name in record["config"]}
    return public(record | {"config": config})


def _copy(source: Path, target: Path, kind: artifacts.Kind) -> None:
    artifacts.verify(source, kind)
    target.mkdir(parents=True)
    for path in [source / MANIFEST, *(source / name for name in artifacts.read_manifest(source, kind)["files"])]:
        shutil.copyfile(path, target / path.name)


def _copy_tables(source: Path, target: Path, users: bool) -> list[str]:
    """Copy tables; without users, those with a column of users stay behind: their names."""
    left_out = []
    for folder in sorted(path.parent for path in source.glob(f"*/{MANIFEST}")):
        if folder.suffix in (".partial", ".old"):
            continue
        manifest = artifacts.verify(folder, TABLES)
        names = [name for name in manifest["files"] if users or USER not in _columns(folder / name)]
        left_out += [Path(name).stem for name in manifest["files"] if name not in names]
        if not names:
            continue
        (target / folder.name).mkdir(parents=True)
        for name in names:
            shutil.copyfile(folder / name, target / folder.name / name)
        artifacts.seal(target / folder.name, TABLES, manifest["inputs"])
    return left_out


def _columns(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        import pyarrow.parquet  # here, as only bundles need it

        return list(pyarrow.parquet.read_schema(path).names)
    return list(pd.read_csv(path, nrows=0).columns)


def _leftovers(_: str, names: list[str]) -> Iterator[str]:
    return (name for name in names if name.endswith((".lock", ".partial", ".old")))
