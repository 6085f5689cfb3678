"""How long each dictionary trained: `timings.json` beside the dictionaries of a site, name → seconds."""

import logging
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from recmodels.errors import InputError
from recmodels.files import write_json
from recmodels.json_files import of_type, read_record

FILE = "timings.json"
log = logging.getLogger(__name__)


def record_times(folder: Path, seconds: Mapping[str, float]) -> None:
    """Add the seconds of some dictionaries to the record in the folder of their site."""
    times = training_times(folder) | {name: round(value, 2) for name, value in seconds.items()}
    write_json(folder / FILE, times)


def training_times(folder: Path) -> dict[str, float]:
    """Seconds by the name of the dictionary; without those that an earlier release trained, or if it is damaged."""
    if not (folder / FILE).is_file():
        return {}
    try:
        record = read_record(folder / FILE, {}, "")
    except InputError:
        log.warning("%s is damaged: how long dictionaries trained is forgotten", folder / FILE)
        return {}
    return {name: value for name, value in record.items() if of_type(value, float) and isfinite(value)}
