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

import pandas as pd
import tyro

import interp
from interp.analyses.other_attributes.tables import SUMMARY, attribute_evidence
from interp.concepts.study_data import study_data
from interp.features.candidate_rows import PARTS, own_candidates
from interp.study.record_config import config_of
from recmodels.console import say


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


def rows_of(study: interp.Study, asked: Arguments) -> pd.DataFrame:
    """Two rows for each attribute, of features and of neurons."""
    config = replace(
        config_of(study), tmdb=asked.tmdb, links=asked.links, other_attributes=asked.attributes, steered=()
    )
    data = study_data(config)
    stores = {part: study.activations(part) for part in PARTS}
    own = own_candidates(stores, {part: study.feature_matrix(part) for part in PARTS})
    every = {data.attribute: data.concepts, **data.other_concepts}
    rows = pd.concat([attribute_evidence(name, concepts, own, stores)[1] for name, concepts in every.items()])
    return rows.assign(study=study.folder.name)[["study", *SUMMARY]]


def main() -> None:
    """Measure and print."""
    asked = tyro.cli(Arguments, description=__doc__)
    table = pd.concat([rows_of(interp.open(folder), asked) for folder in asked.studies], ignore_index=True)
    say(table.round(3).to_string(index=False))
    if asked.to is not None:
        table.to_csv(asked.to, index=False)


if __name__ == "__main__":
    main()
