"""Files beside a page that would be too large by itself: `dashboard.html` has the folder `dashboard-data/`.

A page that is opened from the disk may read no other file, but it may run a script. So each file is a script with one
block, deflated and in base64 as those in the page; `assets/addscript.js` loads it when the page asks for it. Page and
files bear the same stamp, so that a page never shows a block of another run.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from interp.pages.rendering import Beside, packed
from interp.study.page_files import KIND, folder_of
from recmodels import artifacts
from recmodels.folders import read_mark, remove


def write_beside(page: Path, blocks: Mapping[str, bytes]) -> Beside | None:
    """Write the blocks into the folder beside a page, all or none; without blocks, remove that folder.

    Args:
        page: the page, which is written after this.
        blocks: what the page loads, by name; its script asks for it with `unpackedBeside(name)`.

    Returns:
        The folder; None if there are no blocks.

    Raises:
        InputError: the folder has files that this program did not write, or the disk is full.
    """
    folder = folder_of(page)
    if not blocks:
        if read_mark(folder, str(KIND)) is not None:
            remove(folder, str(KIND))
        return None
    digest = hashlib.sha256()
    for name, block in blocks.items():
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(block).digest())
    beside = Beside(folder.name, digest.hexdigest()[:16])
    artifacts.discard_partial(folder, KIND)
    with artifacts.writing(folder, KIND, {"stamp": beside.stamp}) as partial:
        for name, block in blocks.items():
            text = f'addBlock("{name}", "{beside.stamp}", "{packed(block)}");\n'
            artifacts.write_text(partial / f"{name}.js", text, durable=False)
    return beside
