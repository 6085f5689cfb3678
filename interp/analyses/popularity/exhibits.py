"""Steers to the long tail, and their price."""

from interp.analyses.popularity.figures import exposure_trade_off
from interp.plots.blocks import Block, Column, exhibit, figure, intervals, table
from interp.plots.names import MEASURES
from interp.study.study import Study
from recmodels.wording import signed


def exposure(study: Study) -> Block | list[Block]:
    """Steers to the long tail, and their price; nothing where no feature separates popular from unpopular items."""
    rows = study.table("popularity")
    if rows.empty:
        return []
    rows = rows[rows["measure"].isin(MEASURES)]
    texts = rows.assign(text=intervals(rows, "after", signs=False))
    wide = texts.pivot(index="strength", columns="measure", values="text").rename_axis(columns=None)
    wide.insert(0, "strength", [signed(strength) for strength in wide.index])
    columns = [Column("strength", "Strength", None), *(Column(key, name, None) for key, name in MEASURES.items())]
    return exhibit(
        "",
        "Exposure: from popular items to the long tail",
        "The ten features that best separate users of popular items from users of unpopular items are moved towards "
        "the latter at the last step. The strength is the move of the best feature, in its standard deviations. The "
        "figures show changes, the table what is reached, with 95% intervals over test users.",
        ["popularity"],
        *(figure(exposure_trade_off(rows, key, MEASURES[key]), half=True) for key in ("ndcg@10", "coverage@10")),
        table(wide, columns),
    )
