"""Write a study, or a recommender with its dictionaries, as a folder that `interp.serving` runs.

The folder holds the recommender as a program (`recommender.pt2`), its item ids, the dictionary of each site as tensors,
the steers as `interp.save_steer` writes them, and checksums. At the end it is opened as a service opens it, and
compared with the recommender, bare and under each steer.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor

from interp.deployment.canonical import canonical
from interp.deployment.recommender_program import recommender_program, suffix_of
from interp.deployment.steered_programs import TOLERANCE, Format, check_formats, write_steered
from interp.model.envoys import RecommenderEnvoy, check_envoy
from interp.serving.dictionary_tensors import DictionaryTensors
from interp.serving.service import KIND, Service, load
from interp.steering.edits import Steer
from interp.steering.serialization import load_steer, to_json
from recmodels import artifacts
from recmodels.errors import InputError, quote
from recmodels.paths import as_path
from recmodels.sequences import Histories

NAME = re.compile(r"[\w][\w.+-]{0,99}")
USERS = 16  # histories on which the export is compared with the recommender


def export_service(
    rec: RecommenderEnvoy,
    to: Path | str,
    steers: Mapping[str, Any] | None = None,
    *,
    histories: Any = None,
    formats: tuple[Format, ...] = (),
) -> Path:
    """Write a folder that `interp.serving.load` opens, without nnsight, transformers or pandas.

    Args:
        rec: the recommender with its dictionaries.
        to: the folder; an earlier export in it is replaced.
        steers: name → steer: a `Steer`, a file of `save_steer`, or what `RecommenderEnvoy.steer_of` reads.
        histories: in any form; the export is compared with the recommender on some of them. By default, drawn ones.
        formats: "pt2" and "onnx": write recommender and steers as one program too, for other runtimes.

    Returns:
        The folder.

    Raises:
        InputError: torch cannot export the recommender, a dictionary has a form of its own, a steer cannot be carried
            out, scores of the export differ, or the folder holds something else.
    """
    check_envoy(rec)
    to, model, plans = as_path(to), rec.recommender.model, _plans(rec, steers or {})
    check_formats(formats, plans)
    if not rec.saes:
        raise InputError("no dictionary is attached, so there is nothing to steer: attach one with rec.attach(sae)")
    artifacts.check_replaceable(to, KIND)  # now, not after the work
    suffix, rows = suffix_of(model), _histories(rec, histories)
    sites = [site for site in model.sites if site in rec.saes]
    tensors = {site: canonical(rec.saes[site], _hidden(rec, rows, site)) for site in sites}
    program, full_width = recommender_program(model, sites)
    about = {
        "torch": str(torch.__version__),
        "recommender": rec.recommender.fingerprint,
        "max_history": model.config.max_history,
        "suffix": list(suffix),
        "full_width": full_width,
        "keep_seen": rec.recommender.keep_seen,
        "sites": [
            {"site": site, "dictionary": sae.fingerprint, "strongest": sae.strongest} for site, sae in tensors.items()
        ],
        "steers": list(plans),
    }
    artifacts.discard_partial(to, KIND)
    try:
        with artifacts.writing(to, KIND, {"recommender": about["recommender"], "steers": list(plans)}) as folder:
            torch.export.save(program, folder / "recommender.pt2")
            _write_parts(folder, rec, tensors, plans)
            artifacts.write_json(folder / "service.json", about)
            artifacts.seal(folder, KIND, {})  # as a service opens it
            service = load(folder)
            _check(rec, service, plans, rows)
            if formats:
                write_steered(folder, model, service, _named(service, rows, range(len(rows))), formats)
    finally:
        artifacts.discard_partial(to, KIND)
    return to


def _plans(rec: RecommenderEnvoy, steers: Mapping[str, Any]) -> dict[str, Steer]:
    """The steers by name, each checked."""
    if not isinstance(steers, Mapping):
        raise InputError(f"steers are {quote(steers)}: give a mapping from name to steer")
    plans: dict[str, Steer] = {}
    files: dict[str, str] = {}
    for name, steer in steers.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise InputError(
                f"{quote(name)} cannot name a steer: use up to 100 letters, digits and . _ + -, the first a letter, "
                "a digit or _ (a file's name is that of its steer)"
            )
        if (same := files.setdefault(name.casefold(), name)) != name:
            raise InputError(
                f"the steers {quote(same)} and {quote(name)} would be one file where capitals make no difference: "
                f"rename one"
            )
        plans[name] = rec.steer_of(load_steer(steer) if isinstance(steer, str | Path) else steer)
    return plans


def _write_parts(
    folder: Path, rec: RecommenderEnvoy, tensors: Mapping[str, DictionaryTensors], plans: Mapping[str, Steer]
) -> None:
    artifacts.write_json(folder / "items.json", rec.recommender.vocabulary.ids.tolist())
    (folder / "dictionaries").mkdir()
    for site, dictionary in tensors.items():
        save_file(dictionary.tensors(), folder / "dictionaries" / f"{site}.safetensors")
    for name, steer in plans.items():
        artifacts.write_text(folder / "steers" / f"{name}.json", to_json(steer) + "\n")


def _histories(rec: RecommenderEnvoy, histories: Any) -> Histories:
    """Some of these histories, and the users' own labels; drawn ones if there are none."""
    if histories is not None:
        return rec.recommender.histories(histories).select(slice(0, USERS))
    config, rng = rec.recommender.model.config, np.random.default_rng(0)
    lengths = rng.integers(1, config.max_history + 3, USERS)
    codes = rng.integers(0, config.n_items, lengths.sum()).astype(np.int32)
    return Histories(pd.RangeIndex(USERS), codes, np.concatenate([[0], np.cumsum(lengths)]))


def _hidden(rec: RecommenderEnvoy, histories: Histories, site: str) -> Tensor:
    """[n, d] hidden states of the histories' items."""
    hidden = rec.hidden(histories, site)
    return hidden[:, -1] if hidden.shape[1] == 1 else hidden.flatten(0, 1)


def _check(rec: RecommenderEnvoy, service: Service, plans: Mapping[str, Steer], histories: Histories) -> None:
    """Compare the service's scores with the recommender's, bare and under each steer.

    Raises:
        InputError: they differ.
    """
    site = next(iter(service.dictionaries))
    for name in (None, *plans):
        # Half of the users are those with a value of their own, if the steer has such.
        own = sorted(plans[name].users, key=str)[: len(histories) // 2] if name else []
        labels = [*own, *(label for label in range(-1, -2 * len(histories), -1) if label not in own)][: len(histories)]
        rows = Histories(pd.Index(labels, dtype=object), histories.codes, histories.offsets)
        with rec.steer(plans[name] if name else Steer((), site)):
            expected = rec.score(rows)
        scores = service.score(_named(service, rows, labels), [name] if name else [])
        error = float((scores - expected).abs().max() / (expected.abs().max() + 1e-12))
        if not error <= TOLERANCE:
            under = f"under the steer {name}" if name else "without a steer"
            raise InputError(
                f"the exported recommender scores differently {under} (by {error:.1g} of the largest score): serve it "
                f"with RecommenderEnvoy.steer instead"
            )


def _named(service: Service, histories: Histories, labels: Iterable[Any]) -> dict[Any, list[Any]]:
    """Histories as the service reads them, under these labels."""
    return {label: [service.items.ids[code] for code in histories[n]] for n, label in enumerate(labels)}
