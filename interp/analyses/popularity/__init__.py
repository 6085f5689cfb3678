"""Exposure of the long tail."""

from interp.analyses.popularity import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "popularity",
    "Exposure of the long tail",
    compute=tables.popularity,
    tables=(
        Table(
            "popularity_features",
            "how far each feature tells popular from unpopular items",
            (
                "feature:int d:float mean_popular:float mean_unpopular:float std:float real_d:float "
                "real_mean_popular:float real_mean_unpopular:float real_std:float"
            ),
        ),
        Table(
            "popularity",
            "what steers to the long tail change, by strength",
            (
                "strength:float measure:text interval:text before:float before_low:float before_high:float "
                "after:float after_low:float after_high:float change:float change_low:float "
                "change_high:float"
            ),
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.exposure),),
    claims=(claims.reaches_the_long_tail,),
)
