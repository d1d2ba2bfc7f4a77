"""The session, tested with whole numbers alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgiplan.casefile import CaseFile
from surgiplan.errors import CaseError, Locked, NeedsHand, StepFailed, Usage
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.session import Failed, Ready, Session, Stale, Waiting
from surgiplan.values import Plane
from tests.integers import INTEGERS, Divide, Given, Placed, Slow, Sum

CHAIN = (
    Plan()
    .add("n", Given(value=7))
    .add("d", Divide(a=Ref("n")))
    .add("s", Sum(terms=(Ref("d", "quotient"), Ref("d", "rest"))))
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.surgiplan"


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    made = Session(CaseFile.create(path), INTEGERS)
    yield made
    made.close()


def status(session: Session) -> dict[str, str]:
    return {name: result.status for name, result in session.results().items()}


def test_nothing_is_computed_before_it_is_asked_for(session: Session) -> None:
    session.commit(CHAIN, "all")
    assert status(session) == {"n": "ready", "d": "waiting", "s": "waiting"}
    session.pursue().result(10)
    assert status(session) == {"n": "ready", "d": "ready", "s": "ready"}
    assert session.value("s") == 4
    assert session.value("d.quotient") == 3


def test_an_edit_makes_what_lies_below_stale_and_nothing_else(session: Session) -> None:
    session.commit(CHAIN, "all")
    session.pursue().result(10)
    session.results()
    session.commit(session.plan.edit("d", by=3), "edit")
    results = session.results()
    assert isinstance(results["n"], Ready)
    assert results["d"] == Stale({"quotient": 3, "rest": 1})
    assert results["s"] == Stale(4)
    session.pursue().result(10)
    assert session.results()["s"] == Ready(2 + 1)


def test_undo_is_the_old_plan_and_its_results_are_still_there(session: Session) -> None:
    session.commit(CHAIN, "all")
    session.pursue().result(10)
    session.commit(session.plan.edit("n", value=9), "nine")
    session.pursue().result(10)
    assert session.value("s") == 5
    assert session.undo()
    assert session.plan == CHAIN
    assert session.results()["s"] == Ready(4)
    assert session.redo()
    assert session.results()["s"] == Ready(5)
    assert not session.redo()
    assert session.undo()
    assert session.undo()
    assert session.plan == Plan()
    assert not session.undo()


def test_history_outlives_the_program(path: Path) -> None:
    first = Session(CaseFile.create(path), INTEGERS)
    first.commit(CHAIN, "all")
    first.commit(CHAIN.edit("n", value=9), "nine")
    first.undo()
    first.close()
    second = Session(CaseFile.open(path), INTEGERS)
    assert second.plan == CHAIN
    assert second.redo()
    assert second.plan["n"].operation == Given(value=9)
    second.close()


def test_a_draft_is_seen_and_not_kept(session: Session) -> None:
    session.commit(CHAIN, "all")
    session.draft(CHAIN.edit("n", value=100))
    assert session.results()["n"] == Ready(100)
    assert session.committed == CHAIN
    assert session.case.head().steps == tuple(s.text for s in CHAIN.steps)
    session.draft(None)
    assert session.results()["n"] == Ready(7)


def test_releasing_a_drag_is_one_step_back(session: Session) -> None:
    session.commit(CHAIN, "all")
    for n in range(50):
        session.draft(CHAIN.edit("n", value=n))
        session.results()
    session.commit(session.plan, "drag")
    assert session.undo()
    assert session.plan == CHAIN


def test_committing_what_is_there_already_is_no_change(session: Session) -> None:
    session.commit(CHAIN, "all")
    session.commit(CHAIN, "again")
    assert session.undo()
    assert session.plan == Plan()


def test_a_failure_is_shown_at_its_step_and_below(session: Session) -> None:
    session.commit(CHAIN.edit("d", by=0), "broken")
    session.pursue().result(10)
    results = session.results()
    assert isinstance(results["n"], Ready)
    assert isinstance(results["d"], Failed)
    assert results["s"] == results["d"]
    with pytest.raises(StepFailed, match="d: there is no division by 0"):
        session.value("s")
    session.retry()
    assert status(session)["d"] == "waiting"


def test_what_waits_for_a_hand_says_so_at_each_step_below(session: Session) -> None:
    plan = Plan().add("n", Given()).add("p", Placed(a=Ref("n"))).add("s", Sum(terms=(Ref("p"),)))
    session.commit(plan, "unplaced")
    session.pursue().result(10)
    results = session.results()
    assert isinstance(results["p"], Waiting)
    assert isinstance(results["p"].error, NeedsHand)
    assert results["s"] == results["p"]
    with pytest.raises(NeedsHand, match="p: plane is not placed yet"):
        session.value("s")
    session.commit(plan.edit("p", plane=Plane((0, 0, 0), (0, 0, 1))), "placed")
    assert session.value("s") == 1


def test_results_never_wait(session: Session) -> None:
    session.commit(Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=5)), "slow")
    session.pursue()
    started = time.perf_counter()
    assert status(session) == {"n": "ready", "slow": "waiting"}
    assert time.perf_counter() - started < 0.5
    session.cancel()


def test_values_are_asked_for_by_step_and_output(session: Session) -> None:
    session.commit(CHAIN, "all")
    with pytest.raises(Usage, match=r"d: that step gives d\.quotient or d\.rest"):
        session.value("d")
    with pytest.raises(Usage, match="there is no step 'x'"):
        session.value("x")


def test_evidence_is_kept_of_committed_steps_alone(session: Session) -> None:
    session.draft(CHAIN.edit("n", value=50))
    session.pursue().result(10)
    assert session.case.evidence(session.plan.keys()["s"]) is None
    session.commit(CHAIN, "all")
    session.pursue().result(10)
    found = session.case.evidence(CHAIN.keys()["s"])
    assert isinstance(found, dict)
    assert found["fingerprint"]["value"] == 4
    assert "numpy" in found["libraries"]


def test_many_outputs_and_here_steps_join(session: Session) -> None:
    session.commit(CHAIN.add("t", Sum(terms=(Ref("n"), Ref("s")))), "more")
    assert session.value("t") == 11
    assert set(session.results(["d"])) == {"n", "d"}


def test_a_bug_in_a_quick_step_is_shown_there(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.commit(CHAIN, "all")
    monkeypatch.setattr(Given, "run", lambda self, work: 1 // 0)
    assert isinstance(session.results()["n"], Failed)
    with pytest.raises(ZeroDivisionError):
        session.value("n")


def test_a_read_only_case_can_be_looked_at(path: Path) -> None:
    first = Session(CaseFile.create(path), INTEGERS)
    first.commit(CHAIN, "all")
    first.close()
    second = Session(CaseFile.open(path, read_only=True), INTEGERS)
    assert second.value("s") == 4
    with pytest.raises(CaseError):
        second.commit(CHAIN.edit("n", value=1), "no")
    assert second.plan == CHAIN
    second.close()


def test_placed_by_a_quick_step_needs_a_hand_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def unplaced(self: Given, step: str) -> None:
        raise NeedsHand(f"{step}: nothing placed")

    monkeypatch.setattr(Given, "require_placed", unplaced)
    session.commit(Plan().add("n", Given()), "n")
    assert isinstance(session.results()["n"], Waiting)


@pytest.mark.parametrize("approved", [False, True], ids=["locked", "approved"])
def test_a_locked_plan_refuses_every_way_to_change_it(session: Session, path: Path, approved: bool) -> None:
    session.commit(CHAIN, "all")
    session.commit(CHAIN.edit("n", value=9), "nine")
    session.undo()
    if approved:
        session.case.approve("A. Surgeon", {})
    else:
        session.case.put_lock("sent")
    other = CHAIN.edit("n", value=8)
    ways = (
        lambda: session.draft(other),
        lambda: session.commit(other, "eight"),
        session.undo,
        session.redo,
    )
    for way in ways:
        with pytest.raises(Locked):
            way()
        assert session.plan == session.committed == CHAIN
    session.draft(None)
    session.pursue().result(10)
    assert session.value("s") == 4, "a locked plan is still computed"
    session.case.unlock("go on")
    session.draft(other)
    session.commit(other, "eight")
    assert session.undo()
    assert session.plan == CHAIN


def test_a_draft_that_was_begun_before_the_lock_is_not_kept(session: Session) -> None:
    session.commit(CHAIN, "all")
    session.draft(CHAIN.edit("n", value=8))
    session.case.put_lock("sent")
    with pytest.raises(Locked):
        session.commit(session.plan, "eight")
    session.draft(None)
    assert session.plan == CHAIN


def test_the_values_of_all_steps_are_given_in_their_order(session: Session) -> None:
    session.commit(CHAIN, "all")
    assert list(session.values()) == [("n", 7), ("d", {"quotient": 3, "rest": 1}), ("s", 4)]
    session.commit(session.plan.edit("d", by=0), "by zero")
    with pytest.raises(StepFailed):
        list(session.values())
