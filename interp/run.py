"""From one configuration to a finished study. Steps whose result is already there are only loaded.

The run's folder:

    config.json            the configuration, versions, and fingerprints of data, recommender and dictionary
    recommender/           weights and vocabulary
    activations/<part>/    stores of the parts sae, sae_validation and test
    dictionaries/<name>/   every dictionary of the grid
    tables/<group>/        every table (see `interp.tables`)
    timings.json           wall time and peak memory of each step
    dashboard.html         one offline page
"""

import platform
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from interp import tables
from interp.activations import ActivationStore, collect
from interp.concepts import Concepts, concepts_of
from interp.config import StudyConfig
from interp.dashboard import write_dashboard
from interp.envoys import RecommenderEnvoy
from interp.sae import SparseAutoencoder
from interp.sae_training import train
from interp.stages import Stages
from interp.study import Study
from interp.study import open as open_study
from recmodels import artifacts, datasets
from recmodels.interactions import Dataset
from recmodels.sequences import histories_of
from recmodels.splits import Split, paper_split
from recmodels.training import fit

VERSIONS = ("torch", "transformers", "nnsight", "dictionary-learning", "numpy", "pandas", "scikit-learn")


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
    folder.mkdir(parents=True, exist_ok=True)
    # Until everything below fits together again, there is no finished study here.
    (folder / "config.json").unlink(missing_ok=True)
    stages = Stages(folder / "timings.json")
    print(f"{config.dataset} → {folder}", flush=True)

    with stages.stage("data"):
        dataset = dataset or datasets.load(config.dataset, config.data)
        concepts = concepts_of(dataset.items, config.attribute or dataset.attribute, config.min_support)
        split = paper_split(dataset.interactions, config.split)

    with stages.stage("recommender", folder / "recommender"):
        recommender = fit(split.recommender, split.validation, config.training, folder / "recommender")
    rec = RecommenderEnvoy(recommender)

    parts = {"sae": split.sae, "sae_validation": split.sae_validation, "test": split.test}
    with stages.stage("activations", *(folder / "activations" / part for part in parts)):
        stores = {
            part: collect(
                rec,
                frame,
                folder / "activations" / part,
                config.site,
                config.sae_windows if part == "sae" else "last",
            )
            for part, frame in parts.items()
        }

    configs = config.dictionaries()
    with stages.stage("dictionaries", *(folder / "dictionaries" / name for name in configs)):
        saes = train(stores["sae"], configs, folder / "dictionaries")

    chosen = _tables(config, dataset, concepts, split, rec, stores, saes, stages)
    artifacts.write_json(folder / "config.json", _record(config, chosen, dataset.fingerprint, recommender.fingerprint))
    study = open_study(folder)
    with stages.stage("dashboard"):
        write_dashboard(study)
    return study


def _tables(
    config: StudyConfig,
    dataset: Dataset,
    concepts: Concepts,
    split: Split,
    rec: RecommenderEnvoy,
    stores: dict[str, ActivationStore],
    saes: dict[str, SparseAutoencoder],
    stages: Stages,
) -> str:
    """Write every group of tables, attach the chosen dictionary to the recommender and return its name."""
    groups, vocabulary = config.folder / "tables", rec.recommender.vocabulary
    inputs: dict[str, Any] = {"concepts": concepts.fingerprint, "recommender": rec.recommender.fingerprint}
    tables.write_group(
        groups / "items",
        {**inputs, "data": dataset.fingerprint},
        lambda: tables.items(dataset.items, split.recommender, vocabulary, concepts),
    )
    with stages.stage("selection", groups / "selection"):
        tables.write_group(
            groups / "selection",
            {
                **inputs,
                "dictionaries": {name: sae.inputs(sae.config, sae.provenance) for name, sae in saes.items()},
                "activations": stores["sae_validation"].fingerprint,
                "max_l0": config.max_l0,
            },
            lambda: tables.candidates(saes, stores["sae_validation"], concepts, config.max_l0),
        )
    candidates = tables.read_table(groups, "candidates")
    chosen = candidates.loc[candidates["chosen"], "name"].item()
    sae = saes[chosen]
    rec.attach(sae)
    test = histories_of(split.test, vocabulary)
    inputs |= {"dictionary": sae.inputs(sae.config, sae.provenance), "test": test.fingerprint}

    with stages.stage("alignment", groups / "alignment"):
        tables.write_group(groups / "alignment", inputs, lambda: tables.alignment(stores["test"], sae, concepts))
    with stages.stage("effects", groups / "effects"):
        tables.write_group(groups / "effects", inputs, lambda: tables.effects(rec, sae, test, config.site))
    top = tables.read_table(groups, "concepts").head(config.steered_concepts)
    with stages.stage("steering", groups / "steering"):
        tables.write_group(
            groups / "steering",
            {
                **inputs,
                "values": list(config.values),
                "reconstruct": config.reconstruct,
                "targets": top["concept"].tolist(),
            },
            lambda: tables.steering(rec, test, top, concepts, config.values, config.reconstruct),
        )
    return chosen


def _record(config: StudyConfig, chosen: str, data: str, recommender: str) -> dict[str, Any]:
    settings = asdict(config)
    settings["data"], settings["out"] = (str(path) if path else None for path in (config.data, config.out))
    return {
        "config": settings,
        "dictionary": chosen,
        "fingerprints": {"data": data, "recommender": recommender},
        "python": platform.python_version(),
        "versions": {package: version(package) for package in VERSIONS},
    }
