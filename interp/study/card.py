"""The card of a bundle, README.md: what it holds, how good it is, and how to open and cite it.

Its front matter is what model hubs read (huggingface.co/docs/hub/model-cards): YAML, written as JSON values, which YAML
includes.
"""

import json
from typing import Any

from interp.plots.names import RANKING
from interp.study.beside_popular import beside_popular
from interp.study.bundle_record import BundleRecord
from interp.study.glance import from_elsewhere, highlights
from interp.study.headline import headline
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError, one_line, quote
from recmodels.wording import signed, with_interval

SOFTWARE = "interp-recsys"
PAPER = (
    "A. Klenitskiy, K. Polev, D. Denisova, A. Vasilev, D. Simakov and G. Gusev, *Sparse Autoencoders for Sequential "
    "Recommendation Models: Interpretation and Flexible Control*, arXiv:2507.12202, 2025."
)
# By the beginning of a data set's name.
DATA = {
    "ml-": "F. M. Harper and J. A. Konstan, *The MovieLens Datasets: History and Context*, ACM TiiS 5(4), 2015.",
    "lastfm-2k": "I. Cantador, P. Brusilovsky and T. Kuflik, *HetRec 2011*, RecSys 2011.",
    "music4all": "I. A. Pegoraro Santana et al., *Music4All: A New Music Database and Its Applications*, IWSSIP 2020.",
}
LONGEST = 10_000  # characters of a citation


def card(study: StudyParts, holds: BundleRecord, licence: str | None, cite: str | None) -> str:
    """The text of a bundle's README.md.

    Args:
        study: the study.
        holds: what the bundle has of it.
        licence: the licence of the bundle, as hubs name it, such as "mit" or "cc-by-4.0"; None if none is given.
        cite: how the bundle is to be cited, beside the paper and the data.

    Raises:
        InputError: the licence or the citation is not text.
    """
    for name, text in (("licence", licence), ("cite", cite)):
        if text is not None and (not isinstance(text, str) or not text.strip() or len(text) > LONGEST):
            raise InputError(f"{name} is {quote(text)}: give a text")
    lines = [_front_matter(study, licence), f"# {study.title}: features of a recommender", *_about(study)]
    lines += ["## Open it", *_opening(study), "## How good it is", *_quality(study), "## What is in it"]
    lines += [*_contents(study, holds), "## Licence", _licence(licence), "## Cite", *_citations(study, cite)]
    return "\n\n".join(lines) + "\n"


def _front_matter(study: StudyParts, licence: str | None) -> str:
    ranking = study.table("recommender").set_index("replaced").loc["none"]
    metrics = [
        {
            "type": key,
            "name": f"{RANKING[key]} on {study.provenance.test_users}",
            "value": round(float(ranking[key]), 6),
        }
        for key in RANKING
    ]
    task = {"type": "recommendation", "name": "Sequential recommendation"}
    data = {"type": study.name, "name": study.name}
    results = [{"task": task, "dataset": data, "metrics": metrics}]
    fields: dict[str, Any] = {"license": one_line(licence).strip().lower()} if licence else {}
    fields |= {
        "library_name": SOFTWARE,
        "tags": ["sequential-recommendation", "sparse-autoencoder", "interpretability", "steering", study.model],
        "datasets": [study.name],
        "model-index": [{"name": study.title, "results": results}],
    }
    return "\n".join(
        ["---", *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()), "---"]
    )


def _about(study: StudyParts) -> list[str]:
    numbers = highlights(study)
    terms = f"{numbers.n_concepts} {study.attribute}" if study.has_concepts else "items"
    source = from_elsewhere(study)
    return [
        f"A sequential recommender ({numbers.model}, {numbers.n_items:,} items of {study.name}), and a sparse "
        f"autoencoder with {numbers.n_features:,} features that reads it at `{study.site}`: what the features mean in "
        f"terms of {terms}, and what turning them does to the lists.",
        *map(one_line, study.notes),
        *([f"The dictionary was imported from {source}."] if source else []),
    ]


def _opening(study: StudyParts) -> list[str]:
    some = json.dumps(study.items.index[:3].tolist(), ensure_ascii=False)
    return [
        f"With {SOFTWARE} installed: this folder, the archive, or its place on a hub.",
        f'```python\nimport interp\n\nstudy = interp.open("hf://OWNER/NAME")\nstudy.recommend([{some}])\n```',
    ]


def _quality(study: StudyParts) -> list[str]:
    numbers, first, beside = highlights(study), headline(study), beside_popular(study)
    rows = [
        (f"NDCG@10 on {study.provenance.test_users}", with_interval(numbers.ndcg, *numbers.ndcg_bounds, ".3f")),
        ("the same through the dictionary's reconstruction", numbers.reconstructed),
        ("features active at a step", f"{numbers.l0:.1f}"),
        ("variance of the activations explained", signed(numbers.explained_variance, ".1%")),
    ]
    if first is not None:
        rows += [
            ("concepts with a feature, on unseen items", first.passing),
            ("mean correlation there", first.on_unseen_items),
            ("as the paper measures it", first.as_the_paper),
        ]
    table = "\n".join(["| measure | value |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows)])
    popular = [f"Beside the most popular items: {beside.comparison}."] if beside else []
    return [table, *popular, *([f"**{beside.warning}**"] if beside and beside.warning else [])]


def _contents(study: StudyParts, holds: BundleRecord) -> list[str]:
    tables = f"tables ({', '.join(holds.tables_left_out)})" if holds.tables_left_out else "tables"
    if holds.users:
        users = "**Histories of the test users are in it, under their ids**, in tables and on the pages"
        users += ", and their activations, step by step." if holds.activations else "; activations are not."
    else:
        users = f"No user is named in it: {tables}, pages and activations that name users were left out."
    return [
        "- `recommender/`: weights and the ids of the items\n"
        f"- `dictionaries/{study.site}/`: the sparse autoencoder\n"
        "- `tables/`: what the features mean and do, as .csv and .parquet\n"
        "- `config.json`: every setting, the versions of the packages, fingerprints of data and weights\n"
        "- `manifest.json`, `bundle.json`: checksums, and what was left out",
        users,
        "The weights were fitted to histories of users, and tables count users: how many met an item, for example. "
        "Whether single histories could be inferred from them has not been examined.",
        "All files are plain tensors, numbers and text: nothing in them is executed.",
    ]


def _licence(licence: str | None) -> str:
    text = (
        f"`{one_line(licence).strip()}`." if licence else "No licence was given: ask who made this before you use it."
    )
    return f"{text} Titles and attributes of items come from the data, whose own terms hold for them."


def _citations(study: StudyParts, cite: str | None) -> list[str]:
    data = next((text for name, text in DATA.items() if study.name.startswith(name)), None)
    return [*([cite.strip()] if cite else []), f"The method: {PAPER}", *([f"The data: {data}"] if data else [])]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
