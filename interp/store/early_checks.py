"""What can be refused before torch is imported, in a fraction of a second: settings, names, files, the folder."""

from pathlib import Path

from interp.config import StudyConfig
from interp.store.study_folder import check_study, study_folder
from recmodels import datasets
from recmodels.errors import InputError
from recmodels.model_registry import MODELS
from recmodels.paths import as_path

NO_DATA = "your own data are one table or two: give --data INTERACTIONS, and --items ITEMS if you can"
PATHS = ("data", "items", "tmdb", "links", "recommender", "item_ids", "atomic_files", "expected", "dictionary")


def check_early(config: StudyConfig, has_data: bool = False, has_recommender: bool = False) -> None:
    """Refuse a study that cannot begin.

    Args:
        config: its configuration.
        has_data: whether the run is given its data in Python, so that no data set is read.
        has_recommender: the same for its recommender, which the study's folder will hold.

    Raises:
        InputError: a setting makes no sense; there is no such data set or model; a file or folder does not exist; or
            the study's folder holds something else.
    """
    config.check()
    for setting in PATHS:
        path: Path | None = getattr(config, setting)
        is_given = setting == "recommender" and has_recommender
        if path is not None and not is_given and not as_path(path).exists():
            raise InputError(f"{path} does not exist: give --{setting.replace('_', '-')} a path that does")
    if not has_data and not (config.items or config.data):
        if config.dataset == "own":
            raise InputError(NO_DATA)
        datasets.check(config.dataset)
    if config.recommender is None:
        MODELS.check(config.training.model)
    check_study(study_folder(config))
