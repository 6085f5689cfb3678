"""What the tests of the offline pages share: a study made by hand with hostile names."""

import numpy as np
import pandas as pd

import interp
from interp.control.cost_intervals import PAIRS, verdict
from interp.control.equal_share import at_equal_share
from interp.store.registry import analyses
from interp.store.table_files import write_tables
from recmodels import artifacts

PAIR = ["method", "other", "times"]
N = 45  # features, so that the table has three pages
DEAD = 13
TWINS = (21, 27)  # a family of near-duplicates
CLUSTER = 6  # features that follow the last concept, in one cluster; the last five features are another
CONCEPTS = ["<b>Noir</b>", "Drama & 'co'", "Sci-Fi"]
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end": "</script><img src=x onerror=alert(2)>",
    "quotes": '"It\'s" `${alert(3)}` \\ {{plotly}} %{x}',
    "comment": "<!-- <script>",
    "rtl": "\u202eשלום עולם",
    "emoji": "👩‍🚀🎬 Amélie",
    "long": "x" * 10_000,
    "empty": "",
}


# ---- a study made by hand ----


def tables() -> dict[str, dict[str, pd.DataFrame]]:
    """All tables that the page reads. Feature f peaks at item f % 50 and promotes the items after it."""
    rng = np.random.default_rng(0)
    each = np.arange(N)
    titles = [*HOSTILE.values(), *(f"Film {number}" for number in range(len(HOSTILE), 50))]
    items = pd.DataFrame(
        {
            "item": [f"id-{number}" for number in range(50)],
            "title": titles,
            "concepts": [[CONCEPTS[number % 3]] if number % 4 else [] for number in range(50)],
            "popularity": 1,
        }
    )
    correlation = rng.uniform(-0.1, 0.9, (N, 3)).round(3)
    correlation[7], correlation[8], correlation[DEAD] = (0.99, 0.1, 0.1), (0.1, 0.15, 0.12), 0
    best = correlation.argmax(axis=1)
    alive = each != DEAD
    features = pd.DataFrame(
        {
            "feature": each,
            "density": np.where(alive, 0.01 + each / 100, 0),
            "mean": 0.5 * alive,
            "p99": 0.9 * alive,
            "std": 0.3 * alive,
            "max": np.where(alive, 1.0 + each, 0),
            "concept": [CONCEPTS[place] for place in best],
            "correlation": correlation.max(axis=1),
            "auc": 0.5 + correlation.max(axis=1) / 2,
            "sensitivity": 0.25,
            "p_top100": 0.3,
            "p_top100_pooled": 0.3,
            "histories": np.where(each == 20, 99, 100) * alive,
        }
    )
    alignment = pd.DataFrame(
        {
            "feature": np.repeat(each, 3),
            "concept": CONCEPTS * N,
            "correlation": correlation.ravel(),
            "auc": 0.6,
            "sensitivity": 0.2,
        }
    )
    best_feature = correlation.argmax(axis=0)
    concepts = pd.DataFrame(
        {
            "concept": CONCEPTS,
            "popularity": 0.25,
            "feature": best_feature,
            "correlation": correlation.max(axis=0),
            "auc": 0.75,
            "sensitivity": 0.5,
            "neuron": 0,
            "neuron_correlation": 0.2,
        }
    )
    alive_features = each[alive]
    histograms = pd.concat(
        pd.DataFrame(
            {
                "feature": feature,
                "left": [0.0, (1 + feature) / 2],
                "right": [(1 + feature) / 2, 1.0 + feature],
                "present": [1, feature],
                "absent": [5, 2],
            }
        )
        for feature in alive_features
    )
    histories = pd.concat(
        pd.DataFrame(
            {
                "feature": feature,
                "band": {1: "strongest", 2: "strongest", 9: "weak"}[rank],
                "rank": rank,
                "user": f"<i>user {rank}</i>",
                "item": [f"id-{number % 50}" for number in range(feature - 2, feature + 2)],
                "next": [f"id-{number % 50}" for number in range(feature - 1, feature + 3)],
                "step": range(5, 9),
                "activation": np.float32([0.0, 0.1, 1 + feature, 0.2]) / rank,
            }
        )
        for feature in alive_features
        for rank in (1, 2, 9)
    )
    places = pd.DataFrame({"feature": each, "x": np.cos(each) * each / N, "y": np.sin(each) * each / N})
    named = [f for f in each[alive] if f not in (0, 7, 8, *TWINS) and best[f] == 2 and correlation[f, 2] >= 0.2]
    places = places.assign(
        family=np.where(each == TWINS[1], TWINS[0], each),
        cluster=np.where(np.isin(each, named[:CLUSTER]), 0, np.where(each >= 40, 1, -1)),
    )
    neighbours = pd.concat(
        pd.DataFrame({"kind": kind, "feature": each, "rank": 1, "neighbour": (each + shift) % N, "similarity": 0.5})
        for kind, shift in (("together", 1), ("alike", 2))
    )
    effects = pd.concat(
        pd.DataFrame(
            {
                "path": path,
                "feature": feature,
                "direction": direction,
                "rank": [1, 2],
                "item": [f"id-{(feature + first + shift) % 50}" for shift in (1, 2)],
                "effect": [sign * 0.5, sign * 0.25],
            }
        )
        for path, first in (("layers", 0), ("direct", 10))
        for feature in each
        for direction, sign in (("promoted", 1), ("suppressed", -1))
    )
    steering = pd.concat(
        pd.DataFrame(
            {
                "method": method,
                "target": CONCEPTS[0],
                "feature": -1 if method == "probe" else 7,
                "value": [np.nan, -6.0, -2.0, 0.0, 2.0, 6.0],
                "share": [0.2, 0.0, 0.1, 0.2, 0.4, 0.8],
                "ndcg@10": [0.12, 0.05, 0.1, 0.12, 0.11, 0.04],
                "coverage@10": [0.5, 0.2, 0.48, 0.5, 0.49, 0.1],
                "diversity@10": [0.9, 0.5, 0.9, 0.9, 0.9, 0.4],
            }
        )
        for method in ("set", "replace", "add", "probe")
    )
    baselines = pd.concat(
        steering[steering["method"] == "set"].assign(method=method, feature=-1)
        for method in ("mean_difference", "neuron", "random", "boost")
    )
    shares = pd.concat(
        steering[["method", "target", "feature", "value"]].assign(concept=concept, share=0.1 * place)
        for place, concept in enumerate(CONCEPTS)
    )
    probes = pd.DataFrame(
        {"concept": CONCEPTS, "correlation_probability": 0.8, "correlation_decision": 0.7, "auc": 0.9}
    )
    unseen_items = {f"{name}_unseen_items": 0.6 for name in probes if name != "concept"}
    cases = pd.DataFrame(
        {
            "kind": ["franchise", "franchise", "item"],
            "rank": [1, 2, 1],
            "concept": [HOSTILE["script"], "Star Wars", HOSTILE["end"]],
            "feature": [5, 6, 9],
            "correlation": [0.5, 0.4, 0.6],
            "unseen_items": [0.4, 0.3, np.nan],
            "auc": 0.8,
            "p_top100": [0.7, 0.2, 0.9],
            "p_top100_pooled": 0.6,
            "rows": 60,
        }
    )
    strongest = histories[histories["band"] == "strongest"].drop(columns=["band", "next"])
    case_histories = pd.concat(
        strongest[strongest["feature"] == feature].assign(kind=kind, has=[True, False, True, False] * 2)
        for feature, kind in ((5, "franchise"), (9, "item"))
    )
    doses = pd.concat(
        pd.DataFrame(
            {
                "target": [target] * 4,
                "method": ["population", "user"] * 2,
                "part": ["found_on"] * 2 + ["test"] * 2,
                "asked": 0.4,
                "users": [20, 20, 30, 30],
                "n_features": n,
                "amount": amount,
                "reached": reached,
                "own_before": 0.1,
                "own_after": [0.5, 1.0, 0.45, 0.9],
                "overlap": 0.6,
                "share_before": before,
                "share_after": after,
                "ndcg_before": 0.12,
                "ndcg_after": [0.11, 0.1, 0.1, 0.08],
                "ndcg_change_low": -0.05,
                "ndcg_change_high": 0.01,
            }
        )
        for target, n, amount, reached, before, after in (
            (CONCEPTS[0], 2, 1.25, [True, True, False, True], [0.2, 0.2, 0.22, 0.22], [0.41, 0.43, 0.38, 0.42]),
            (CONCEPTS[1], 1, 10.0, False, 0.01, 0.05),
            (CONCEPTS[2], 0, 0.0, False, 0.03, 0.03),
        )
    )
    lists = pd.concat(
        pd.DataFrame(
            {
                "user": f"<i>{direction}</i>",
                "rank": [1, 2, 3],
                "item": items_,
                "direction": direction,
                "target": CONCEPTS[0],
                "feature": 7,
                "value": value,
            }
        )
        for direction in ("up", "down")
        for value, items_ in ((np.nan, ["id-0", "id-1", "id-2"]), (2.0, ["id-1", "id-3", "id-0"]))
    )
    return {
        "items": {"items.parquet": items},
        "alignment": {
            "dictionary.csv": pd.DataFrame(
                [
                    {
                        "explained_variance": 0.9,
                        "l0": 12.0,
                        "sae_mean_top_correlation": 0.5,
                        "neuron_mean_top_correlation": 0.2,
                    }
                ]
            ),
            "concepts.csv": concepts,
            "attributes.csv": concepts.assign(attribute="genres", known=1.0),
            "alignment.parquet": alignment,
            "features.parquet": features,
            "histograms.parquet": histograms,
            "histories.parquet": histories,
        },
        "evidence": _evidence(concepts, features),
        "neighbours": {"map.parquet": places, "neighbours.parquet": neighbours[neighbours["feature"] != DEAD]},
        "effects": {
            "recommender.csv": _recommender(),
            "effects.parquet": effects,
            "item_effects.parquet": _item_effects(),
        },
        "item_profiles": _item_profiles(),
        "steering": {"steering.csv": steering, "shares.csv": shares, "probes.csv": probes.assign(**unseen_items)},
        "trade_offs": {
            "baselines.csv": baselines,
            "equal_share.csv": at_equal_share(pd.concat([steering, baselines])),
            "least_collateral.csv": pd.DataFrame({"concept": ["Comedy"] * 2, "feature": [1, 3], "weight": [0.5, -0.2]}),
            "steering_cost.csv": _steering_cost(steering["target"].unique()),
            "cost_differences.csv": _cost_differences(steering["target"].unique()),
        },
        "labels": _labels(),
        "cases": {"cases.csv": cases, "case_histories.parquet": case_histories},
        "doses": {"doses.csv": doses},
        "lists": {"lists.parquet": lists},
        "most_popular": {"most_popular.csv": beside_popular(0.12, 0.05)},
        "comparison": _comparison(),
        **_beyond(),
    }


def _item_profiles() -> dict[str, pd.DataFrame]:
    """Item i lights up feature i, then i + 1; it is in i of 40 lists, and near the two items after it."""
    number = np.repeat(np.arange(50), 2)
    rank = np.tile([1, 2], 50)
    rows = pd.DataFrame({"item": [f"id-{one}" for one in number], "rank": rank})
    each = np.arange(50)
    return {
        "item_profiles.parquet": pd.DataFrame(
            {
                "item": [f"id-{one}" for one in each],
                "steps": np.where(each == 49, 0, each + 1),
                "users": 40,
                "lists": np.minimum(each, 40),
                "place": np.where(each > 0, 2.5, np.nan),
            }
        ),
        "item_features.parquet": rows.assign(
            feature=(number + rank - 1) % N, activation=np.float64([0.75, 0.5] * 50), above=[3.0, 1.0] * 50
        ).query("item != 'id-49'"),
        "item_neighbours.parquet": rows.assign(
            neighbour=[f"id-{one}" for one in (number + rank) % 50], similarity=[0.9, 0.5] * 50
        ),
    }


def _item_effects() -> pd.DataFrame:
    """Feature f raises item f + 1 and lowers item f + 2."""
    parts = [
        pd.DataFrame(
            {"item": [f"id-{one}" for one in range(50)], "direction": direction, "rank": 1, "effect": effect}
        ).assign(feature=(np.arange(50) - shift) % N)
        for direction, shift, effect in (("promoted", 1, 0.3), ("suppressed", 2, -0.2))
    ]
    return pd.concat(parts, ignore_index=True)


def _evidence(concepts: pd.DataFrame, features: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Features pass for all concepts but the last, ICA for the first; feature 0 does not pass."""
    numbers = ["unseen_items_low", "unseen_items", "unseen_items_high", "null", "unseen_items_p", "unseen_items_q"]
    rows = concepts[["concept", "popularity", "correlation", "auc", "sensitivity"]].assign(items=12, p=0.01)
    rows[numbers] = [0.2, 0.3, 0.4, 0.15, 0.001, 0.02]
    rows = pd.concat([rows.assign(source=source) for source in ("features", "neurons", "ICA")], ignore_index=True)
    rows["passes"] = [True, True, False, True, False, False, True, False, False]
    summary = pd.DataFrame(
        {
            "source": ["features", "neurons", "ICA"],
            "about": ["the dictionary’s features", "the neurons of the site", "independent components"],
            "candidates": [N, 8, 16],
            "l0": [12.0, 8.0, 8.0],
            "concepts": 3,
            "correlation": [0.5, 0.2, 0.4],
            "null": [0.2, 0.1, 0.15],
            "above_null": [3, 2, 2],
            "unseen_items": [0.31, 0.11, 0.29],
            "unseen_items_null": 0.01,
            "unseen_items_low": [0.2, 0.05, 0.2],
            "unseen_items_high": [0.4, 0.15, 0.35],
            "unseen_users": [0.4, 0.2, 0.3],
            "unseen_both": [0.3, 0.1, 0.25],
            "passes": [2, 1, 1],
            "ahead": [0.0, 0.2, 0.02],
            "ahead_low": [0.0, 0.1, -0.03],
            "ahead_high": [0.0, 0.3, 0.07],
            "users": 30,
            "items": 50,
        }
    )
    of_features = features[["feature", "correlation"]].rename(columns={"correlation": "unseen_items"})
    return {
        "evidence.csv": rows,
        "evidence_summary.csv": summary,
        "feature_evidence.parquet": of_features.assign(active_items=9, p=0.001, q=0.02, passes=features["feature"] > 0),
        "attribute_evidence.csv": rows[rows["source"] != "ICA"].assign(attribute="decade", known=0.5),
        "attribute_summary.csv": summary[summary["source"] != "ICA"].assign(
            attribute="decade", known=0.5, values=3, items=12.0
        ),
    }


def beside_popular(recommender: float, popular: float) -> pd.DataFrame:
    """The table `most_popular` with these means for all measures, each with the same interval around the difference."""
    measures = ["ndcg@10", "hit_rate@10", "coverage@10"]
    rows = pd.DataFrame({"part": np.repeat(["test", "sae"], 3), "measure": measures * 2, "users": 40})
    rows = rows.assign(recommender=recommender, recommender_se=0.02, most_popular=popular, most_popular_se=0.01)
    difference = recommender - popular
    return rows.assign(
        difference=difference,
        difference_se=0.01,
        difference_low=difference - 0.02,
        difference_high=difference + 0.02,
    )


def _labels() -> dict[str, pd.DataFrame]:
    """Two features have labels, one of them a hostile one; the others' best predicates do not hold."""
    labels = pd.DataFrame({"feature": range(N), "label": CONCEPTS[1], "kind": "concept", "labelled": False})
    scores = ["precision", "recall", "f1", "lift", "hard_precision"]
    labels[scores], labels["support"], labels["active"] = 0.1, 30, 20
    labels.loc[7, ["label", *scores, "labelled"]] = [CONCEPTS[0], 0.8, 0.6, 0.686, 8.0, 0.9, True]
    labels.loc[8, ["label", "kind", *scores, "labelled"]] = [HOSTILE["script"], "item", 0.5, 0.5, 0.5, 9.0, 0.7, True]
    labels["on_unseen_users"], labels["unseen_items"] = (
        labels["labelled"],
        [0.9 if n == 7 else np.nan for n in range(N)],
    )
    kinds = pd.DataFrame({"kind": ["all", "concept", "item"], "features": [44, 30, 14], "on_unseen_users": [3, 2, 1]})
    examples = pd.DataFrame(
        {
            "feature": [7, 7, 8],
            "role": ["hit", "hit", "false alarm"],
            "rank": [1, 2, 1],
            "item": ["id-2", "id-9", "id-1"],
            "steps": 3,
        }
    )
    return {
        "labels.parquet": labels,
        "label_kinds.csv": kinds.assign(
            labelled=[2, 1, 1], **dict.fromkeys(scores, 0.7), by_chance=[0.01, np.nan, np.nan]
        ),
        "label_items.parquet": examples,
    }


def _recommender() -> pd.DataFrame:
    """The reconstruction loses a hundredth, which so few users cannot tell from nothing."""
    rows = {
        "ndcg@10": [0.12, 0.11],
        "ndcg@10_low": [0.1, 0.09],
        "ndcg@10_high": [0.14, 0.13],
        "ndcg@10_change": [0, -0.01],
        "ndcg@10_change_low": [0, -0.03],
        "ndcg@10_change_high": [0, 0.012],
    }
    return pd.DataFrame({"replaced": ["none", "all"], **rows})


def _comparison() -> dict[str, pd.DataFrame]:
    """Two L1 weights and one size at one site: most of the grids were not run."""
    row = {
        "site": "blocks.0",
        "trainer": "unsquared",
        "n_features": N,
        "sparsity": 0.1,
        "seed": 0,
        "val_l0": 12.0,
        "runs": 1,
        "rmse": 0.3,
        "explained_variance": 0.9,
        "l0": 12.0,
        "dead": 0.1,
        "mean_top_correlation": 0.5,
        "ndcg@10": 0.11,
        "hit_rate@10": 0.2,
        "coverage@10": 0.4,
        "std_mean_top_correlation": np.nan,
        "ndcg@10_change": -0.01,
        "ndcg@10_change_low": -0.03,
        "ndcg@10_change_high": 0.012,
    }
    rows = pd.DataFrame([row, row | {"sparsity": 0.2, "mean_top_correlation": 0.4, "ndcg@10": 0.1, "l0": 3.0}])
    plain = pd.DataFrame([{"runs": 1, "ndcg@10": 0.12, "hit_rate@10": 0.25, "coverage@10": 0.5}])
    return {
        "dictionaries.csv": rows.assign(chosen=[True, False], sparse=[True, False]),
        "l1.csv": pd.concat([plain, rows])[list(rows)],
        "sizes.csv": rows.iloc[:1],
        "trade_off.csv": rows,
        "sites.csv": rows.iloc[:1].assign(neurons=0.2),
    }


def _beyond() -> dict[str, dict[str, pd.DataFrame]]:
    """Effects as large as the feature's number; every measure changes by a tenth of the strength."""
    causal = pd.DataFrame({"feature": np.repeat(range(N), 3), "concept": CONCEPTS * N}).query(f"feature != {DEAD}")
    agreement = pd.DataFrame({"score": ["rank_correlation", "top_matches"], "value": [0.4, 0.3], "chance": [0.01, 0.2]})
    by_concept = pd.DataFrame({"concept": CONCEPTS, "rank_correlation": 0.5, "feature": 7, "effect": 0.01, "place": 2})
    measures = [
        "overlap",
        "ndcg@10",
        "hit_rate@10",
        "long_tail_share@10",
        "mean_popularity@10",
        "coverage@10",
        "gini@10",
    ]
    changes = pd.concat(
        pd.DataFrame({"strength": strength, "measure": measures, "before": 0.2, "change": strength / 10})
        for strength in (-1.0, 0.0, 2.0)
    )
    receipt = changes[changes["strength"] == 2.0].drop(columns="strength").assign(concept="")
    receipt = pd.concat(
        [receipt, pd.DataFrame({"measure": "share", "concept": CONCEPTS, "before": 0.1, "change": 0.5})]
    )
    explanations = pd.DataFrame(
        {"user": "<i>u</i>", "item": "id-1", "place": [1, 2], "feature": [7, 8], "attribution": [0.4, -0.2]}
    )
    summary = pd.DataFrame({"place": [np.nan, 1, 2], "pairs": [2, 1, 1], "agree": [0.5, 1, 0], "correlation": np.nan})
    return {
        "causal": {
            "causal.parquet": causal.assign(
                share=0.3, up=0.2, up_se=0.04, down=-0.1, down_se=0.03, effect=causal["feature"] / 100, effect_se=0.01
            ),
            "moved_items.parquet": pd.DataFrame(
                {"feature": [7, 7], "direction": "promoted", "rank": [1, 2], "item": ["id-4", "id-30"]}
            ).assign(up=[6, 4], down=[2, 3], users=8),
            "causal_agreement.csv": agreement.assign(p=[0.001, 0.2], features=N - 1, users=9),
            "causal_concepts.csv": by_concept,
        },
        "popularity": {"popularity_features.csv": by_concept[["feature"]], "popularity.csv": _bounded(changes)},
        "explanations": {
            "explanations.parquet": explanations.assign(ablation=[0.5, 0.1], agree=[True, False], rank_after=[2, 1]),
            "explanation_agreement.csv": summary.assign(gradient_agrees=0.4, attribution=0.3, ablation=0.3),
        },
        "feature_receipts": _feature_receipts(measures),
        "receipts": {"receipts.csv": _bounded(receipt).assign(target=CONCEPTS[0], feature=7, value=1.5)},
    }


def _feature_receipts(measures: list[str]) -> dict[str, pd.DataFrame]:
    """Turned up, a feature moves its concept from 0.1 to 0.3; 7 by 95 users, the others by 47 who did not choose it."""
    alive = np.delete(np.arange(N), DEAD)
    receipts = pd.concat(
        [
            pd.DataFrame({"measure": measures, "concept": "", "before": 0.2, "change": 0.01}),
            pd.DataFrame({"measure": "share", "concept": CONCEPTS, "before": 0.1, "change": [0.2, 0.01, -0.1]}),
        ]
    ).assign(interval="bootstrap")
    receipts = _bounded(receipts.merge(pd.DataFrame({"feature": alive}), how="cross"))
    curves = pd.DataFrame(
        {"amount": [-1.0, 0.0, 1.0, 2.0], "share": [0.05, 0.1, 0.3, 0.6], "ndcg": [0.1, 0.12, 0.11, 0.02]}
    )
    curves = curves.assign(
        share_low=curves["share"] - 0.04,
        share_high=curves["share"] + 0.04,
        ndcg_low=curves["ndcg"] - 0.02,
        ndcg_high=curves["ndcg"] + 0.02,
    )
    costs = pd.DataFrame({"feature": alive, "concept": [CONCEPTS[0 if f < 20 else 1] for f in alive]})
    costs["chosen_by"] = np.where(alive == 7, "correlation", "other users")
    costs["users"] = np.where(alive == 7, 95, 47)
    costs = costs.assign(share_before=0.1, share_after=0.3)
    for name, value in {"share": 0.2, "ndcg": -0.01, "boost": -0.02, "ahead": 0.01}.items():
        costs = costs.assign(**{name: value, f"{name}_low": value - 0.03, f"{name}_high": value + 0.03})
    return {
        "feature_receipts.parquet": receipts.sort_values("feature", kind="stable"),
        "feature_curves.parquet": curves.merge(pd.DataFrame({"feature": alive}), how="cross").sort_values(
            ["feature", "amount"]
        ),
        "feature_costs.parquet": costs,
    }


def _bounded(rows: pd.DataFrame) -> pd.DataFrame:
    """With what is after, and bounds that are 0.05 away."""
    rows = rows.assign(after=rows["before"] + rows["change"])
    for column in ("before", "after", "change"):
        rows = rows.assign(**{f"{column}_low": rows[column] - 0.05, f"{column}_high": rows[column] + 0.05})
    return rows


RECORD = {
    "attribute": "genres",
    "dictionary": "blocks.0/none",
    "fingerprints": {"recommender": "odd"},
    "versions": {"torch": "9.9"},
    "machine": {"cpus": 3},
    "config": {
        "dataset": "<tiny & odd>",
        "site": "blocks.0",
        "split": {},
        "training": {"model": "gptrec", "max_history": 37},
        "sae": {"trainer": "unsquared", "n_features": N, "l1": 0.1, "k": 16},
        "sparse_l0": 16.0,
    },
}


def handmade_study(folder, **config):
    """The study of `tables`, with other settings if wanted."""
    made = {file.partition(".")[0]: frame for group in tables().values() for file, frame in group.items()}
    declared = {table.name: table.kinds for analysis in analyses() for table in analysis.tables}
    frames = {name: frame[[c for c in frame if c in (declared[name] or frame)]] for name, frame in made.items()}
    for analysis in analyses():
        some = [table for table in analysis.tables if table.name in frames]
        if some:
            write_tables(folder / "tables" / analysis.name, some, {"needs": {"rec": "odd"}}, lambda: frames)
    artifacts.write_json(folder / "config.json", RECORD | {"config": RECORD["config"] | config})
    return interp.open(folder)


def _steering_cost(targets):
    methods = {"boost": -0.2, "least": -0.3, "least_user": -0.12, "boost_user": -0.1, "final_user": -0.21}
    rows = [(target, method, cost) for target in targets for method, cost in methods.items()]
    table = pd.DataFrame(rows, columns=["target", "method", "cost"])
    table = table.assign(cost_low=table["cost"] - 0.05, cost_high=table["cost"] + 0.05, ratio=table["cost"] / -0.2)
    return table.assign(ratio_low=0.9 * table["ratio"], ratio_high=1.1 * table["ratio"])


def _cost_differences(targets):
    """Methods are certainly no dearer than the paper's; of the other comparisons it cannot be told."""
    rows = pd.DataFrame([(target, *pair) for target in targets for pair in PAIRS], columns=["target", *PAIR])
    low = np.where(rows["other"] == "replace", 0.01, -0.1)
    rows = rows.assign(levels=3, cost=-0.2, other_cost=-0.25, difference=0.05, low=low, high=0.2)
    return rows.assign(verdict=[verdict(*bounds, 30) for bounds in zip(rows["low"], rows["high"], strict=True)])
