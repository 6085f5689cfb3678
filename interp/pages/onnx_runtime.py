"""ONNX Runtime Web from npm, as blocks of an offline page: its script, and its WebAssembly for one thread.

It is not part of this package. Whoever writes a page has it; whoever opens the page needs nothing.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from interp.deployment.onnx_graph import check_onnx
from recmodels.errors import InputError, quote

PACKAGE = "onnxruntime-web"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
NAMES = ("InferenceSession", "Tensor", "env")  # what the page uses
EXPORT = re.compile(r"export\s*\{([^{}]*)\};?\s*(//[^\n]*\s*)?\Z")  # the last statement of the script
LICENCE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the \
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit \
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the \
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE \
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR \
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR \
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True)
class OnnxRuntime:
    """The library.

    Attributes:
        script: a module that calls `onnxRuntimeReady` with what it exports; a page allows it by its hash.
        wasm: what it compiles.
        version: of the package.
    """

    script: str
    wasm: bytes
    version: str

    @property
    def blocks(self) -> dict[str, bytes]:
        """What the page's scripts unpack."""
        return {"onnxruntime": self.script.encode(), "onnxruntime-wasm": self.wasm}

    @property
    def notice(self) -> dict[str, str]:
        """What the page says of it."""
        return {"name": f"ONNX Runtime Web {self.version}", "licence": LICENCE}


def read_runtime(folder: Path | None = None) -> OnnxRuntime:
    """The library where npm installed it.

    Args:
        folder: the package's folder, or `dist` in it; by default `node_modules/onnxruntime-web` of the current folder.

    Raises:
        InputError: it is not there, has another form, or a package that writes ONNX is not installed.
    """
    check_onnx()
    package = Path("node_modules") / PACKAGE if folder is None else folder
    package = package.parent if package.name == "dist" else package
    try:
        script = (package / "dist" / SCRIPT).read_text(encoding="utf-8")
        wasm = (package / "dist" / WASM).read_bytes()
        version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{PACKAGE} is not in {quote(str(package))}, or not whole: npm install {PACKAGE} here, or say where it is "
            f"with --onnxruntime-web"
        ) from None
    return OnnxRuntime(_calling_back(script, package), wasm, str(version))


def _calling_back(script: str, package: Path) -> str:
    """The module with a call in place of its exports: a module in a page cannot be imported by the page's scripts.

    Raises:
        InputError: it does not export what the page uses.
    """
    match = EXPORT.search(script)
    pairs = [part.split(" as ") for part in match[1].split(",")] if match else []
    names = {pair[-1].strip(): pair[0].strip() for pair in pairs}
    if match is None or not names.keys() >= set(NAMES):
        raise InputError(f"{quote(str(package))} has a form that is not known here: npm install {PACKAGE}@1.30.0")
    exports = ",".join(f"{name}:{names[name]}" for name in NAMES)
    return f"{script[: match.start()]}onnxRuntimeReady({{{exports}}});\n"
