"""Every claim, on tables made by hand for each outcome."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interp.analyses.alignment import claims as alignment
from interp.analyses.categories import claims as categories
from interp.analyses.causal import claims as causal
from interp.analyses.comparison import claims as comparison
from interp.analyses.equal_share.claims import no_dearer
from interp.analyses.explanations import claims as explanations
from interp.analyses.popularity import claims as popularity
from interp.analyses.steering import claims as steering
from interp.control.cost_intervals import verdict
from interp.sae_config import SAEConfig
from interp.store.claim import BEYOND, Claim, tally

SAE = SAEConfig(trainer="unsquared", l1=0.1, k=16)


# ---- settings ----


def l1(correlation=(0.3, 0.5, 0.2), ndcg=(0.100, 0.098, 0.05)):
    """λ of 0.01, 0.1 and 1, after the row of the plain recommender, whose NDCG@10 is 0.1."""
    rows = pd.DataFrame(
        {"sparsity": [0.01, 0.1, 1.0], "runs": 2, "mean_top_correlation": correlation, "ndcg@10": ndcg},
    )
    return pd.concat([pd.DataFrame({"ndcg@10": [0.1], "runs": 1}), rows], ignore_index=True)


def sites(**correlation):
    names = [name.replace("_", ".") for name in correlation]
    return pd.DataFrame({"site": names, "mean_top_correlation": correlation.values()})


@pytest.mark.parametrize(
    ("table", "first", "similar"),
    [
        (sites(blocks_0=0.5, blocks_1=0.45, embedding=0.9), True, True),
        (sites(blocks_1=0.6, blocks_0=0.5), False, True),
        (sites(blocks_0=0.5, blocks_1=0.3), True, False),
        (sites(blocks_0=0.5, final=0.3), None, None),
    ],
)
def test_places(table, first, similar):
    assert comparison.first_block(table).holds is first
    assert comparison.similar_blocks(table).holds is similar


def test_first_block_needs_the_first_block():
    assert comparison.first_block(sites(blocks_1=0.5, blocks_2=0.4)).holds is None


def test_reconstruction():
    def claim(plain=0.1, replaced=0.098, trainer="unsquared", setting=0.1):
        ranked = pd.DataFrame({"replaced": ["none", "all", "last"], "ndcg@10": [plain, replaced, 0.5]})
        every = pd.DataFrame({"trainer": ["gated", trainer], "sparsity": [9, setting], "chosen": [False, True]})
        return comparison.reconstruction(ranked, every)

    assert claim().holds is True
    assert "λ = 0.1, NDCG@10 is 0.0980 against 0.1000: −2.0%" in claim().measured
    assert claim(replaced=0.094).holds is False
    assert "k = 16" in claim(trainer="top_k", setting=16).measured
    assert claim(plain=0.0).holds is None


def test_stronger_penalties():
    assert comparison.stronger_penalty(l1(), SAE).holds is True
    assert comparison.stronger_penalty(l1(ndcg=(0.1, 0.0999, 0.1001)), SAE).holds is False
    assert comparison.stronger_penalty(l1(ndcg=(0.1, 0.05, 0.06)), SAE).holds is False  # rises on the way
    assert comparison.stronger_penalty(l1(ndcg=(0.1, 0.05, 0.051)), SAE).holds is True  # by less than counts
    assert comparison.stronger_penalty(l1().iloc[:3], SAE).holds is None
    assert comparison.stronger_penalty(l1(), replace(SAE, trainer="top_k")).holds is None


def test_best_penalty_lies_between():
    held = comparison.best_between(l1(), SAE)
    assert held.holds is True
    assert "0.500 at the best between them (0.1)" in held.measured
    assert "2 runs" in held.measured
    assert comparison.best_between(l1(correlation=(0.6, 0.5, 0.2)), SAE).holds is False
    assert comparison.best_between(l1(correlation=(0.3, 0.5, 0.5)), SAE).holds is False
    assert comparison.best_between(l1().iloc[:3], SAE).holds is None


def test_stable_sizes():
    table = pd.DataFrame({"n_features": [64, 512, 1024], "runs": 1, "mean_top_correlation": [0.1, 0.50, 0.54]})
    assert comparison.stable_sizes(table).holds is True  # the small one does not count
    assert comparison.stable_sizes(table.assign(mean_top_correlation=[0.5, 0.5, 0.6])).holds is False
    assert comparison.stable_sizes(table.iloc[:2]).holds is None


def test_sparse_dictionaries():
    table = pd.DataFrame(
        {
            "trainer": "top_k",
            "n_features": 64,
            "sparsity": [8, 32],
            "val_l0": [8.0, 32.0],
            "l0": [8.1, 32.1],
            "mean_top_correlation": [0.46, 0.5],
            "sparse": [True, False],
            "chosen": [False, True],
        }
    )
    assert comparison.sparse_is_aligned(table, 16.0).holds is True
    assert comparison.sparse_is_aligned(table.assign(mean_top_correlation=[0.44, 0.5]), 16.0).holds is False
    assert comparison.sparse_is_aligned(table, 4.0).holds is None
    assert comparison.sparse_is_aligned(table, 4.0).section == BEYOND


# ---- what features stand for ----


def concepts(correlation=(0.6, 0.5), neurons=(0.2, 0.3)):
    return pd.DataFrame(
        {"concept": ["A", "B"], "feature": [4, 7], "correlation": correlation, "neuron_correlation": neurons}
    )


def features(*best):
    return pd.DataFrame({"feature": [7, 4], "concept": best})


def test_monosemantic_features():
    assert alignment.monosemantic(concepts(), features("B", "A")).holds is True
    half = alignment.monosemantic(concepts(), features("A", "A"))
    assert half.holds is False
    assert "1 of 2" in half.measured


def test_features_against_neurons():
    assert alignment.beats_neurons(concepts()).holds is True
    lost = alignment.beats_neurons(concepts(neurons=(0.2, 0.55)))
    assert lost.holds is False
    assert "not for B" in lost.measured
    assert alignment.better_on_average(concepts(neurons=(0.2, 0.55))).holds is True
    assert alignment.better_on_average(concepts(neurons=(0.7, 0.55))).holds is False
    assert "0.500 / 0.550 / 0.600" in alignment.better_on_average(concepts()).measured


def test_share_grows_with_activation():
    def histogram(feature, present):
        edges = np.arange(5.0)
        return pd.DataFrame(
            {"feature": feature, "left": edges[:-1], "right": edges[1:], "present": present, "absent": [8, 4, 2, 1]}
        )

    rising, falling = [1, 1, 1, 1], [16, 8, 1, 0]
    both = features("B", "A")
    held = alignment.grows_with_activation(concepts(), both, pd.concat([histogram(4, rising), histogram(7, rising)]))
    assert held.holds is True
    mixed = pd.concat([histogram(4, rising), histogram(7, falling)])
    assert alignment.grows_with_activation(concepts(), both, mixed).holds is False
    # The histogram of a feature is split by its best concept, so it tells nothing of another.
    assert alignment.grows_with_activation(concepts(), features("A", "A"), mixed).holds is True
    assert alignment.grows_with_activation(concepts(), features("A", "B"), mixed).holds is None


def cases(**columns):
    table = {"kind": ["item", "item", "decade"], "concept": ["X", "Y", "1980s"], "correlation": 0.5}
    return pd.DataFrame(table | {"unseen_items": 0.4, "p_top100": [0.9, 0.6, 0.7]} | columns)


def test_features_beyond_the_concepts():
    held = categories.beyond_the_concepts(cases())
    assert held.holds is True
    assert "decade 1980s 0.70" in held.measured
    assert categories.beyond_the_concepts(cases(p_top100=[0.9, 0.9, 0.4])).holds is False
    # Nearly every item may have it: without a correlation a large share says nothing.
    assert categories.beyond_the_concepts(cases(correlation=[0.9, 0.9, 0.1])).holds is False
    # Nor where the correlation rests on the items that the feature was chosen on.
    assert categories.beyond_the_concepts(cases(unseen_items=[0.9, 0.9, 0.1])).holds is False
    assert categories.beyond_the_concepts(cases().iloc[:2]).holds is None


def test_features_of_single_items():
    assert categories.single_items(cases()).holds is True
    assert categories.single_items(cases(p_top100=[0.9, 0.4, 0.9])).holds is False
    assert categories.single_items(cases().iloc[2:]).holds is None


def test_other_attributes():
    table = pd.concat(
        [
            concepts().assign(attribute="genres", neuron_correlation=0.9),
            concepts().assign(attribute="actor"),
            concepts().assign(attribute="country", correlation=0.1),
        ]
    )
    assert alignment.other_attributes(table.iloc[:4], "genres").holds is True
    lost = alignment.other_attributes(table, "genres")
    assert lost.holds is False
    assert "country 0.100 against 0.250" in lost.measured
    assert alignment.other_attributes(table.iloc[:2], "genres").holds is None


# ---- steering ----

VALUES = (np.nan, -10.0, -2.0, 2.0, 10.0)


def sweep(method="replace", values=VALUES, **columns):
    rows = {
        "share": [0.2, 0.01, 0.1, 0.3, 0.9],
        "ndcg@10": [0.1, 0.05, 0.095, 0.095, 0.02],
        "coverage@10": [0.5, 0.2, 0.48, 0.48, 0.1],
    }
    return pd.DataFrame({"method": method, "target": "A", "feature": 4, "value": values, **rows, **columns})


def test_shares_rise():
    assert steering.rises(sweep()).holds is True
    bent = steering.rises(sweep(share=[0.2, 0.15, 0.1, 0.3, 0.9]))
    assert bent.holds is False
    assert "0 of 1 features; from −4 to 4 for 1" in bent.measured


def test_shares_at_the_ends():
    assert steering.vanishes(sweep()).holds is True
    assert steering.dominates(sweep()).holds is True
    assert steering.vanishes(sweep(share=[0.2, 0.06, 0.1, 0.3, 0.9])).holds is False
    assert steering.dominates(sweep(share=[0.2, 0.01, 0.1, 0.3, 0.4])).holds is False
    narrow = sweep(values=(np.nan, -3.0, -2.0, 2.0, 3.0))
    assert steering.vanishes(narrow).holds is steering.dominates(narrow).holds is None


def test_small_values_are_safe_and_large_ones_are_not():
    held = steering.gentle_is_safe(sweep())
    assert held.holds is True
    assert "2 of 2 cases; on average NDCG@10 changes by −5.0%, Coverage@10 by −4.0%" in held.measured
    assert steering.gentle_is_safe(sweep(**{"coverage@10": [0.5, 0.2, 0.4, 0.48, 0.1]})).holds is False  # half
    assert steering.strong_costs_more(sweep()).holds is True
    assert steering.strong_costs_more(sweep(**{"ndcg@10": [0.1, 0.1, 0.05, 0.05, 0.1]})).holds is False
    large = sweep(values=(np.nan, -10.0, -8.0, 8.0, 10.0))
    assert steering.gentle_is_safe(large).holds is steering.strong_costs_more(large).holds is None


def test_where_a_recommender_finds_nothing_no_loss_is_measured():
    nothing = sweep(**{"ndcg@10": 0.0})
    claims = (steering.gentle_is_safe(nothing), steering.strong_costs_more(nothing))
    assert [claim.holds for claim in claims] == [None, None]
    both = pd.concat([nothing.assign(method="set"), nothing])
    assert steering.keeping_the_error_is_cheaper(both).holds is None


def test_probes_tell_concepts_apart_better():
    probes = pd.DataFrame(
        {"concept": ["A", "B"], "correlation_decision": [0.7, 0.6], "correlation_probability": 0.9, "auc": 0.9}
    )
    assert steering.probes_correlate_better(probes, concepts()).holds is True
    assert steering.probes_correlate_better(probes, concepts(correlation=(0.8, 0.7))).holds is False


def test_directions_are_on_par_with_probes():
    # Gained above 0: (0.1 + 0.7) / 2 = 0.4 of a share of 0.2.
    both = pd.concat([sweep("add"), sweep("probe")])
    assert steering.on_par_with_probes(both).holds is True
    better = sweep("probe", share=[0.2, 0.01, 0.1, 0.6, 1.0])  # gains 0.6
    lost = steering.on_par_with_probes(pd.concat([sweep("add"), better]))
    assert lost.holds is False
    assert "0.400 along features and 0.600 along probes" in lost.measured
    assert steering.on_par_with_probes(both[~(both["value"] > 0)]).holds is None


def test_keeping_the_error_is_cheaper():
    cheap = sweep("set", **{"ndcg@10": [0.1, 0.05, 0.1, 0.099, 0.02]})
    assert steering.keeping_the_error_is_cheaper(pd.concat([cheap, sweep()])).holds is True
    assert steering.keeping_the_error_is_cheaper(pd.concat([sweep("set"), sweep()])).holds is False
    large = pd.concat([sweep(method, values=(np.nan, -10.0, -8.0, 8.0, 10.0)) for method in ("set", "replace")])
    assert steering.keeping_the_error_is_cheaper(large).holds is None


def differences(low, high, pair=("set", "boost", 1.0)):
    """The table `cost_differences` of so many concepts, A to E at most; the differences are midway."""
    method, other, times = pair
    rows = pd.DataFrame({"target": list("ABCDE")[: len(low)], "low": low, "high": high})
    rows["difference"] = rows[["low", "high"]].mean(axis=1)
    rows = rows.assign(method=method, other=other, times=times, levels=3, cost=rows["difference"] - times * 0.1)
    return rows.assign(other_cost=-0.1, verdict=[verdict(*bounds, 604) for bounds in zip(low, high, strict=True)])


ABOVE, BELOW, AROUND = (0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1)


@pytest.mark.parametrize(
    ("intervals", "holds", "unclear"),
    [
        ([ABOVE] * 5, True, False),
        ([ABOVE] * 4 + [BELOW], True, False),  # four of five are enough
        ([ABOVE] * 4 + [AROUND], True, False),
        ([ABOVE] * 3 + [AROUND] * 2, None, True),
        ([ABOVE] * 3 + [AROUND, BELOW], None, True),  # the fourth may be
        ([AROUND] * 5, None, True),
        ([ABOVE] * 3 + [BELOW] * 2, False, False),  # three of five are not enough, whatever else
        ([BELOW] * 2 + [AROUND] * 3, False, False),
        ([(0.0, 0.1)], None, True),
    ],
)
def test_no_dearer_is_for_four_of_five_whose_intervals_say_so(intervals, holds, unclear):
    claim = no_dearer(differences(*zip(*intervals, strict=True)), "set", "boost")
    assert (claim.holds, claim.unclear, claim.section) == (holds, unclear, BEYOND)


def test_no_dearer_says_for_which_concepts():
    claim = no_dearer(differences([0.04, -0.2, -0.25], [0.08, -0.1, 0.05]), "set", "boost")
    assert claim.measured == (
        "True for 1 of 3 concepts, false for 1, cannot tell for 1; on average NDCG@10 changes by −16.3%, "
        "against −10.0% (A −4.0% against −10.0%, by +6.0% [+4.0%, +8.0%]: holds; "
        "B −25.0% against −10.0%, by −15.0% [−20.0%, −10.0%]: fails; "
        "C −20.0% against −10.0%, by −10.0% [−25.0%, +5.0%]: cannot tell)."
    )


def test_no_dearer_reads_its_own_pair_and_what_was_measured():
    both = pd.concat(
        [differences([0.1], [0.2]), differences([-0.2], [-0.1], pair=("set", "boost", 1.3))], ignore_index=True
    )
    assert no_dearer(both, "set", "boost").holds is True
    assert no_dearer(both, "set", "boost", 1.3).holds is False
    assert "at most 1.3 times as much NDCG as boosting" in no_dearer(both, "set", "boost", 1.3).statement
    assert no_dearer(both, "set", "replace").holds is None  # was not measured
    some = pd.concat([both, differences([np.nan], [np.nan]).assign(target="Z")], ignore_index=True)
    claim = no_dearer(some, "set", "boost")
    assert claim.holds is True
    assert claim.measured.endswith("No level is reached by both for 1 more.")
    never = no_dearer(some[some["target"] == "Z"], "set", "boost")
    assert (never.holds, never.unclear) == (None, False)
    assert "nothing to lose" in never.measured


# ---- beyond the paper ----


def test_features_do_what_they_say():
    def agreement(p=(0.001, 0.01), value=(0.4, 0.3), chance=(-0.001, 0.1)):
        rows = {"score": ["rank_correlation", "top_matches"], "value": value, "chance": chance, "p": p}
        return pd.DataFrame(rows | {"features": 44, "users": 9})

    held = causal.does_what_it_says(agreement())
    assert held.holds is True
    assert "0.40 (by chance 0.00, p 0.001)" in held.measured
    assert "30% (by chance 10%, p 0.01) of 44 features, over 9 users" in held.measured
    assert causal.does_what_it_says(agreement(p=(0.001, 0.06))).holds is False
    assert causal.does_what_it_says(agreement(value=(-0.4, 0.3))).holds is False
    assert causal.does_what_it_says(agreement().iloc[:0]).holds is None


def test_attributions_are_right():
    def agreement(agree, pairs=20):
        rows = {"place": [1, np.nan], "pairs": pairs, "agree": [1.0, agree], "gradient_agrees": 0.8}
        return pd.DataFrame(rows | {"correlation": 0.9})

    held = explanations.attributions_are_right(agreement(0.9))
    assert held.holds is True
    assert "90.0% of 20 attributions" in held.measured
    assert explanations.attributions_are_right(agreement(0.89)).holds is False
    assert explanations.attributions_are_right(agreement(np.nan, pairs=0)).holds is None


def exposure(after=(0.1, 0.2, 0.3), low=0.02, ndcg=(0.1, 0.1, 0.08)):
    """Strengths −1, 0 and 2; without a steer the long tail has 0.2."""
    common = {"strength": [-1.0, 0.0, 2.0]}
    tail = pd.DataFrame(common | {"measure": popularity.TAIL, "before": 0.2, "after": after, "change_low": low})
    cost = pd.DataFrame(common | {"measure": "ndcg@10", "before": ndcg[1], "after": ndcg})
    kept = pd.DataFrame(common | {"measure": "overlap", "before": 1.0, "after": [0.9, 1.0, 0.6]})
    rows = pd.concat([tail, cost, kept])
    return rows.assign(change=rows["after"] - rows["before"], change_high=0.2)


def test_exposure_moves_to_the_long_tail():
    held = popularity.reaches_the_long_tail(exposure())
    assert held.holds is True
    assert "0.100 at −1, 0.200 at 0, 0.300 at 2" in held.measured
    assert "+0.100 [+0.020, +0.200]" in held.measured
    assert "NDCG@10 changes by −20.0% and 60% of the lists stay" in held.measured
    assert popularity.reaches_the_long_tail(exposure(after=(0.25, 0.2, 0.3))).holds is False
    few = popularity.reaches_the_long_tail(exposure(low=-0.01))
    assert (few.holds, few.unclear) == (None, True)
    assert popularity.reaches_the_long_tail(exposure(after=(0.25, 0.2, 0.3), low=-0.01)).holds is False
    assert "NDCG" not in popularity.reaches_the_long_tail(exposure(ndcg=(0.0, 0.0, 0.0))).measured
    assert popularity.reaches_the_long_tail(exposure().iloc[:0]).holds is None


def test_the_tally_counts_what_was_measured_and_is_the_papers():
    def claim(section, holds):
        return Claim(section, "", "", "", holds, ())

    claims = [claim("6", True), claim("8.2.1", False), claim("C", None), claim(BEYOND, True)]
    assert tally(claims) == "1 of 2 of the paper's claims hold (1 not measured)"
    assert tally(claims[:2]) == "1 of 2 of the paper's claims hold"
