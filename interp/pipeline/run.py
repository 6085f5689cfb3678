"""From one configuration to a finished study. Steps whose result is already there are only loaded.

The run's folder:

    config.json                   the configuration, versions, and fingerprints of data, recommender and dictionary
    recommender/                  weights and vocabulary
    activations/<site>/<part>/    stores of the parts sae, sae_validation and test
    dictionaries/<site>/<name>/   every dictionary
    evaluations/<site>/<name>/    how good it is
    features/<site>/<name>/<part>/ what the chosen dictionary makes of a part
    baselines/<kind>/             of baselines that are dictionaries (`interp.pipeline.trained_baselines`)
    tables/<analysis>/            the tables of each of `interp.analyses`
    timings.json                  wall time and peak memory of each step
    dashboard.html                the chosen dictionary on one offline page
    report.html                   the paper's tables, figures and claims on another
    study.lock, unfinished.json   only while a run is at it, or was interrupted

The folder is locked while a run works on it (see `interp.store.study_folder`).
"""

import os
import platform
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from interp.concepts.study_data import StudyData, study_data
from interp.config import OF_RECOMMENDER, StudyConfig
from interp.features.steered_sample import sample_note
from interp.model.envoys import RecommenderEnvoy
from interp.pages.dashboard import write_dashboard
from interp.pages.report import write_report
from interp.pipeline.analysing import analyse_all
from interp.pipeline.announcement import announcement
from interp.pipeline.grid import PARTS, collect_parts, evaluate_all, train_grid
from interp.pipeline.idle_settings import idle_notes
from interp.pipeline.imported_dictionary import foreign_dictionary, import_dictionary, with_dictionary
from interp.pipeline.inputs import TABLES, Inputs
from interp.pipeline.trained_elsewhere import FOLDER, check_same, configured, keep, name_of, with_its_sites
from interp.sae.autoencoder import SparseAutoencoder
from interp.sae.exchange.folder_formats import ForeignDictionary
from interp.sae.import_dictionary import check_fits
from interp.store.early_checks import check_early
from interp.store.registry import analyses
from interp.store.study_folder import RECORD, claim_study, study_folder
from interp.store.table_files import holds_tables
from interp.store.timings import Stages
from interp.study.provenance import Provenance
from interp.study.study import Study
from interp.study.study import open as open_study
from recmodels import artifacts, ranks
from recmodels.console import say
from recmodels.folders import MARK
from recmodels.interactions import Dataset
from recmodels.recommender import Recommender
from recmodels.sequences import histories_of
from recmodels.steady import steady
from recmodels.training import fit

VERSIONS = ("torch", "transformers", "nnsight", "dictionary-learning", "numpy", "pandas", "scikit-learn")


@steady()
def run(
    config: StudyConfig,
    dataset: Dataset | None = None,
    *,
    recommender: Recommender | None = None,
    seen_users: Any = None,
) -> Study:
    """Train, interpret and steer as the configuration says, and write it all to `config.folder`.

    Args:
        config: the configuration.
        dataset: your own data, in place of the one that the configuration names; the run takes its name.
        recommender: one that is trained already, in place of the one that the configuration names or trains. It is
            kept in the study's folder; of the configuration, `training` plays no part.
        seen_users: which users it was trained on: "all" (or not known), "none", a file of ids or the ids; by default
            what the configuration says. Test users are drawn from the others.

    Raises:
        InputError: the data cannot be had; a setting makes no sense; the folder is neither empty nor a study; another
            process works on it; it is a study of another recommender; or the disk is full.
    """
    if dataset is not None:
        config = replace(config, dataset=dataset.name)
    if recommender is not None:
        out = config.out or Path("artifacts") / f"{config.dataset}-{name_of(recommender)}"
        config = replace(config, out=out, recommender=out / FOLDER)
    if isinstance(seen_users, str | Path):
        config, seen_users = replace(config, seen_users=str(seen_users)), None
    with ranks.joined():
        return _run_on_ranks(config, dataset, recommender, seen_users)


def _run_on_ranks(
    config: StudyConfig, dataset: Dataset | None, recommender: Recommender | None, seen_users: Any
) -> Study:
    check_early(config, has_data=dataset is not None, has_recommender=recommender is not None)
    foreign = foreign_dictionary(config)
    idle = partial(idle_notes, config, has_recommender=recommender is not None, has_data=dataset is not None)
    config = with_dictionary(config, foreign)
    folder = study_folder(config)
    with claim_study(folder) if ranks.is_first() else nullcontext():
        ranks.barrier()
        recommender = recommender or configured(config)
        return _run(config, dataset, folder, recommender, seen_users, foreign, idle)


def _run(
    request: StudyConfig,
    dataset: Dataset | None,
    folder: Path,
    given: Recommender | None,
    seen_users: Any,
    foreign: ForeignDictionary | None,
    idle: Callable[[int], list[str]],
) -> Study:
    config = replace(request, out=folder)
    stages = Stages(folder / "timings.json")
    say(f"{config.dataset} → {request.folder}")

    with stages.stage("data"), ranks.first_before_others():
        data = study_data(config, dataset, given, seen_users)
    known = data.split.vocabulary if data.recommender is None else data.recommender.vocabulary
    data = replace(data, notes=(*data.notes, *sample_note(data.split.test["user"].nunique(), len(known))))
    for note in [*data.notes, *idle(len(data.dataset.items))]:
        say(note)
    ranks.agree("read other data", data.dataset.fingerprint)
    check_same(data.recommender, folder / FOLDER)
    with ranks.first_before_others():
        if ranks.is_first():
            _begin(folder)
        ranks.see(folder / MARK)
    if data.recommender is None and ranks.is_first():
        say(announcement(config, lambda site: config.training.hidden_size))
    at_once = data.recommender is None and config.share_batches
    in_turn = nullcontext() if at_once else ranks.first_before_others()
    with stages.stage("recommender", folder / FOLDER), in_turn:
        if data.recommender is None:
            parts = data.split.recommender, data.split.validation
            recommender = fit(*parts, config.training, folder / FOLDER, known, config.keep_seen, config.share_batches)
        else:
            recommender = replace(data.recommender, keep_seen=config.keep_seen)
            keep(recommender, folder / FOLDER)
    rec = RecommenderEnvoy(recommender)
    if data.recommender is not None:
        config = with_its_sites(config, rec)
        request = replace(request, site=config.site)
        if ranks.is_first():
            say(announcement(config, rec.recommender.model.width))
    if foreign is not None:  # before activations are collected
        check_fits(foreign, recommender, config.site)

    grid = config.dictionaries()
    with stages.stage("activations", *(folder / "activations" / site / part for site in grid for part in PARTS)):
        stores = collect_parts(rec, data.split, config, {site: folder / "activations" / site for site in grid})
    folders = [folder / "dictionaries" / site / sae.name for site, configs in grid.items() for sae in configs]
    with stages.stage("dictionaries", *folders):
        if foreign is not None:
            with ranks.first_before_others():
                saes = import_dictionary(config, foreign, stores, folder / "dictionaries")
        else:
            saes = train_grid(config, stores)
    histories = histories_of(data.split.test, recommender.vocabulary)
    folders = [folder / "evaluations" / site / name for site, by_name in saes.items() for name in by_name]
    with stages.stage("evaluations", *folders):
        rows = evaluate_all(rec, saes, stores, histories, data.concepts, folder / "evaluations")
    inputs = Inputs(config, data, rec, stores, saes, rows)
    todo = analyses(bool(data.concepts.names))
    analyse_all(todo, inputs, stages)
    if ranks.is_first():
        _remove_other_tables(folder / TABLES, {analysis.name for analysis in todo})
        for part in PARTS:  # one that was lost is made again, although no table needs it
            inputs.features(part).make()
        artifacts.write_json(folder / RECORD, _record(request, data, inputs.sae, recommender.fingerprint))
        study = open_study(folder, data.recommender)
        with stages.stage("dashboard"):
            write_dashboard(study)
        stages.finish()
        write_report(study)  # last, as it lists the times of all steps
        (folder / MARK).unlink()
    ranks.barrier()
    return study if ranks.is_first() else open_study(folder, data.recommender)


def _begin(folder: Path) -> None:
    """Mark the study as unfinished until everything is done."""
    artifacts.write_json(folder / MARK, {"kind": "study", "inputs": {}})
    for name in (RECORD, "dashboard.html", "report.html"):
        (folder / name).unlink(missing_ok=True)


def _remove_other_tables(folder: Path, names: set[str]) -> None:
    """Remove the tables of other analyses, such as those under an earlier release's names."""
    for path in folder.iterdir():
        if path.name not in names and holds_tables(path):
            shutil.rmtree(path)


def _record(config: StudyConfig, data: StudyData, sae: SparseAutoencoder, recommender: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()
    }
    given: dict[str, Any] = {}
    # Settings that play no part are left out.
    del settings["processes"], settings["share_batches"]
    if data.recommender is None or data.seen is None:
        for name in ("recommender", *OF_RECOMMENDER):
            del settings[name]
    else:
        given["recommender"] = Provenance.of(data.recommender, data.seen).record
        if config.split.kind == "paper":
            settings["seen_users"] = config.seen_users or data.seen.which
        del settings["training"], settings["split"]["recommender_share"]
    return {
        "config": settings,
        **given,
        "attribute": data.attribute,
        "notes": list(data.notes),
        "dictionary": sae.config.name,
        "fingerprints": {"data": data.dataset.fingerprint, "recommender": recommender},
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()},
        "versions": {package: version(package) for package in VERSIONS},
    }
