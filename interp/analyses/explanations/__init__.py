"""Whether explanations are right."""

from interp.analyses.explanations import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

ANALYSIS = Analysis(
    "explanations",
    "Whether explanations are right",
    compute=tables.explanations,
    tables=(
        Table(
            "explanations",
            "attributions of users' first items beside ablations",
        ),
        Table(
            "explanation_agreement",
            "how far the two agree",
            (
                "place:float pairs:int agree:float gradient_agrees:float attribution:float ablation:float "
                "correlation:float"
            ),
        ),
    ),
    exhibits=(Exhibit("beyond", exhibits.explanations),),
    claims=(claims.attributions_are_right,),
)
