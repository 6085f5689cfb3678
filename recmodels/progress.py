"""Progress bars as this project draws them: on one line of a terminal, gone at the end, silent where there is none."""

from typing import Any

from tqdm.auto import tqdm as any_tqdm

from recmodels import ranks


def tqdm(*args: Any, **options: Any) -> any_tqdm:
    """tqdm's bar, as wide as the terminal is now; none in a log, in a pipe, and on ranks other than the first."""
    # `disable=None`: where there is no terminal. A notebook has a bar of its own.
    usual = {"leave": False, "disable": None if ranks.prints() else True, "dynamic_ncols": True}
    return any_tqdm(*args, **usual | options)
