"""The recommender beside the most popular items, as a table of the report."""

from interp.plots.blocks import Block, Column, exhibit, intervals, table
from interp.plots.names import RANKING
from interp.study.study import Study

# Which of these users the recommender was trained on.
NEITHER = {
    "none": "The recommender saw neither part of the users.",
    "some": "The recommender saw none of the test users; of the SAE part it may have seen some.",
    "leave-one-out": "The recommender was trained on these users, but not on the last two items of each.",
    "all": "The recommender may have been trained on these very users and items.",
}
PARTS = {"all": "users (all)", "test": "test users", "sae": "all users of the SAE part"}


def beside_most_popular(study: Study) -> Block:
    """Is the recommender better than doing nothing clever?"""
    rows = study.table("most_popular")
    rows = rows.assign(
        part=[f"{row.users:,} {PARTS[row.part]}" for row in rows.itertuples()],
        measure=rows["measure"].map(RANKING),
        change=intervals(rows, "difference", signs=True),
    )
    provenance = study.provenance
    counted = (
        "interactions of the SAE part, without each user’s last"
        if provenance.is_given and provenance.seen != "leave-one-out"
        else "training interactions"
    )
    which = "" if study.keep_seen else " that are not in the user’s history"
    return exhibit(
        "",
        "The recommender beside the most popular items",
        f"Every user’s last item is to be predicted. The most popular items are those of the most {counted}{which}. "
        "SE: standard error over users (of coverage, by the jackknife). The "
        "difference is paired by user, with its 95% interval. " + NEITHER[provenance.seen],
        ["most_popular"],
        table(
            rows,
            [
                Column("part", "Users", None),
                Column("measure", "Measure", None),
                Column("recommender", "Recommender"),
                Column("recommender_se", "SE"),
                Column("most_popular", "Most popular"),
                Column("most_popular_se", "SE"),
                Column("change", "Difference", None),
            ],
        ),
    )
