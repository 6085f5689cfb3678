"""Effects of features compared with their correlations."""

from interp.analyses.causal import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "causal",
    "Whether features do what their correlations say",
    compute=tables.causal,
    tables=(
        Table(
            "causal",
            "what turning every feature up and down does to every concept's share",
        ),
        Table(
            "moved_items",
            "items that enter and leave the lists most by that",
        ),
        Table(
            "causal_agreement",
            "whether that follows from its correlations, and by chance",
            "score:text value:float chance:float p:float features:int users:int",
        ),
        Table(
            "causal_concepts",
            "the same, concept by concept",
            "concept:text rank_correlation:float feature:int effect:float place:int",
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.causes),),
    claims=(claims.does_what_it_says,),
)
