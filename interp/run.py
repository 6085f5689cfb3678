"""From one configuration to a finished study. Steps whose result is already there are only loaded.

The run's folder:

    config.json                   the configuration, versions, and fingerprints of data, recommender and dictionary
    recommender/                  weights and vocabulary
    activations/<site>/<part>/    stores of the parts sae, sae_validation and test
    dictionaries/<site>/<name>/   every dictionary
    evaluations/<site>/<name>/    how good it is
    tables/<group>/               every table (see `interp.tables`)
    timings.json                  wall time and peak memory of each step
    dashboard.html                the chosen dictionary on one offline page
    report.html                   the paper's tables, figures and claims on another
"""

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch

from interp.config import StudyConfig
from interp.dashboard import write_dashboard
from interp.data import StudyData, study_data
from interp.dictionaries import PARTS, Stores, collect_parts, evaluate_all
from interp.envoys import RecommenderEnvoy
from interp.evaluation import neurons
from interp.report import write_report
from interp.sae import SparseAutoencoder
from interp.sae_training import train
from interp.stages import Stages
from interp.study import Study
from interp.study import open as open_study
from interp.tables import read_table, write_group
from interp.tables.alignment import alignment
from interp.tables.cases import cases, lists
from interp.tables.dictionaries import dictionaries
from interp.tables.doses import doses
from interp.tables.effects import effects
from interp.tables.items import items
from interp.tables.steering import steering
from interp.tables.store import Tables
from recmodels import artifacts
from recmodels.interactions import Dataset
from recmodels.ranking import evaluate
from recmodels.sequences import histories_of
from recmodels.training import fit

VERSIONS = ("torch", "transformers", "nnsight", "dictionary-learning", "numpy", "pandas", "scikit-learn")
STEERED = 5  # concepts that are steered if the configuration names none


def run(config: StudyConfig, dataset: Dataset | None = None) -> Study:
    """Train, interpret and steer as the configuration says, and write it all to `config.folder`.

    Args:
        config: the configuration.
        dataset: your own data, in place of the one that the configuration names; the run takes its name.

    Raises:
        InputError: the data cannot be had, or a setting makes no sense.
    """
    if dataset is not None:
        config = replace(config, dataset=dataset.name)
    config.check()
    folder = config.folder
    stages = Stages(folder / "timings.json")
    print(f"{config.dataset} → {folder}", flush=True)

    with stages.stage("data"):
        data = study_data(config, dataset)
    # Until everything below fits together again, there is no finished study here.
    for name in ("config.json", "dashboard.html", "report.html"):
        (folder / name).unlink(missing_ok=True)
    with stages.stage("recommender", folder / "recommender"):
        recommender = fit(data.split.recommender, data.split.validation, config.training, folder / "recommender")
    rec = RecommenderEnvoy(recommender)

    grid = config.dictionaries()
    with stages.stage("activations", *(folder / "activations" / site / part for site in grid for part in PARTS)):
        stores = {site: collect_parts(rec, data.split, config, site) for site in grid}
    every = [folder / "dictionaries" / site / sae.name for site, configs in grid.items() for sae in configs]
    with stages.stage("dictionaries", *every):
        saes = {
            site: train(stores[site]["sae"], {sae.name: sae for sae in configs}, folder / "dictionaries" / site)
            for site, configs in grid.items()
        }
    chosen = _write_tables(config, data, rec, stores, saes, stages)

    record = _record(config, data, chosen, recommender.fingerprint)
    artifacts.write_json(folder / "config.json", record)
    study = open_study(folder)
    with stages.stage("dashboard"):
        write_dashboard(study)
    stages.finish()
    write_report(study)  # last, as it tells what the steps took
    return study


def _write_tables(
    config: StudyConfig,
    data: StudyData,
    rec: RecommenderEnvoy,
    stores: dict[str, Stores],
    saes: dict[str, dict[str, SparseAutoencoder]],
    stages: Stages,
) -> SparseAutoencoder:
    """Write every group of tables, attach the chosen dictionary to the recommender and return it."""
    groups, vocabulary, concepts = config.folder / "tables", rec.recommender.vocabulary, data.concepts
    histories = histories_of(data.split.test, vocabulary)
    common: dict[str, Any] = {"concepts": concepts.fingerprint, "recommender": rec.recommender.fingerprint}

    def group(name: str, inputs: dict[str, Any], make: Callable[[], Tables]) -> None:
        with stages.stage(name, groups / name):
            write_group(groups / name, common | inputs, make)

    group(
        "items",
        {"data": data.dataset.fingerprint},
        lambda: items(data.dataset.items, data.split.recommender, vocabulary, concepts),
    )
    every = [config.folder / "evaluations" / site / name for site, some in saes.items() for name in some]
    with stages.stage("evaluations", *every):
        rows = evaluate_all(rec, saes, stores, histories, concepts, config.folder / "evaluations")

    def compared() -> Tables:
        plain = evaluate(rec.score, histories, np.arange(len(vocabulary)))
        at_sites = [{"site": site, "neurons": neurons(parts["test"], concepts)} for site, parts in stores.items()]
        return dictionaries(rows, plain, pd.DataFrame(at_sites), config.sae, config.max_l0, config.sparse_l0)

    trained = [sae for some in saes.values() for sae in some.values()]
    compared_with = {
        "dictionaries": [[sae.provenance.site, sae.inputs(sae.config, sae.provenance)] for sae in trained],
        "validation": [parts["sae_validation"].fingerprint for parts in stores.values()],
        "test": histories.fingerprint,
        "max_l0": config.max_l0,
        "sparse_l0": config.sparse_l0,
    }
    group("comparison", compared_with, compared)
    sae = trained[read_table(groups, "dictionaries")["chosen"].to_numpy().argmax()]
    rec.attach(sae)

    common |= {"dictionary": sae.inputs(sae.config, sae.provenance), "test": histories.fingerprint}
    here = stores[config.site]
    learnt_on, test = here["sae"], here["test"]
    others = {name: other.fingerprint for name, other in data.others.items()}
    group(
        "alignment",
        {"attribute": data.attribute, "others": others},
        lambda: alignment(test, sae, concepts, data.attribute, data.others),
    )
    top = read_table(groups, "concepts")
    # Concepts that share their top feature are steered once.
    wanted = config.steered or tuple(top.drop_duplicates("feature")["concept"].head(STEERED))
    targets = top.set_index("concept").loc[list(wanted)].reset_index()
    about = {"data": data.dataset.fingerprint, "attribute": data.attribute}
    group("cases", about, lambda: cases(test, sae, data.dataset.items, concepts, data.attribute))
    group("effects", {}, lambda: effects(rec, sae, histories, config.site))
    steered = {"targets": targets["concept"].tolist(), "values": list(config.values), "train": learnt_on.fingerprint}
    group("steering", steered, lambda: steering(rec, sae, histories, targets, concepts, config.values, learnt_on, test))
    validation = histories_of(data.split.sae_validation, vocabulary)
    named, known = targets["concept"].tolist(), read_table(groups, "items").set_index("item")["popularity"]
    aligned, units = (read_table(groups, name) for name in ("alignment", "features"))
    group(
        "doses",
        {"targets": named, "found_on": validation.fingerprint, "popularity": known.tolist()},
        lambda: doses(
            rec, sae, validation, histories, named, concepts, known, aligned, units.set_index("feature")["p99"]
        ),
    )
    first = targets.iloc[0]
    group("lists", {"target": first["concept"]}, lambda: lists(rec, sae, histories, concepts, first))
    return sae


def _record(config: StudyConfig, data: StudyData, sae: SparseAutoencoder, recommender: str) -> dict[str, Any]:
    settings = asdict(config)
    for name in ("data", "items", "tmdb", "out"):
        settings[name] = str(settings[name]) if settings[name] else None
    return {
        "config": settings,
        "attribute": data.attribute,
        "dictionary": sae.config.name,
        "fingerprints": {"data": data.dataset.fingerprint, "recommender": recommender},
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()},
        "versions": {package: version(package) for package in VERSIONS},
    }
