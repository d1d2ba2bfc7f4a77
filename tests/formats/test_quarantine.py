"""Whatever happens in the child costs the host a sentence."""

import os
import pickle
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from surgiplan.errors import BadInput, Cancelled
from surgiplan.formats import quarantine
from surgiplan.formats.sharing import Ring, Shared
from surgiplan.progress import silent

from . import trials

NAME = "scan.dcm"


@pytest.fixture(autouse=True)
def _trials_are_allowed(monkeypatch) -> None:
    monkeypatch.setattr(quarantine, "ROOMS", ("surgiplan.formats.", trials.__name__))


def run(function, *arguments, **how):
    return quarantine.run(function, *arguments, **{"name": NAME, **how})


def test_it_gives_the_answer_and_tells_the_progress() -> None:
    told = []
    assert run(trials.counted, 3, report=lambda fraction, text: told.append((fraction, text))) == 3
    assert [text for _, text in told if text.startswith("step")] == ["step 0", "step 1", "step 2"]


def test_the_child_is_another_process_and_stays_warm() -> None:
    assert run(trials.process_number) == run(trials.process_number) != os.getpid()


@pytest.mark.parametrize("how", ["abort", "exit", "kill", "overflow"])
def test_its_death_is_bad_input_that_names_the_file_and_the_next_order_is_served(how) -> None:
    before = run(trials.process_number)
    with pytest.raises(BadInput, match=f"{NAME}: reading it ended the reading process"):
        run(trials.die, how)
    assert run(trials.process_number) not in (before, os.getpid())


def test_silence_is_ended_after_its_time() -> None:
    start = time.monotonic()
    with pytest.raises(quarantine.Lost, match=f"{NAME}: reading it was given up after 1 s") as caught:
        run(trials.hang, seconds=0.6)
    assert caught.value.hung
    assert time.monotonic() - start < 5
    assert run(trials.counted, 1) == 1


def test_work_that_reports_is_not_silent() -> None:
    assert run(trials.counted, 12, 0.1, seconds=0.8) == 12


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_memory_is_limited_and_the_child_lives_on() -> None:
    with pytest.raises(BadInput, match=f"{NAME}: reading it takes more memory"):
        run(trials.swell, 1 << 30, memory=256 << 20)
    assert run(trials.swell, 64 << 20, memory=256 << 20) == 64 << 20


def test_what_is_the_users_to_mend_comes_as_it_is_and_a_fault_as_a_fault() -> None:
    with pytest.raises(BadInput, match="this and that"):
        run(trials.refuse, "this and that")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run(trials.stumble)
    assert run(trials.counted, 1) == 1


def test_a_child_that_does_not_start_is_no_fault_of_the_file(monkeypatch) -> None:
    monkeypatch.setattr(quarantine, "_serve", int)  # ends before it is ready
    child = quarantine._Child()
    with pytest.raises(RuntimeError, match="does not start"):
        child.obey((trials.process_number, None, ()), silent, 1.0, 1 << 30, NAME, print)


def test_a_stop_is_heard_within_a_second_and_ends_the_child() -> None:
    before = run(trials.process_number)
    start = time.monotonic()

    def stop(fraction: float, text: str) -> None:
        if time.monotonic() - start > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(trials.hang, report=stop, seconds=60)
    assert time.monotonic() - start < 1.3
    assert run(trials.process_number) != before


def test_arrays_are_seen_by_both_sides() -> None:
    with Shared((3, 4), np.int16) as memory:
        memory.array[1] = 7
        assert run(trials.doubled, memory) == 28
        assert memory.array.tolist() == [[0] * 4, [14] * 4, [0] * 4]


def ring_of(count: int, empty, choose=None) -> Ring:
    """A ring whose pieces of work are the numbers up to a count, two at a time."""
    works = [pickle.dumps(list(range(n, min(n + 2, count)))) for n in range(0, count, 2)]
    return Ring(4, (2, 4), np.int32, works, choose or partial(next, iter(range(len(works))), None), empty)


def test_far_more_than_a_ring_holds_is_handed_over_by_several_threads() -> None:
    seen, done = {}, []

    def empty(number, squares, notes) -> None:
        done.append(number)
        seen.update({note: int(square[0]) for note, square in zip(notes, squares, strict=False)})

    with ring_of(501, empty) as ring:
        run(trials.squared, ring)
        assert sorted(done) == list(range(251))
        assert seen == {n: n * n for n in range(501)}
        assert run(trials.counted, 2) == 2, "nothing of the handing is left in the pipe"


def test_children_share_what_waits_and_one_that_is_slow_gets_less() -> None:
    both_ready()
    waiting, seen = iter(range(251)), ([], [])

    def slowly(number, squares, notes) -> None:
        time.sleep(0.02)
        seen[1].extend(notes)

    def read(child: int, empty) -> None:
        with ring_of(501, empty, partial(next, waiting, None)) as ring:
            run(trials.squared, ring, child=child)

    slow = Thread(target=read, args=(1, slowly))
    slow.start()
    read(0, lambda number, squares, notes: seen[0].extend(notes))
    slow.join()
    assert sorted([*seen[0], *seen[1]]) == list(range(501))
    assert 0 < len(seen[1]) < len(seen[0])


def test_what_fails_while_a_ring_is_filled_does_not_stop_the_others() -> None:
    seen = []
    with ring_of(501, lambda number, squares, notes: seen.extend(notes)) as ring:
        with pytest.raises(BadInput, match="no 100"):
            run(trials.squared, ring, 100)
        assert 100 not in seen
        assert run(trials.counted, 2) == 2


def test_one_bad_item_costs_the_others_nothing() -> None:
    items = [1, "abort", 2, "refuse", "swell", 3]
    names = [f"file {n}" for n in range(6)]
    told = []
    answers = quarantine.each(
        trials.judged, items, names=names, memory=512 << 20, report=lambda f, t: told.append(f)
    )
    assert [a for a in answers if not isinstance(a, BadInput)] == [10, 20, 30]
    assert "file 1: reading it ended" in str(answers[1])
    assert str(answers[3]) == "no"
    assert "memory" in str(answers[4]) or sys.platform != "linux"
    assert quarantine.each(trials.judged, [], names=[]) == []
    assert told == sorted(told)


def test_only_functions_of_this_room_are_run() -> None:
    with pytest.raises(ValueError, match="not of this room"):
        run(os.system, "true")


def test_orders_of_several_threads_come_one_after_the_other() -> None:
    found = []
    threads = [Thread(target=lambda n=n: found.append(run(trials.counted, n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1, 2, 3]


def test_the_children_end_with_the_host(tmp_path: Path) -> None:
    program = tmp_path / "host.py"
    program.write_text(
        "import os\n"
        "from surgiplan.formats import quarantine\n"
        "if __name__ == '__main__':\n"
        "    quarantine.warm(quarantine.__name__)\n"
        "    print(*[child._process.pid for child in quarantine._CHILDREN])\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=60)
    time.sleep(0.2)
    for number in done.stdout.split():
        with pytest.raises(OSError):
            os.kill(int(number), 0)


def test_children_that_wait_obey_side_by_side_and_one_that_works_is_not_ready() -> None:
    both_ready()
    first, second = (run(trials.process_number, child=n) for n in (0, 1))
    assert first != second
    thread = Thread(target=lambda: run(trials.counted, 8, 0.1, child=1))
    thread.start()
    time.sleep(0.2)
    assert quarantine.ready() == [0]
    assert run(trials.process_number) == first
    thread.join()
    with pytest.raises(BadInput):
        run(trials.die, "kill", child=1)
    assert run(trials.process_number) == first, "the death of one is nothing to the other"


def both_ready() -> None:
    quarantine.warm(quarantine.__name__)
    latest = time.monotonic() + 60
    while len(quarantine.ready()) < 2 and time.monotonic() < latest:
        time.sleep(0.05)
