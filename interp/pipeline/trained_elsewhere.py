"""A study of a recommender that is trained already: read it, and keep it in the study's folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from interp.config import StudyConfig
from interp.model.envoys import RecommenderEnvoy
from recmodels import artifacts
from recmodels.adapters.foreign import read_recommender
from recmodels.adapters.origin import Origin
from recmodels.adapters.registry import ADAPTERS
from recmodels.adapters.sample import check_sample
from recmodels.console import say
from recmodels.errors import InputError
from recmodels.paths import as_path
from recmodels.recommender import KIND, ORIGIN, Recommender, lists_key

FOLDER = "recommender"
GIVEN = "given"  # in the manifest of a recommender that the study did not train


def configured(config: StudyConfig) -> Recommender | None:
    """The recommender that a configuration names; None where it trains one.

    Raises:
        InputError: it cannot be read.
    """
    if config.recommender is None:
        return None
    path = as_path(config.recommender)
    if config.adapter is None:
        ours = [place for place in (path, path / FOLDER) if (place / artifacts.MANIFEST).is_file()]
        if ours:
            return Recommender.load(ours[0])
        ADAPTERS.load()
        known = f"one of {', '.join(sorted(ADAPTERS))}" if ADAPTERS else "one that --import FILE registers"
        raise InputError(
            f"{path} is no recommender that this program wrote: say which program wrote it with --adapter, {known}"
        )
    options: dict[str, Any] = {}
    for setting in config.adapter_options:
        name, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"adapter_options has {setting!r}: write NAME=VALUE, such as heads=2")
        options[name.replace("-", "_")] = value
    options |= {name: value for name in ("item_ids", "atomic_files") if (value := getattr(config, name)) is not None}
    return read_recommender(config.adapter, path, options, config.expected)


def name_of(recommender: Recommender) -> str:
    """What the folder of its study is called by."""
    adapter = getattr(recommender.model, "adapter", None)
    return recommender.model.config.model_type if adapter is None else adapter.name or FOLDER


def check_same(recommender: Recommender | None, folder: Path) -> None:
    """Refuse to go on with a study of another recommender, or to train one where a study was given one.

    Args:
        recommender: the one that the study is given; None to train one.
        folder: where the study keeps it.

    Raises:
        InputError: the study is about another one, or one whose adapter gave other scores.
    """
    if not (folder / artifacts.MANIFEST).is_file():
        return
    earlier = artifacts.read_manifest(folder, KIND)["inputs"].get(GIVEN)
    if recommender is None and earlier is not None:
        raise InputError(
            f"{folder.parent} is a study of a recommender that was trained elsewhere: give it again "
            f"(--recommender {folder}), or choose another folder with --out"
        )
    if recommender is not None and earlier != recommender.fingerprint:
        raise InputError(f"{folder.parent} is a study of another recommender: choose another folder with --out")
    if recommender is not None:
        check_sample(recommender, folder)


def keep(recommender: Recommender, folder: Path) -> None:
    """Write the recommender to a study's folder, unless it is there."""
    origin = None if recommender.origin is None else recommender.origin.record
    inputs = {GIVEN: recommender.fingerprint, "origin": origin}
    if not artifacts.is_current(folder, KIND, inputs | lists_key(recommender.keep_seen)):
        if _was_verified(folder) and not (recommender.origin and recommender.origin.verified):
            say("An earlier run verified the scores, this one does not: give --expected again to keep it so.")
        recommender.save(folder, inputs)


def _was_verified(folder: Path) -> bool:
    path = folder / ORIGIN
    return path.exists() and bool(Origin.read(path, f"delete {folder}").verified)


def with_its_sites(config: StudyConfig, rec: RecommenderEnvoy) -> StudyConfig:
    """The configuration with a site that the recommender has, where the usual one is asked for and missing.

    Raises:
        InputError: it lacks another site that is asked for, or a dictionary would be too large.
    """
    model = rec.recommender.model
    sites = list(model.sites)
    if config.site == StudyConfig.site and config.site not in sites:
        config = replace(config, site=model.default_site)
        say(f"This recommender has no site {StudyConfig.site}: the dictionary reads {config.site}.")
    config.check_sites(sites, max(map(model.width, sites)))
    return config
