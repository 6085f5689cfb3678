"""The command `interp export-service`."""

from pathlib import Path
from typing import Literal

import tyro

from interp.cli.commands import app
from interp.cli.opening import open_study


@app.command
def export_service(
    folder: tyro.conf.Positional[Path],
    to: Path,
    steers: tuple[Path, ...] = (),
    formats: tuple[Literal["pt2", "onnx"], ...] = (),
) -> None:
    """Write recommender, dictionary and steers for a service: `interp export-service artifacts/ml-100k --to service`.

    `interp.serving.load` opens the folder with torch and safetensors alone.

    Args:
        folder: The study's folder.
        to: The folder to write; an earlier export in it is replaced.
        steers: Files that `interp steer --save` wrote; a steer is called like its file.
        formats: Write recommender and steers as one program too, for other runtimes; onnx needs more packages:
            `pip install '.[onnx]'`.
    """
    from recmodels.errors import InputError

    named = {path.stem: path for path in steers}
    if len(named) < len(steers):
        raise InputError("two of these files have the same name, which would be the name of two steers: rename one")
    print(open_study(folder).export_service(to, named, formats=formats))
