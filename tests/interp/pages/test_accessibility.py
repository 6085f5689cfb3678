"""The offline pages by axe-core, at a desk and on a phone, light and dark."""

import pytest
from browsers import AXE, RUN, chromium_session, open_page, until
from handmade_comparison import handmade_comparison
from handmade_scorecard import handmade_scorecard
from pages import handmade_study

from interp.pages.comparison import write_comparison
from interp.pages.dashboard import write_dashboard
from interp.pages.report import write_report
from interp.pages.scorecard_page import write_page

VIEWS = {
    "light": ("light", {"width": 1280, "height": 900, "mobile": False}),
    "dark": ("dark", {"width": 1280, "height": 900, "mobile": False}),
    "phone": ("light", {"width": 390, "height": 844, "mobile": True}),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    study = handmade_study(tmp_path_factory.mktemp("study"))
    scorecard = write_page(handmade_scorecard(), tmp_path_factory.mktemp("scorecard"))[1]
    folder = tmp_path_factory.mktemp("comparison")
    comparison = write_comparison(handmade_comparison(folder), folder / "comparison.html")
    return {
        "dashboard": write_dashboard(study),
        "report": write_report(study),
        "scorecard": scorecard,
        "comparison": comparison,
    }


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm install --no-package-lock at the root of the repository")
    yield from chromium_session(tmp_path_factory.mktemp("chromium"))


@pytest.mark.parametrize("view", list(VIEWS))
@pytest.mark.parametrize(
    ("name", "part"), [("dashboard", "#7"), ("report", ""), ("scorecard", ""), ("comparison", "#7-8")]
)
def test_nothing_bars_anyone_from_reading(chromium, pages, name, part, view):
    scheme, size = VIEWS[view]
    setting = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", setting)
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 1})
    chromium.get("about:blank")
    open_page(chromium, pages[name].as_uri() + part)
    until(chromium, "[...stale].some((target) => near.has(target)) || [...stale].some(isLate)", False)
    chromium.execute_script(AXE.read_text(encoding="utf-8"))
    found = chromium.execute_async_script(RUN)
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:4]]) for one in serious] == []
