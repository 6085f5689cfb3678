"""What a person does on the page until four questions are answered, on a study made by hand."""

import pytest
from browsers import chromium_session
from pages import handmade_study

from interp.pages.dashboard import write_dashboard


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    yield from chromium_session(tmp_path_factory.mktemp("chromium"))


def test_four_answers_take_two_clicks_by_search_and_no_scrolling_once_it_is_open(chromium, tmp_path):
    reading = pytest.importorskip("benchmarks.page_reading", reason="it needs selenium").reading
    rows = list(reading(chromium, write_dashboard(handmade_study(tmp_path)), 44, "#44"))
    assert [row[:2] for row in rows] == [
        [window, way] for window in ("1280 × 800", "390 × 844") for way in ("search", "map", "list")
    ]
    assert [row[2:] for row in rows if row[1] == "search"] == [["2", *"0000000"]] * 2
    for *_, opened, what, sentence, lights, promotes, costs, total in rows:
        assert [what, sentence, lights, promotes, costs] == ["0"] * 5  # the first screen has them all
        assert opened == total
