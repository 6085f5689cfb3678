"""Progress bars as this project draws them: on one line of a terminal, gone at the end, silent where there is none."""

from functools import partial

from tqdm.auto import tqdm as any_tqdm

# `disable=None`: no bar in a log or a pipe; a notebook has its own. The width is that of the terminal, as it is now.
tqdm = partial(any_tqdm, leave=False, disable=None, dynamic_ncols=True)
