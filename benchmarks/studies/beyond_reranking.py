"""Where steering does what no re-ranker can: lists whose candidates were cut off, and features without a label.

    python benchmarks/studies/beyond_reranking.py artifacts/ml-1m artifacts/reference/ml-1m

**Candidates.** A service ranks a user's best N items again; the rest is cut off before. Each of the study's steered
concepts is to reach 40, 60 and 80% of the rise that its least-collateral steer can give it on users held out of the SAE
part. An amount for all users is the smallest that reaches the share on these users; amounts for each user follow
`interp.control.user_amounts`, for steers and boosts alike. Test users say which share and which NDCG@10 that gives, and
which share a re-ranker reaches that puts all it has of the concept first. A steer acts before candidates are cut off,
so that its list is the best ten of any number of them.

**Features without a label** have no attribute that a re-ranker could raise. Of those that also follow no concept (a
correlation below 0.2), the ones that change the lists of held-out users most, at no more than a tenth of the expected
NDCG, are set to their 99th percentile for the test users.

Prints what is found and writes `cut_off.csv` and `without_label.csv`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import interp
from interp.control.baselines import Raise, boosted_lists
from interp.control.least_collateral import AMOUNTS, LeastCollateral, share_of
from interp.control.list_changes import item_changes
from interp.control.score_equations import LastStates
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_overlap
from interp.control.user_amounts import price_for
from interp.steering.edits import Edit, Steer
from recmodels.metrics import ndcg
from recmodels.sequences import Histories

CANDIDATES = (50, 100, 200, 500, None)
PARTS = (0.4, 0.6, 0.8)
BOOSTS = (0.0, *np.geomspace(0.05, 6, 28).round(3).tolist())
ALL_FIRST = 1e3  # a boost that puts every candidate with the concept before all others
FOLLOWS, LOSS, COUNT, TITLES = 0.2, 0.1, 5, 6


def cut_off(study: interp.Study) -> pd.DataFrame:
    """concept, part, asked (share), method, amounts ("one" or "each"), share and ndcg_change (relative) of test users.

    The part is infinite for the most that a method can do. A level that is out of reach has no share.
    """
    rec, rows = study.recommender, []
    held_out, (inputs, truth) = study.users("sae_validation").split_last()[0], study.users().split_last()
    states, base, users = LastStates.of(rec, inputs), ndcg(rec.rank(inputs), truth), np.arange(len(inputs))
    for concept in study.table("steering")["target"].unique():
        steer = study.least_collateral(concept)
        levels: list[float] = []
        for n in ("steer", *CANDIDATES):
            amounts = list(AMOUNTS) if n == "steer" else [*BOOSTS, ALL_FIRST]
            before, lists = (_lists(study, steer, some, n, amounts) for some in (held_out, inputs))
            known, share = share_of(before, steer.has).mean(axis=1), share_of(lists, steer.has)
            if n == "steer":
                levels = [known[0] + part * (known.max() - known[0]) for part in PARTS]
            name = "steer" if n == "steer" else f"re-ranking of the best {n}" if n else "re-ranking of all"
            expected, picked = states.expected_ndcg(lists), []
            for part, level in zip(PARTS, levels, strict=True):
                reached = known >= level
                price, place = price_for(expected, share, level)
                picked += [
                    (part, level, "one", lists[reached.argmax()] if reached.any() else None),
                    (part, level, "each", None if np.isinf(price) else lists[place, users]),
                ]
            picked.append((np.inf, np.nan, "one", lists[share.mean(axis=1).argmax()]))
            for part, asked, kind, codes in picked:
                row = {"concept": concept, "part": part, "asked": asked, "method": name, "amounts": kind}
                if codes is not None:
                    row |= {"share": share_of(codes, steer.has).mean(), "ndcg_change": ndcg(codes, truth) / base - 1}
                rows.append(row)
    return pd.DataFrame(rows)


def _lists(
    study: interp.Study, steer: LeastCollateral, users: Histories, n: int | str | None, amounts: list[float]
) -> np.ndarray:
    """Lists [a, u, k] under a steer, or of a re-ranker that sees n items of each user, None for all."""
    if isinstance(n, str):
        return steer.lists(study.recommender, users, amounts)
    return boosted_lists(study.recommender, users, [Raise(steer.has, amounts, n)])[0]


def without_label(study: interp.Study) -> tuple[pd.DataFrame, list[int]]:
    """What setting each feature without a label to its p99 does to held-out users' lists, and which ones are taken."""
    labels, features = study.table("labels").set_index("feature"), study.features.table
    silent = [
        int(f) for f in features.index if not labels["labelled"].get(f, False) and features["correlation"][f] < FOLLOWS
    ]
    inputs = study.users("sae_validation").split_last()[0]
    steers = [Steer((Edit(f, float(features["p99"][f])),), study.site) for f in silent]
    plain, lists = study.recommender.rank(inputs), steered_lists(study.recommender, inputs, steers)
    expected = LastStates.of(study.recommender, inputs).expected_ndcg(np.stack([plain, *lists])).mean(axis=1)
    table = pd.DataFrame(
        {
            "feature": silent,
            "correlation": features["correlation"][silent].to_numpy(),
            "overlap": [user_overlap(plain, some).mean() for some in lists],
            "expected_ndcg_change": expected[1:] / expected[0] - 1,
            "new_items": [len(np.setdiff1d(some, plain)) for some in lists],
        }
    )
    few = table[table["expected_ndcg_change"] > -LOSS].nsmallest(COUNT, "overlap")
    return table, few["feature"].tolist()


def describe(study: interp.Study, features: list[int]) -> pd.DataFrame:
    """Receipts of these features at their p99 on the test users, and the items that enter the most lists."""
    rec, inputs, rows = study.recommender, study.users().split_last()[0], []
    plain, titles = rec.rank(inputs), study.items["title"]
    ids = rec.recommender.vocabulary.ids
    for feature in features:
        steer = Steer((Edit(feature, float(study.features.table["p99"][feature])),), study.site)
        receipt = study.receipt(steer)
        lists = steered_lists(rec, inputs, [steer])
        change = item_changes(lists, plain[None], len(ids), TITLES)
        moved = receipt.moved
        row: dict[str, object] = {"feature": feature, "value": steer.edits[0].value}  # type: ignore[union-attr]
        for measure in receipt.measures.itertuples():
            row[str(measure.measure)] = (
                f"{measure.before:.3f} → {measure.after:.3f} [{measure.change_low:+.3f}, {measure.change_high:+.3f}]"
            )
        row["concepts moved"] = "; ".join(f"{m.concept} {m.change:+.3f}" for m in moved.head(3).itertuples())
        peak = study.features[feature].histories
        row["active on"] = "; ".join(peak["title"].drop_duplicates().head(TITLES))
        for direction in ("promoted", "suppressed"):
            some = change[change["direction"] == direction]
            row[direction] = "; ".join(
                f"{titles[ids[c]]} ({d} → {u})" for c, d, u in some[["code", "down", "up"]].values
            )
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Print and write both."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("study", type=Path)
    options.add_argument("to", type=Path)
    asked = options.parse_args()
    study = interp.open(asked.study)
    cut = cut_off(study)
    cut.round(4).to_csv(asked.to / "cut_off.csv", index=False)
    print(
        cut.groupby(["part", "amounts", "method"])[["share", "ndcg_change"]]
        .agg(["mean", "count"])
        .round(3)
        .to_string(),
        "\n",
    )
    every, features = without_label(study)
    print(every.describe().round(3).to_string(), "\n")
    table = describe(study, features)
    table.round(4).to_csv(asked.to / "without_label.csv", index=False)
    for row in table.to_dict("records"):
        print("\n".join(f"{name}: {value}" for name, value in row.items()), "\n")


if __name__ == "__main__":
    main()
