"""What is left of Appendix C: features beside neurons for other attributes of the items, with intervals.

    python benchmarks/studies/attributes.py artifacts/ml-1m artifacts/ml-latest-small --tmdb TMDB --links FILE

prints two rows, of features and of neurons, for each finished study and each attribute, the study's own first. They are
means over its values of the largest correlation: as the paper measures it, by chance, and on unseen items with the 95%
interval over users; how many values pass; and how far features are ahead on unseen items (the same users are drawn for
both). `items` is the median of how many films of test users have a value. Steps of films whose values are not known are
left out. About a minute of a core for each study.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

import interp
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import FEATURES, NEURONS, Evidence, ItemTest, Rows, evidence_of
from interp.concepts.study_data import study_data
from interp.study.record_config import config_of
from recmodels.bootstrap import percentile_interval
from recmodels.console import say

PARTS = ("test", "sae_validation")


@dataclass(frozen=True)
class Arguments:
    """What is measured."""

    studies: tyro.conf.Positional[tuple[Path, ...]]
    """Finished studies of MovieLens."""
    tmdb: Path
    """The folder with movies_metadata.csv and credits.csv."""
    links: Path
    """A links.csv of a release of MovieLens."""
    attributes: tuple[str, ...] = ("directors", "actors", "companies", "countries", "language")
    """Which attributes, beside the study's own."""
    to: Path | None = None
    """A CSV file to write the rows to."""


def row_of(result: Evidence, features: Evidence) -> dict[str, object]:
    """Means over the values of one attribute, with 95% intervals over users."""
    table, lead = result.concepts, features.concepts["unseen_items"] - result.concepts["unseen_items"]
    low, high = percentile_interval(result.resamples.mean(axis=1))
    ahead_low, ahead_high = percentile_interval((features.resamples - result.resamples).mean(axis=1))
    return {
        "values": len(table),
        "items": table["items"].median(),
        "correlation": table["correlation"].mean(),
        "null": table["null"].mean(),
        "unseen_items": table["unseen_items"].mean(),
        "unseen_items_low": float(low),
        "unseen_items_high": float(high),
        "passes": int(table["passes"].sum()),
        "ahead": lead.mean(),
        "ahead_low": float(ahead_low),
        "ahead_high": float(ahead_high),
    }


def rows_of(study: interp.Study, asked: Arguments) -> pd.DataFrame:
    """Two rows for each attribute, of features and of neurons."""
    config = replace(
        config_of(study), tmdb=asked.tmdb, links=asked.links, other_attributes=asked.attributes, steered=()
    )
    data = study_data(config)
    stores = {part: study.activations(part).rows for part in PARTS}
    sources: dict[str, dict[str, Activations]] = {
        FEATURES: {part: study.feature_matrix(part) for part in PARTS},
        NEURONS: {part: np.asarray(study.activations(part).activations, dtype=np.float64) for part in PARTS},
    }

    def known(concepts: Concepts, source: str, part: str) -> Rows:
        rows = stores[part]
        keep = concepts.is_known(rows["item"].to_numpy())
        return Rows(sources[source][part][keep], rows["item"].to_numpy()[keep], rows["user"].to_numpy()[keep])

    table = []
    for attribute, concepts in {data.attribute: data.concepts, **data.other_concepts}.items():
        results: list[Evidence] = []
        for source in (FEATURES, NEURONS):
            test, validation = (known(concepts, source, part) for part in PARTS)
            item_test = ItemTest(concepts, test.items, validation.items)
            results.append(evidence_of(item_test, test, validation, f"{source}, {attribute}"))
            about: dict[str, object] = {"study": study.folder.name, "attribute": attribute, "source": source}
            counts: dict[str, object] = {
                "users": len(np.unique(test.users)),
                "known": len(test.items) / len(stores["test"]),
            }
            table.append(about | counts | row_of(results[-1], results[0]))
    return pd.DataFrame(table)


def main() -> None:
    """Measure and print."""
    asked = tyro.cli(Arguments, description=__doc__)
    table = pd.concat([rows_of(interp.open(folder), asked) for folder in asked.studies], ignore_index=True)
    say(table.round(3).to_string(index=False))
    if asked.to is not None:
        table.to_csv(asked.to, index=False)


if __name__ == "__main__":
    main()
