"""How large the offline page is, and how quick, in headless Chromium.

    python -m benchmarks.dashboard artifacts/ml-1m --features 2048
    python -m benchmarks.dashboard artifacts/ml-100k --feature 13

writes the page of a finished study into a temporary folder, with its features repeated until there are so many, opens
it a few times, switches through its features, and then moves a slider of its equalizer. It prints a table in Markdown.
Times are those a reader waits, and in brackets those that the page's main thread computes, which other work on the
machine lengthens less. With a feature, a second table counts what a person does on the page until four questions about
it are answered (`benchmarks.page_reading`). It needs selenium, chromium and chromedriver.
"""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
import tyro
from safetensors.torch import load
from selenium import webdriver

import interp
from benchmarks import page_reading
from interp.pages.dashboard import page_data
from interp.pages.page_model import as_block, page_model
from interp.pages.rendering import render
from interp.study.study import Study
from interp.study.study_map import features_on_map

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1280,900")
BY_FEATURE = (
    *("features", "alignment", "histograms", "histories", "effects", "causal", "moved_items", "map", "neighbours"),
    *("labels", "label_items", "feature_evidence", "feature_receipts", "feature_curves", "feature_costs"),
)
HEADS = (
    *("study", "features", "page, MB", "first feature shown, s", "switching, ms: median", "95th percentile"),
    *("slider to list, ms: median", "with reasons"),
)
MB = 1e6
OPENED = """
    const [done] = arguments;
    (async () => {
      while (!window.Plotly) await new Promise((next) => setTimeout(next, 10));
      done(performance.getEntriesByName("first feature")[0].startTime);
    })();
"""
SLIDE = """
    const [value, reasons, done] = arguments;
    (async () => {
      const { history } = await engine.user(0);
      const start = performance.now();
      await engine.run({ history, settings: [{ kind: "feature", index: 0, value }], reasons });
      done(performance.now() - start);
    })();
"""
SWITCH = """
    const [feature, done] = arguments, start = performance.now();
    const { port1, port2 } = new MessageChannel();
    const painted = () => new Promise((next) => {
      port1.onmessage = next;
      requestAnimationFrame(() => port2.postMessage(0));
    });
    (async () => {
      location.hash = feature;
      await new Promise((next) => addEventListener("hashchange", next, { once: true }));
      do await painted();
      while ([...stale].some((target) => near.has(target)));
      done(performance.now() - start);
    })();
"""


@dataclass(frozen=True)
class Benchmark:
    """What is measured."""

    folder: tyro.conf.Positional[Path]
    """A finished study."""
    features: int = 0
    """Features that its dictionary is repeated to; 0 for its own."""
    openings: int = 5
    """Times the page is opened."""
    switches: int = 40
    """Features that are shown one after another."""
    slides: int = 20
    """Values that a slider takes."""
    feature: int | None = None
    """Which feature a person wants to know; none for no second table."""


@dataclass(frozen=True)
class Repeated(Study):
    """A study whose dictionary has more features, the same ones again and again."""

    features_wanted: int = 0

    def table(self, name: str) -> pd.DataFrame:
        """A table by name; of those by feature, as many rows as it takes."""
        table = super().table(name)
        if name not in BY_FEATURE:
            return table
        if name == "map" and "family" not in table:  # of an earlier release: found anew, from the features there are
            table = features_on_map(Study(self.folder, self.record))[["feature", "x", "y", "family", "cluster"]]
        own = len(super().table("features"))
        times = -(-self.features_wanted // own)
        columns = [column for column in ("feature", "neighbour", "family") if column in table]
        parts = [table.assign(**{column: table[column] + own * turn for column in columns}) for turn in range(times)]
        repeated = pd.concat(parts, ignore_index=True).query(f"feature < {self.features_wanted}")
        if "neighbour" in repeated:  # the last turn may not be whole
            repeated["neighbour"] %= self.features_wanted
        return repeated


def opened(browser: webdriver.Chrome, path: Path) -> tuple[float, float]:
    """Milliseconds until the first feature is shown, and of work until then, on a page that is opened anew."""
    browser.get("about:blank")
    before = worked(browser)
    browser.get(path.as_uri())
    shown = browser.execute_async_script(OPENED)
    return shown, worked(browser) - before


def worked(browser: webdriver.Chrome) -> float:
    """Milliseconds that the page's main thread has computed."""
    found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return 1000 * next(metric["value"] for metric in found if metric["name"] == "TaskDuration")


def switched(browser: webdriver.Chrome, feature: int) -> tuple[float, float]:
    """Milliseconds until another feature is shown with its figures, and of work for that."""
    before = worked(browser)
    waited = browser.execute_async_script(SWITCH, feature)
    return waited, worked(browser) - before


def slid(browser: webdriver.Chrome, value: float, reasons: bool) -> tuple[float, float]:
    """Milliseconds until the list after a move of a slider is computed, and of work for that."""
    before = worked(browser)
    waited = browser.execute_async_script(SLIDE, value, reasons)
    return waited, worked(browser) - before


def block(study: Study, n: int) -> bytes:
    """The page's block of a study whose dictionary is repeated to n features, not quite the same ones."""
    content = page_model(study).blocks["model"]
    size = int.from_bytes(content[:8], "little")
    page = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["page"])
    tensors = load(content)
    own = len(tensors["encoder.bias"])
    for name in {"encoder.weight", "encoder.bias", "decoder", "threshold", "scale", "shift"} & set(tensors):
        axis = 1 if name == "encoder.weight" else 0
        whole = torch.cat([tensors[name]] * -(-n // own), dim=axis).narrow(axis, 0, n).contiguous()
        tensors[name] = whole * (1 + 1e-3 * torch.rand_like(whole)) if n > own else whole
    return as_block(page, tensors)


def main(options: Benchmark) -> None:
    """Measure and print the table."""
    study = interp.open(options.folder)
    n = options.features or len(study.table("features"))
    data = page_data(Repeated(study.folder, study.record, features_wanted=n))
    settings = webdriver.ChromeOptions()
    settings.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        settings.add_argument(flag)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dashboard.html"
        path.write_text(render("dashboard", study.name, data, {"model": block(study, n)}), encoding="utf-8")
        browser = webdriver.Chrome(settings, webdriver.ChromeService(shutil.which("chromedriver")))
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        openings = [opened(browser, path) for _ in range(options.openings)]
        alive = [feature for feature in range(n) if data["histories"][feature]]
        stride = max(len(alive) // options.switches, 1)
        switches = [switched(browser, feature) for feature in alive[::stride][: options.switches]]
        slides = [
            [slid(browser, 4 * turn / options.slides, why) for turn in range(options.slides)] for why in (False, True)
        ]
        read = []
        if (feature := options.feature) is not None:
            read = [*page_reading.reading(browser, path, feature, study.features[feature].name.text)]
        browser.quit()
        size = path.stat().st_size / MB
    first, median = (tuple(map(statistics.median, zip(*taken, strict=True))) for taken in (openings, switches))
    most = tuple(statistics.quantiles(taken, n=20)[-1] for taken in zip(*switches, strict=True))
    row = [study.name, f"{n:,}", f"{size:.1f}", f"{first[0] / 1000:.1f} ({first[1] / 1000:.1f})"]
    row += [f"{waited:.0f} ({work:.0f})" for waited, work in (median, most)]
    row += [
        f"{waited:.0f} ({work:.0f})"
        for waited, work in (map(statistics.median, zip(*own, strict=True)) for own in slides)
    ]
    show(HEADS, [row])
    if read:
        print()
        show(page_reading.HEADS, read)


def show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    for cells in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main(tyro.cli(Benchmark, args=sys.argv[1:], description=__doc__))
