import os
import signal
import time

import pytest

from recmodels import ranks
from recmodels.errors import InputError


@pytest.mark.parametrize("size", [2, 4])
def test_each_task_is_done_once_and_the_slow_rank_does_fewer(launch, size):
    def work(rank):
        mine = []
        for task in ranks.share("abcdefghijkl"):
            assert ranks.count() == 1  # a task is one rank's own
            mine.append(task)
            time.sleep(0.4 if rank == 0 else 0.02)
        assert ranks.count() == size
        assert ranks.gather(rank) == list(range(size))
        return mine

    answers = launch(work, size)
    assert sorted(task for answer in answers for task in answer) == list("abcdefghijkl")
    assert len(answers[0]) <= 3


def test_a_task_waits_for_those_that_it_needs(launch):
    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}

    def work(rank):
        mine = []
        for task in ranks.share_in_order(needs):
            start = time.monotonic()
            time.sleep(0.1)
            mine.append([task, start, time.monotonic()])
        return mine

    times = {task: (start, end) for answer in launch(work, 2) for task, start, end in answer}
    assert sorted(times) == sorted(needs)
    assert all(times[need][1] <= times[task][0] for task, others in needs.items() for need in others)
    assert list(ranks.share_in_order(needs)) == list(needs)


def test_a_killed_rank_is_an_error_of_one_line_on_the_others(launch):
    def work(rank):
        if rank == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        ranks.barrier()

    answers = launch(work, 3, silence="2")
    assert answers[2] == -signal.SIGKILL
    # The first that sees it says so, and the other ends because of the first.
    assert {answer.split(":")[0] for answer in answers[:2]} <= {"InputError", "OtherRankError"}
    assert all("rank 2 gave no sign of life for 2 seconds: give the same command again" in a for a in answers[:2])


def test_the_end_of_the_rank_that_holds_the_store_is_an_error_of_one_line(launch):
    def work(rank):
        if rank == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        ranks.barrier()

    says = (
        "InputError: the process that keeps the ranks' counters has ended, or cannot be reached: give the same command"
    )
    first, *others = launch(work, 3)
    assert first == -signal.SIGKILL
    assert all(answer.startswith(says) for answer in others)


def test_an_error_of_a_rank_ends_the_others_and_is_said_once(launch):
    def work(rank):
        if rank:
            raise InputError("the file is damaged: delete it")
        ranks.barrier()

    first, second = launch(work, 2)
    assert second == "InputError: the file is damaged: delete it"
    assert first == "OtherRankError: rank 1 has ended: the file is damaged: delete it"


def test_a_rank_that_is_asked_to_stop_says_so(launch):
    def work(rank):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    assert any("give the same command again" in answer for answer in launch(work, 2))


def test_ranks_with_other_data_are_refused(launch):
    answers = launch(lambda rank: ranks.agree("read other data", "x" * (rank + 1)), 2)
    assert any("rank 1 has read other data than rank 0" in answer for answer in answers)


def test_a_file_that_does_not_come_is_of_another_disk(tmp_path):
    with pytest.raises(InputError, match="is not here: give all machines the same --out on a shared disk"):
        ranks.see(tmp_path / "no", seconds=0.05)


def test_without_torchrun_there_is_one_rank():
    with ranks.joined():
        assert (ranks.count(), ranks.is_first(), ranks.prints()) == (1, True, True)
        assert list(ranks.share([3, 4])) == [3, 4]
        assert ranks.gather("x") == ["x"]
        ranks.barrier()
