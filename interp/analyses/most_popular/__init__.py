"""The recommender beside a list of the most popular items."""

from interp.analyses.most_popular import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "most_popular",
    "The recommender beside the most popular items",
    compute=tables.most_popular,
    tables=(
        Table(
            "most_popular",
            "the recommender beside a list of the most popular items, on the test users and on those of the SAE part; "
            "under leave-one-out also on all users",
            "part:text measure:text users:int recommender:float recommender_se:float most_popular:float "
            "most_popular_se:float difference:float difference_se:float difference_low:float difference_high:float",
        ),
    ),
    exhibits=(Exhibit("5", exhibits.beside_most_popular),),
    claims=(claims.better_than_most_popular,),
)
