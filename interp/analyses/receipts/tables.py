"""What the standard steer of each steered concept changes."""

from collections.abc import Mapping

import pandas as pd

from interp.concepts import Concepts
from interp.control.receipts import steering_receipt
from interp.control.targets import steering_targets
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Edit, Steer
from interp.store.table_files import Tables
from recmodels.sequences import Histories


def receipts(
    rec: RecommenderEnvoy,
    site: str,
    steered_users: Histories,
    steered: tuple[str, ...],
    concepts_table: pd.DataFrame,
    features_table: pd.DataFrame,
    items_table: pd.DataFrame,
    concepts: Concepts,
    own_metrics: Mapping[str, int],
    evidence_table: pd.DataFrame | None = None,
) -> Tables:
    """Table `receipts`: what the standard steer of each target changes (`interp.control.receipts.steering_receipt`).

    The standard steer sets the target's feature to its own 99th percentile at the last step, with the reconstruction
    error kept.

    Args:
        rec: the recommender with a dictionary at the site.
        site: where.
        steered_users: the test users whom steering is measured on.
        steered: the concepts that are steered.
        concepts_table: their top features.
        features_table: the units of features.
        items_table: popularity of every item.
        concepts: the study's concepts.
        own_metrics: registered metrics from outside this package, which receipts have as well.
        evidence_table: which concepts a feature follows above chance; the others are steered only if asked for.

    Returns:
        target, feature, value, measure ("share" for shares of concepts), concept (empty for other measures), interval,
        and before, after and change with their bounds.
    """
    targets, counts = (
        steering_targets(concepts_table, steered, evidence_table),
        items_table.set_index("item")["popularity"],
    )
    units = features_table.set_index("feature")["p99"]
    parts = []
    for target, feature in zip(targets["concept"], targets["feature"].astype(int).tolist(), strict=True):
        value = float(units[feature])
        steer = Steer((Edit(feature, value),), site)
        receipt = steering_receipt(rec, steered_users, steer, concepts, counts, targets=[target])
        shares = receipt.shares.drop(columns="target").assign(measure="share", interval="bootstrap")
        rows = pd.concat([receipt.measures.assign(concept=""), shares], ignore_index=True)
        parts.append(rows.assign(target=target, feature=feature, value=value))
    table = pd.concat(parts, ignore_index=True)
    first = ["target", "feature", "value", "measure", "concept", "interval"]
    return {"receipts": table[[*first, *table.columns.drop(first)]]}
