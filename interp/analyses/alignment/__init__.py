"""The concepts that features and neurons follow."""

from interp.analyses.alignment import claims, exhibits, tables
from interp.store.analysis import Analysis, Exhibit, Table

TOP = (
    "concept:text popularity:float feature:int correlation:float auc:float sensitivity:float abs_feature:int "
    "abs_correlation:float neuron:int neuron_correlation:float neuron_auc:float neuron_sensitivity:float "
    "abs_neuron:int neuron_abs_correlation:float"
)

ANALYSIS = Analysis(
    "alignment",
    "What features and neurons agree with",
    compute=tables.alignment,
    tables=(
        Table(
            "dictionary",
            "the chosen dictionary on the test part: reconstruction, mean correlations",
            (
                "rmse:float explained_variance:float l0:float dead:float sae_mean_top_correlation:float "
                "neuron_mean_top_correlation:float sae_mean_top_auc:float sae_mean_top_sensitivity:float"
            ),
        ),
        Table(
            "concepts",
            "per concept: top feature and top neuron (Tables 2, 4 and 5, Figures 4 and 12)",
            f"{TOP}",
        ),
        Table(
            "attributes",
            "the same for other attributes as well, on steps whose items are known (Tables 3 and 6, Figure 18)",
            f"attribute:text known:float {TOP}",
        ),
        Table(
            "alignment",
            "feature, concept, correlation, auc, sensitivity (Figures 2, 11 and 15)",
        ),
        Table(
            "neurons",
            "the same for the neurons of the site",
        ),
        Table(
            "features",
            "per feature: density, mean, p99, max, std, best concept with its scores",
        ),
        Table(
            "histograms",
            "positive activations by presence of the best concept (Figure 5)",
        ),
        Table(
            "histories",
            "strongest, middle and weak histories around their peak",
        ),
    ),
    version=3,
    exhibits=(
        Exhibit("7.1.1", exhibits.heatmap),
        Exhibit("7.1.1", exhibits.top_features),
        Exhibit("7.1.3", exhibits.beside_neurons),
        Exhibit("7.1.3", exhibits.extremes),
        Exhibit("7.2.1", exhibits.activations),
        Exhibit("C", exhibits.other_attributes),
    ),
    claims=(
        claims.monosemantic,
        claims.beats_neurons,
        claims.better_on_average,
        claims.grows_with_activation,
        claims.other_attributes,
    ),
)
