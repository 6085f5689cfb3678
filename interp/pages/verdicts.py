"""The paper's claims, held against a study's tables: what holds here, what does not, and what was not measured."""

from typing import TYPE_CHECKING

import pandas as pd

from interp.pages.verdicts import beyond, control, dictionaries, interpretation, trade_offs
from interp.store.claim import BEYOND, Claim, tally

if TYPE_CHECKING:
    from interp.study.study import Study

__all__ = ["BEYOND", "Claim", "tally", "verdicts"]


def verdicts(study: "Study") -> list[Claim]:
    """All claims in the paper's order, then those that go beyond it.

    Raises:
        InputError: a table is missing, unfinished or was altered.
    """
    config = study.record["config"]
    sae = config["sae"]
    l1, sizes, sites, every = (study.table(name) for name in ("l1", "sizes", "sites", "dictionaries"))
    concepts, features, histograms = (study.table(name) for name in ("concepts", "features", "histograms"))
    cases, attributes, steering, probes = (study.table(name) for name in ("cases", "attributes", "steering", "probes"))
    replaced = _method(steering, "replace")
    return [
        dictionaries.first_block(sites),
        dictionaries.similar_blocks(sites),
        dictionaries.reconstruction(study.table("recommender"), every),
        dictionaries.stronger_penalty(l1, sae),
        interpretation.monosemantic(concepts, features),
        dictionaries.best_between(l1, sae),
        dictionaries.stable_sizes(sizes),
        interpretation.beats_neurons(concepts),
        interpretation.better_on_average(concepts),
        interpretation.grows_with_activation(concepts, features, histograms),
        interpretation.beyond_the_concepts(cases),
        interpretation.single_items(cases),
        control.rises(replaced),
        control.vanishes(replaced),
        control.dominates(replaced),
        control.gentle_is_safe(replaced),
        control.strong_costs_more(replaced),
        control.probes_correlate_better(probes, concepts),
        control.on_par_with_probes(steering),
        interpretation.other_attributes(attributes, study.record["attribute"]),
        dictionaries.sparse_is_aligned(every, config["sparse_l0"]),
        control.keeping_the_error_is_cheaper(steering),
        trade_offs.no_dearer(study.table("equal_share"), "set", "replace"),
        trade_offs.no_dearer(study.table("equal_share"), "profile", "replace"),
        trade_offs.no_dearer(study.table("equal_share"), "profile", "boost"),
        beyond.does_what_it_says(study.table("causal_agreement")),
        beyond.attributions_are_right(study.table("explanation_agreement")),
        beyond.reaches_the_long_tail(study.table("popularity")),
    ]


def _method(steering: pd.DataFrame, method: str) -> pd.DataFrame:
    return steering[steering["method"] == method]
