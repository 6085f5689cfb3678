import pandas as pd
import pytest

from recmodels.errors import InputError
from recmodels.seen_users import seen_users

USERS = pd.Series([1, 1, 2, 3, 3, 4])


def test_a_list_says_who_may_test(tmp_path):
    seen = seen_users([1, 4, 99], USERS)
    assert (seen.which, seen.users, seen.n_unknown) == ("some", {1, 4}, 1)
    assert seen.may_test(USERS).tolist() == [False, False, True, True, True, False]
    (tmp_path / "seen.txt").write_text("4\n1\n99\n")
    assert seen_users(tmp_path / "seen.txt", USERS) == seen_users(pd.Series([99, 4, 1]), USERS) == seen
    assert seen.key != seen_users([1], USERS).key


def test_all_or_none_let_everyone_test():
    for which in ("all", "none"):
        seen = seen_users(which, USERS)
        assert seen.which == which
        assert seen.may_test(USERS).all()
    assert seen_users([1, 2, 3, 4], USERS).which == "all"  # a list of everyone leaves nobody to test on


def test_users_that_the_data_lack_are_refused():
    with pytest.raises(InputError, match=r"none of the 2 seen users \(such as 'u7'\): write their ids .* such as 1,"):
        seen_users(["u7", "u8"], USERS)
    with pytest.raises(InputError, match="seen users are 5: give"):
        seen_users(5, USERS)
