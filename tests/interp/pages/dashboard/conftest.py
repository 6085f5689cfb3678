"""A dashboard of a study made by hand, open in a browser."""

import pytest
from browsers import open_page
from pages import handmade_study

from interp.pages.dashboard import write_dashboard

RESET = """
    history.replaceState(null, "", location.pathname);
    document.getElementById("search").value = "";
    Object.assign(state, { sort: "correlation", ascending: false, stepping: false });
    for (const fold of document.querySelectorAll("#feature details")) fold.open = false;
    for (const id of ["concept", "kind"]) document.getElementById(id).value = "";
    document.getElementById("map-colour").value = "grade";
    openResults(false);
    release();
    document.activeElement.blur();
    choose(null);
    sayMissing();
    show(state.order[0]);
    scrollTo(0, 0);
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return handmade_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def path(study):
    return write_dashboard(study)


@pytest.fixture
def browser(chromium, path):
    """The page as it is when it is opened without a feature in its address."""
    if chromium.current_url.startswith(path.as_uri()):
        chromium.execute_script(RESET)
    else:
        open_page(chromium, path.as_uri())
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
