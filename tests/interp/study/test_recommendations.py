import numpy as np
import pandas as pd

from interp.study.recommendations import Recommendations

HOSTILE = "<script>alert(1)</script>\x1b[2J\nEvil\u202e " + "long " * 40


def lists(users, k, title="Alien (1979)"):
    """Lists of k items each."""
    n = users * k
    return Recommendations(
        {
            "user": np.repeat(np.arange(users) + 3, k),
            "rank": np.tile(np.arange(k) + 1, users),
            "item": [183 + row for row in range(n)],
            "score": [2.5 - row / 8 for row in range(n)],
            "title": [title] * n,
            "concepts": [["Horror", "Sci-Fi"] if row % 2 == 0 else [] for row in range(n)],
        }
    )


def test_a_list_per_user_by_hand():
    assert str(lists(2, 2)).splitlines() == [
        "user 3",
        "  1  Alien (1979)  Horror, Sci-Fi  2.500  183",
        "  2  Alien (1979)                  2.375  184",
        "user 4",
        "  1  Alien (1979)  Horror, Sci-Fi  2.250  185",
        "  2  Alien (1979)                  2.125  186",
    ]


def test_many_users_and_long_lists_are_cut():
    shown = repr(lists(97, 30)).splitlines()
    assert shown[-1] == "… and 92 more users"
    assert [line for line in shown if line.startswith("user")] == [f"user {user}" for user in range(3, 8)]
    assert shown.count("  … and 10 more items") == 5
    assert repr(lists(6, 1)).endswith("\n… and 1 more user")


def test_long_and_hostile_text_stays_on_its_line():
    table = lists(1, 3, HOSTILE).astype({"item": str, "user": object})
    wide = Recommendations(
        table.assign(item="isbn-" * 10, user=HOSTILE, concepts=[["a\x1b]0;" * 9] * 9] * 3, score=-1e5)
    )
    first, *places = repr(wide).splitlines()
    assert first.startswith("user <script>")
    assert len(places) == 3
    assert max(map(len, [first, *places])) == 100
    assert all(line.isprintable() for line in [first, *places])
    assert all("−100000.000" in line and "isbn-isbn-" in line and "<script>" in line for line in places)


def test_in_jupyter_titles_and_items_are_there_and_only_text():
    shown = lists(1, 2, HOSTILE)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<td>183</td>" in shown
    assert "<th>title</th>" in shown


def test_whatever_pandas_makes_of_it_is_plain():
    table = lists(2, 2)
    for made in (table.head(1), table[["rank", "title"]], table.copy(), table.sort_values("score"), table.assign(x=1)):
        assert type(made) is pd.DataFrame
    # What was changed in place, or is empty, shows itself as pandas would show it.
    table["mine"] = 1
    assert "mine" in repr(table)
    assert "user 3" not in repr(table)
    assert repr(lists(0, 2)).startswith("Empty DataFrame")
