"""What tests do with a dashboard in a browser."""

from browsers import until

from interp.concepts.alignment import UNALIGNED


def open_feature(browser, feature):
    """As by a link, and with what is made when there is time."""
    browser.execute_script("location.hash = arguments[0]", feature)
    until(browser, "document.getElementById('feature').dataset.feature", str(feature))
    until(browser, "[...stale].filter(isLate).length", 0)


def scroll_to(browser, place, block="start"):
    """As a person does, by the wheel, to what an id names."""
    browser.execute_script(
        "document.body.dispatchEvent(new WheelEvent('wheel', { bubbles: true }));"
        "document.getElementById(arguments[0]).scrollIntoView({ block: arguments[1] })",
        place,
        block,
    )


def unfold(browser, fold="*"):
    """Open what is below the first screen: all of it, or one part."""
    script = "for (const fold of document.querySelectorAll(arguments[0])) fold.open = true"
    browser.execute_script(script, "#feature > details" if fold == "*" else f"#fold-{fold}")


def column(browser, place):
    """One column of the table's shown rows."""
    cells = "document.querySelectorAll(`#table tbody td:nth-child(${arguments[0]})`)"
    return browser.execute_script(f"return [...{cells}].map((cell) => cell.textContent)", place)


def type_search(browser, query):
    field = "document.getElementById('search')"
    browser.execute_script(f"{field}.value = arguments[0]; {field}.dispatchEvent(new Event('input'))", query)


def press(browser, key, where="document.body"):
    event = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true, cancelable: true}})"
    browser.execute_script(f"{where}.dispatchEvent({event})")


def shown_features(browser):
    return {int(number) for number in browser.execute_script("return state.order.map(String)")}


def aligned_features(study):
    """Those that correlate with a concept, and above chance on unseen items too."""
    features, passes = study.table("features"), study.table("feature_evidence")["passes"]
    return set(features.loc[(features["correlation"] >= UNALIGNED) & passes, "feature"])
