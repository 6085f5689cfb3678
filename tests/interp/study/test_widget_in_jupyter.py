"""The widget in a real JupyterLab 4 and a real Notebook 7, driven in a browser: `make jupyter`."""

import shutil
from importlib.util import find_spec

import pytest
from browsers import until
from jupyter import TOKEN, jupyter_server, write_notebook

from interp.study.equalizer import equalize

MISSING = [name for name in ("jupyterlab", "notebook", "anywidget") if find_spec(name) is None]
pytestmark = [
    pytest.mark.jupyter,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}: make jupyter installs them"),
]

CELLS = ("import interp\nstudy = interp.open('study')", "widget = study.equalizer(k=5)\nwidget", "widget", "1 + 1")
FRONTS = {"JupyterLab 4": "lab/tree", "Notebook 7": "notebooks"}
IDLE = "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status"
EQ = "document.querySelectorAll('.eq')"  # one for each view of the widget


@pytest.fixture(scope="module")
def address(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    shutil.copytree(study.folder, folder / "study")
    for path in FRONTS.values():
        write_notebook(folder / f"{path.partition('/')[0]}.ipynb", *CELLS)
    with jupyter_server(folder, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


@pytest.fixture(scope="module", params=list(FRONTS))
def notebook(request, chromium, address):
    """The browser with a notebook whose cells have run."""
    path = FRONTS[request.param]
    chromium.set_window_size(1500, 1000)
    chromium.get(f"{address}/{path}/{path.partition('/')[0]}.ipynb?token={TOKEN}")
    until(chromium, "document.querySelectorAll('.jp-Notebook .jp-CodeCell').length", len(CELLS), 120)
    until(chromium, IDLE, "idle", 120)
    chromium.find_element("css selector", ".jp-CodeCell .jp-InputPrompt").click()
    for _ in CELLS:
        press(chromium, ("SHIFT", "ENTER"))
    until(chromium, f"[...{EQ}].map((one) => one.querySelectorAll('.column li').length)", [10, 10], 300)
    return chromium


def press(browser, *keys):
    """Keys where the focus is; a pair is the second while the first is held."""
    from selenium.webdriver import ActionChains, Keys

    chain = ActionChains(browser)
    for key in keys:
        if isinstance(key, tuple):
            held, pressed = (getattr(Keys, name) for name in key)
            chain.key_down(held).send_keys(pressed).key_up(held)
        else:
            chain.send_keys(getattr(Keys, key, key))
    chain.perform()


def focus(browser, selector, view=0):
    browser.execute_script(
        f"const field = {EQ}[arguments[1]].querySelector(arguments[0]); field.scrollIntoView({{block: 'center'}});"
        "field.focus(); field.select()",
        selector,
        view,
    )


def titles(column, view=0):
    column = f".column:nth-child({column}) .pick"
    return f"[...{EQ}[{view}].querySelectorAll('{column}')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def expected(study):
    """Titles of the first test user's list, with these sliders."""
    return lambda sliders: equalize(study, study.users().select([0]), sliders, 5).after["title"].tolist()


def test_a_typed_number_changes_the_list_of_its_view_alone(notebook, study, expected):
    names = sorted(study.table("concepts")["concept"])
    for view, place, value in ((0, 2, 1.5), (1, 4, -2.0), (0, 2, 0.0), (1, 4, 0.0)):
        field = f"{EQ}[{view}].querySelectorAll('.slider input[type=number]')[{place}]"
        notebook.execute_script(f"{field}.focus(); {field}.select()")
        press(notebook, f"{value:g}", "ENTER")
        until(notebook, titles(2, view), expected({names[place]: value}), 60)
        assert notebook.execute_script(f"return {titles(1, view)}") == expected({})


def test_keys_in_a_field_do_not_reach_the_notebook(notebook):
    cells = "return [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map((one) => one.textContent)"
    before = notebook.execute_script(cells)
    focus(notebook, "[role=combobox]")
    press(notebook, *"ddabx", "ESCAPE")  # which delete and insert cells
    assert len(notebook.execute_script(cells)) == len(before)
    assert notebook.execute_script("return document.activeElement.closest('.eq') !== null")


def test_a_feature_is_added_and_nothing_is_cut_off(notebook, study):
    inside = f"[...{EQ}].every((one) => one.scrollWidth <= one.clientWidth && one.clientWidth > 300)"
    sliders = notebook.execute_script(f"return {EQ}[0].querySelectorAll('.slider').length")
    focus(notebook, ".rows [role=combobox]")
    press(notebook, str(study.names and max(study.names)), "ARROW_DOWN", "ENTER")
    until(notebook, f"{EQ}[0].querySelectorAll('.slider').length", sliders + 1)
    for width in (1500, 1000, 700):
        notebook.set_window_size(width, 1000)
        until(notebook, inside)
    notebook.set_window_size(1500, 1000)


def test_a_receipt_comes_from_the_kernel(notebook):
    turn = f"const slider = {EQ}[0].querySelector('input[type=range]'); slider.value = 1;"
    notebook.execute_script(f"{turn} slider.dispatchEvent(new Event('input', {{bubbles: true}}))")
    button = f"[...{EQ}[0].querySelectorAll('button')].find((one) => one.textContent.startsWith('Receipt')).click()"
    notebook.execute_script(button)
    until(notebook, f"{EQ}[0].querySelectorAll('.receipt tr').length > 3", True, 90)


def test_nothing_went_wrong_meanwhile(notebook):
    errors = "document.querySelectorAll('.eq .refusal:not([hidden]), [data-mime-type$=stderr]').length"
    assert notebook.execute_script(f"return {errors}") == 0
    said = [entry["message"] for entry in notebook.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [line for line in said if "anywidget" in line or "blob:" in line or "equalizer" in line]
