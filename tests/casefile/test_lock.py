"""A locked plan stays as it is: for every call, for other processes, after opening again, under foul play."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from surgiplan.casefile import CaseFile, plan_digest
from surgiplan.errors import CaseError, Locked, Usage

STEPS = ('{"name": "a"}', '{"name": "b"}')
RESULTS = {"a": "0" * 32, "b": "1" * 32}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hip.surgiplan"


@pytest.fixture
def case(path: Path) -> Iterator[CaseFile]:
    """Two revisions, one of them undone, so that undo and redo both have somewhere to go."""
    made = CaseFile.create(path)
    made.commit(STEPS, "two steps")
    made.commit(STEPS[:1], "one left")
    made.undo()
    yield made
    made.close()


CHANGES: dict[str, Callable[[CaseFile], object]] = {
    "commit": lambda case: case.commit(STEPS[:1], "changed"),
    "commit the same": lambda case: case.commit(STEPS, "again"),
    "undo": lambda case: case.undo(),
    "redo": lambda case: case.redo(),
    "fact": lambda case: case.put_fact("side", "L"),
    "lock": lambda case: case.put_lock("twice"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("approved", [False, True], ids=["locked", "approved"])
def test_every_change_of_the_plan_is_refused_also_after_opening_again(
    case: CaseFile, path: Path, change: str, approved: bool
) -> None:
    case.put_fact("side", "R")
    if approved:
        case.approve("A. Surgeon", RESULTS)
    else:
        case.put_lock("sent to the printer", "B. Engineer")
    for _ in range(2):
        before = case.head(), case.entries(), case.fact("side")
        with pytest.raises(Locked, match="Unlock the plan" if not approved else "voids the approval"):
            CHANGES[change](case)
        assert (case.head(), case.entries(), case.fact("side")) == before
        case.close()
        case = CaseFile.open(path)
    case.unlock("printer was wrong")
    case.commit(STEPS[:1], "changed")
    assert case.head().steps == STEPS[:1]
    assert case.check() == []
    case.close()


def test_undo_with_nothing_to_undo_is_refused_too(path: Path) -> None:
    case = CaseFile.create(path)
    case.put_lock("empty on purpose")
    for change in (case.undo, case.redo):
        with pytest.raises(Locked):
            change()
    case.close()


def test_what_does_not_change_the_plan_goes_on(case: CaseFile) -> None:
    case.put_lock("sent")
    case.put_evidence("key", {"seconds": 1})
    case.journal("export", file="a.stl")
    digest = case.put_blob(b"a mesh")
    assert case.evidence("key") == {"seconds": 1}
    assert case.blob(digest) == b"a mesh"
    assert case.entries()[-1].act == "export"


def test_a_lock_says_who_when_and_why(case: CaseFile) -> None:
    assert case.lock is None
    case.put_lock("  sent to the printer ", "B. Engineer")
    lock = case.lock
    assert lock is not None
    assert (lock.by, lock.why, lock.approved) == ("B. Engineer", "sent to the printer", False)
    line = case.entries()[-1]
    assert (line.act, line.when, line.digest) == ("lock", lock.when, lock.line)
    assert lock.words == (
        f"Locked by B. Engineer on {lock.when[:10]} {lock.when[11:16]} UTC: sent to the printer"
    )


def test_an_approval_says_what_was_approved(case: CaseFile) -> None:
    given = case.approve("A. Surgeon", RESULTS)
    assert given == case.lock
    assert given.approved
    assert given.plan == plan_digest(STEPS) != plan_digest(STEPS[::-1])
    assert given.results == RESULTS
    details = case.entries()[-1].details
    assert (case.entries()[-1].act, details["by"], details["revision"]) == (
        "approve",
        "A. Surgeon",
        case.head().id,
    )


def test_a_locked_plan_can_be_approved_and_unlocking_voids_that(case: CaseFile) -> None:
    case.put_lock("ready to be looked at")
    approval = case.approve("A. Surgeon", RESULTS)
    with pytest.raises(Locked, match=r"Approved by A\. Surgeon"):
        case.approve("Another", RESULTS)
    assert case.unlock("margin too small", "A. Surgeon") == approval
    assert case.lock is None
    line = case.entries()[-1]
    assert (line.act, line.details["why"], line.details["voids"]) == (
        "unlock",
        "margin too small",
        approval.line,
    )
    assert case.commit(STEPS, "same plan again")
    assert case.lock is None, "the same plan is not approved again by itself"


def test_reasons_and_names_are_asked_for(case: CaseFile) -> None:
    with pytest.raises(Usage, match="why the plan is locked"):
        case.put_lock("  ")
    with pytest.raises(Usage, match="who approves"):
        case.approve("", RESULTS)
    with pytest.raises(Usage, match="not locked"):
        case.unlock("no need")
    case.put_lock("sent")
    with pytest.raises(Usage, match="why the plan is unlocked"):
        case.unlock(" ")
    assert case.lock is not None


def test_a_reader_sees_the_lock_and_cannot_take_it_off(case: CaseFile, path: Path) -> None:
    reader = CaseFile.open(path, read_only=True)
    assert reader.lock is None
    case.put_lock("sent")
    assert reader.lock == case.lock
    with pytest.raises(CaseError, match="read-only"):
        reader.unlock("let me")
    reader.close()


OTHER = """
import pathlib, sys
from surgiplan.casefile import CaseFile
from surgiplan.errors import Locked
case = CaseFile.open(pathlib.Path(sys.argv[1]))
for change in (lambda: case.commit((), "gone"), case.undo, case.redo, lambda: case.put_fact("side", "L")):
    try:
        change()
        print("changed")
    except Locked as problem:
        print("locked")
"""


def test_a_lock_holds_against_another_process(case: CaseFile, path: Path) -> None:
    case.approve("A. Surgeon", RESULTS)
    case.close()
    told = subprocess.run([sys.executable, "-c", OTHER, path], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["locked"] * 4


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM name WHERE name = 'lock'",
        "UPDATE name SET digest = (SELECT digest FROM name WHERE name = 'tip') WHERE name = 'lock'",
    ],
)
def test_a_lock_that_was_taken_off_by_other_means_is_found(case: CaseFile, path: Path, harm: str) -> None:
    case.put_lock("sent")
    case.journal("export", file="a.stl")
    assert case.check() == []
    case.close()
    db = apsw.Connection(str(path))
    db.execute(harm)
    db.close()
    again = CaseFile.open(path)
    assert [fault for fault in again.check() if "the lock of the plan" in fault]
    again.close()


def test_another_plan_under_an_approval_is_found(case: CaseFile, path: Path) -> None:
    case.approve("A. Surgeon", RESULTS)
    case.close()
    db = apsw.Connection(str(path))
    db.execute(
        "UPDATE name SET digest = (SELECT digest FROM name WHERE name ="
        " 'after ' || (SELECT digest FROM name WHERE name = 'head')) WHERE name = 'head'"
    )
    db.close()
    again = CaseFile.open(path)
    assert [fault for fault in again.check() if "not the one that was approved" in fault]
    again.close()


KILLED = """
import os, pathlib, random, sys
from surgiplan.casefile import CaseFile
case = CaseFile.open(pathlib.Path(sys.argv[1]))
os.write(1, b"go\\n")
for n in range(1000):
    case.put_lock(f"turn {n}")
    os.write(1, b"locked\\n")
    case.unlock("next")
    os.write(1, b"unlocked\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_a_kill_while_locking_leaves_the_lock_as_it_was_last_told(case: CaseFile, path: Path) -> None:
    case.close()
    for seed in range(8):
        child = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        told = [child.stdout.readline().strip() for _ in range(random.Random(seed).randint(1, 12))]
        child.kill()
        told += child.stdout.read().split()
        child.stdout.close()
        child.wait()
        case = CaseFile.open(path)
        assert case.check() == []
        acts = [entry.act for entry in case.entries() if entry.act in ("lock", "unlock")]
        assert (case.lock is not None) == (acts[-1] == "lock")
        if case.lock is not None:
            case.unlock("next round")
        case.close()
