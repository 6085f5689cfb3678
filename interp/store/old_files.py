"""Which files each group of tables has: a group that lacks one is not whole (`interp.analyses` says what they hold)."""

FILES = {
    "items": ("items.parquet",),
    "users": ("users.parquet",),
    "comparison": ("dictionaries.csv", "l1.csv", "sites.csv", "sizes.csv", "trade_off.csv"),
    "alignment": (
        "alignment.parquet",
        "attributes.csv",
        "concepts.csv",
        "dictionary.csv",
        "features.parquet",
        "histograms.parquet",
        "histories.parquet",
        "neurons.parquet",
    ),
    "neighbours": ("map.parquet", "neighbours.parquet"),
    "cases": ("case_histories.parquet", "cases.csv"),
    "labels": ("label_items.parquet", "label_kinds.csv", "labels.parquet"),
    "effects": ("effects.parquet", "recommender.csv"),
    "steering": ("probes.csv", "shares.csv", "steering.csv"),
    "trade_offs": ("baselines.csv", "equal_share.csv", "profiles.csv"),
    "doses": ("doses.csv",),
    "lists": ("lists.parquet",),
    "causal": ("causal.parquet", "causal_agreement.csv", "causal_concepts.csv", "moved_items.parquet"),
    "popularity": ("popularity.csv", "popularity_features.csv"),
    "explanations": ("explanation_agreement.csv", "explanations.parquet"),
    "receipts": ("receipts.csv",),
}
