"""Which groups of tables a study has, in which order they are made, and what each follows from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from interp.config import StudyConfig
from interp.control.list_changes import COUNT
from interp.concepts.study_data import StudyData
from interp.activations.evaluation import neurons
from interp.pipeline.grid import Stores, evaluate_all
from interp.sae.autoencoder import SparseAutoencoder
from interp.model.envoys import RecommenderEnvoy
from interp.features.examples import SHOWN
from interp.pipeline.timings import Stages
from interp.steering.parsing import Meanings
from interp.analyses.alignment.tables import alignment
from interp.analyses.beyond.tables import causal, explanations, popularity, receipts
from interp.analyses.categories.tables import cases, lists
from interp.analyses.dictionaries.tables import dictionaries
from interp.analyses.doses.tables import doses
from interp.analyses.effects.tables import effects, paths
from interp.analyses.items.tables import items
from interp.analyses.labels.tables import labels
from interp.analyses.neighbours.tables import neighbours
from interp.analyses.steering.tables import steering
from interp.store.table_files import Tables, read_table, write_group
from interp.analyses.equal_share.tables import trade_offs
from interp.analyses.users.tables import users
from recmodels.ranking import evaluate
from recmodels.sequences import histories_of

STEERED = 5  # concepts that are steered if the configuration names none


def write_tables(
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
    held_out = histories_of(data.split.sae_validation, vocabulary)
    parts = {"sae_validation": held_out, "test": histories}
    group("users", {part: some.fingerprint for part, some in parts.items()}, lambda: users(parts, vocabulary))
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
    inputs, last = histories.split_last()
    held_out_items = pd.Series(vocabulary.decode(last), inputs.users)
    others = {name: other.fingerprint for name, other in data.others.items()}
    group(
        "alignment",
        {"attribute": data.attribute, "others": others, "histories": SHOWN},
        lambda: alignment(test, sae, concepts, data.attribute, data.others, held_out_items),
    )
    group("neighbours", {}, lambda: neighbours(test, sae))
    top = read_table(groups, "concepts")
    # Concepts that share their top feature are steered once.
    wanted = config.steered or tuple(top.drop_duplicates("feature")["concept"].head(STEERED))
    targets = top.set_index("concept").loc[list(wanted)].reset_index()
    about = {"data": data.dataset.fingerprint, "attribute": data.attribute}
    group("cases", about, lambda: cases(test, sae, data.dataset.items, concepts, data.attribute))
    group(
        "labels",
        about | {"learnt_on": learnt_on.fingerprint},
        lambda: labels(sae, learnt_on, test, data.dataset.items, concepts, data.attribute),
    )
    pushed = {"paths": paths(rec, config.site)}
    group("effects", pushed, lambda: effects(rec, sae, histories, config.site))
    steered = {"targets": targets["concept"].tolist(), "values": list(config.values), "train": learnt_on.fingerprint}
    group("steering", steered, lambda: steering(rec, sae, histories, targets, concepts, config.values, learnt_on, test))
    group(
        "trade_offs",
        steered,
        lambda: trade_offs(rec, histories, targets, concepts, config.values, learnt_on, read_table(groups, "steering")),
    )
    site, features, known = config.site, read_table(groups, "features"), read_table(groups, "items")
    counts, counted = known.set_index("item")["popularity"], {"data": data.dataset.fingerprint}
    named, meanings = targets["concept"].tolist(), Meanings.of_tables(features, top)
    group(
        "doses",
        counted | {"targets": named, "found_on": held_out.fingerprint},
        lambda: doses(rec, site, held_out, histories, named, concepts, counts, meanings),
    )
    first = targets.iloc[0]
    group("lists", {"target": first["concept"]}, lambda: lists(rec, sae, histories, concepts, first))

    aligned = read_table(groups, "alignment")
    group("causal", {"moved_items": COUNT}, lambda: causal(rec, site, histories, features, aligned, concepts))
    group("popularity", counted, lambda: popularity(rec, test, histories, concepts, counts))
    group("explanations", {}, lambda: explanations(rec, site, histories))
    given = counted | {"targets": named}
    group("receipts", given, lambda: receipts(rec, site, histories, targets, features, concepts, counts))
    return sae
