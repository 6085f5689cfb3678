"""The form in which people name a feature, vote and comment: in a real browser, and from its file into the study."""

import json
import shutil
import time

import pytest
from browsers import AXE, RUN, open_page, requests, text, until

import interp
from interp.pages.dashboard import write_dashboard
from interp.study.notes_file import read_notes

HOSTILE = "<img src=x onerror=alert(1)>"
CHIPS = "[...document.querySelectorAll('#feature-title .given')].map((chip) => chip.textContent)"
SAID = "[...document.querySelectorAll('#said li')].map((row) => row.textContent)"
VOTES = "['up', 'down'].map((way) => [byId(`vote-${way}`).textContent.trim(), byId(`vote-${way}`).ariaPressed])"


@pytest.fixture(scope="module")
def own(study, tmp_path_factory):
    """A study that may be written to."""
    return interp.open(shutil.copytree(study.folder, tmp_path_factory.mktemp("noted") / "study"))


@pytest.fixture(scope="module")
def path(own):
    return write_dashboard(own)


@pytest.fixture
def browser(chromium, path):
    """The form of the first feature, in a browser that keeps nothing yet."""
    chromium.get("about:blank")
    open_page(chromium, path.as_uri())
    chromium.execute_script("localStorage.clear()")
    reopen(chromium, path)
    yield chromium
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
    assert requests(chromium) == []


def reopen(browser, path):
    """The page as a person sees it who comes back, with the form open."""
    browser.get("about:blank")
    open_page(browser, path.as_uri())
    browser.execute_script("byId('fold-notes').open = true")


def fill(browser, **texts):
    """Type into the form as a person does; an empty text leaves a field as it is."""
    for name, content in texts.items():
        browser.find_element("id", f"note-{name}").clear()
        browser.find_element("id", f"note-{name}").send_keys(content)


def click(browser, selector):
    browser.execute_script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
    browser.find_element("css selector", selector).click()


def test_a_name_is_shown_beside_the_measured_one_and_survives_a_reload(browser, path):
    feature = browser.execute_script("return state.feature")
    measured = text(browser, "#feature-title .chip")
    assert text(browser, "#said") == "Nobody said anything yet."
    fill(browser, by="Anna", name=HOSTILE, comment="Also lit by <b>Alien</b>.")
    click(browser, "#note-form [type=submit]")
    until(browser, CHIPS, [f"“{HOSTILE}”"])
    assert text(browser, "#feature-title .chip") == measured
    said = browser.execute_script(f"return {SAID}")
    assert said[0] == f"“{HOSTILE}” by Anna"
    assert said[1].startswith("Anna 20")
    assert said[1].endswith("Also lit by <b>Alien</b>.")
    assert browser.execute_script("return document.querySelectorAll('#said img, #said p b').length") == 0
    fields = "['by', 'name', 'comment'].map((name) => byId(`note-${name}`).value)"
    assert browser.execute_script(f"return {fields}") == ["Anna", "", ""]
    assert "2 written here are not in the study yet" in text(browser, "#notes-state")
    reopen(browser, path)
    assert browser.execute_script("return state.feature") == feature
    until(browser, CHIPS, [f"“{HOSTILE}”"])
    table = f"[...document.querySelectorAll('#table .given')].some((chip) => chip.textContent === '“{HOSTILE}”')"
    assert browser.execute_script(f"return {table}")


def test_a_form_that_nobody_signed_keeps_its_text_and_takes_it_once_signed(browser):
    click(browser, "#vote-up")
    valid = "byId('note-by').validity.valid"
    assert not browser.execute_script(f"return {valid}")
    fill(browser, by=" ", comment="Kept.")
    click(browser, "#note-form [type=submit]")
    assert browser.execute_script("return byId('note-comment').value") == "Kept."
    fill(browser, by="Anna")
    assert browser.execute_script(f"return {valid}")
    click(browser, "#note-form [type=submit]")
    until(browser, "own.map(({ by, kind, text }) => [by, kind, text])", [["Anna", "comment", "Kept."]])


def test_the_later_name_of_a_person_stands_and_other_features_have_none(browser):
    for name in ("Horror", "Gore"):
        fill(browser, by="Anna", name=name)
        click(browser, "#note-form [type=submit]")
    until(browser, CHIPS, ["“Gore”"])
    fill(browser, by="Ben", name="Slasher")
    click(browser, "#note-form [type=submit]")
    until(browser, CHIPS, ["“Slasher”"])
    assert browser.execute_script(f"return {SAID}") == ["“Slasher” by Ben", "“Gore” by Anna"]
    browser.execute_script("location.hash = state.order[1]")
    until(browser, "document.getElementById('feature').dataset.feature === String(state.order[1])")
    assert browser.execute_script(f"return {CHIPS}") == []
    assert text(browser, "#said") == "Nobody said anything yet."


def test_a_vote_counts_once_for_each_person_and_is_taken_back(browser):
    click(browser, "#vote-up")  # nobody says who votes
    assert browser.execute_script(f"return {VOTES}") == [["▲ 0", "false"], ["▼ 0", "false"]]
    assert browser.execute_script("return byId('note-by').validity.customError")
    fill(browser, by="Anna")
    click(browser, "#vote-up")
    until(browser, VOTES, [["▲ 1", "true"], ["▼ 0", "false"]])
    click(browser, "#vote-down")
    until(browser, VOTES, [["▲ 0", "false"], ["▼ 1", "true"]])
    fill(browser, by="Ben")
    until(browser, VOTES, [["▲ 0", "false"], ["▼ 1", "false"]])  # not his
    click(browser, "#vote-down")
    until(browser, VOTES, [["▲ 0", "false"], ["▼ 2", "true"]])
    click(browser, "#vote-down")
    until(browser, VOTES, [["▲ 0", "false"], ["▼ 1", "false"]])
    assert text(browser, "#notes-export") == "Export 4 new notes"


def test_what_is_exported_is_merged_and_shown_to_everyone(browser, own, tmp_path):
    feature = browser.execute_script("return state.feature")
    assert not browser.find_element("id", "notes-export").is_enabled()
    fill(browser, by="Anna", name="Space horror", comment="Twice.")
    click(browser, "#note-form [type=submit]")
    click(browser, "#vote-up")
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    click(browser, "#notes-export")
    path = tmp_path / f"notes-{own.sae.fingerprint[:8]}.json"
    end = time.monotonic() + 20
    while not path.is_file():
        assert time.monotonic() < end, list(tmp_path.iterdir())
        time.sleep(0.05)
    notes = read_notes(path, own.sae.fingerprint, len(own.features))
    expected = {("name", "Space horror"), ("comment", "Twice."), ("vote", "up")}
    assert {(note.kind, note.text) for note in notes} == expected
    assert {(note.feature, note.by) for note in notes} == {(feature, "Anna")}
    assert json.loads(path.read_text(encoding="utf-8"))["kind"] == "interp notes"
    assert own.remarks.merge(path).added == 3
    again = write_dashboard(interp.open(own.folder))
    reopen(browser, again)
    assert not browser.find_element("id", "notes-export").is_enabled()  # the study has them all
    browser.execute_script("localStorage.clear()")
    reopen(browser, again)  # as anyone else
    until(browser, CHIPS, ["“Space horror”"])
    assert browser.execute_script(f"return {VOTES}") == [["▲ 1", "false"], ["▼ 0", "false"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anyone_from_the_form(browser, scheme):
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm install --no-package-lock at the root of the repository")
    setting = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", setting)
    fill(browser, by="Ben", name="Slasher", comment="All of them.")
    click(browser, "#note-form [type=submit]")
    click(browser, "#vote-up")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(RUN.replace("document", "document.getElementById('feature')", 1))
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:4]]) for one in found] == []
