"""The configuration of a finished study as objects again, to read its data anew."""

from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from interp.concepts.study_data import StudyData, study_data
from interp.config import StudyConfig
from interp.study.study_parts import StudyParts
from recmodels.errors import InputError


def config_of(study: StudyParts) -> StudyConfig:
    """The configuration that a study was made from."""
    return _filled(StudyConfig, study.config)


def data_of(study: StudyParts) -> StudyData:
    """The data of a study, read anew.

    Raises:
        InputError: they cannot be read, or are no longer those that the study was made from.
    """
    data = study_data(config_of(study))
    if data.dataset.fingerprint != study.record["fingerprints"].get("data"):
        raise InputError(f"{study.folder} was made from other data than its configuration names: give tables instead")
    return data


def _filled(kind: Any, values: dict[str, Any]) -> Any:
    """A dataclass from its JSON; what the record of an earlier release lacks has its default."""
    read = {}
    for field in fields(kind):
        if field.name not in values:
            continue
        value = values[field.name]
        usual = field.default_factory() if field.default_factory is not MISSING else field.default
        if is_dataclass(usual) and isinstance(value, dict):
            value = _filled(type(usual), value)
        elif isinstance(value, list):
            value = tuple(value)
        elif field.name in ("data", "items", "tmdb", "links", "out") and value is not None:
            value = Path(value)
        read[field.name] = value
    return kind(**read)
