import multiprocessing
import os
import pickle
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from surgiplan.errors import Cancelled, CaseError, NeedsHand, StepFailed
from surgiplan.plan import process
from surgiplan.plan.evaluate import Evaluator, run_step
from surgiplan.plan.operation import Operation, Ref, operation
from surgiplan.plan.plan import Plan, Step
from surgiplan.plan.store import Store
from surgiplan.plan.work import Work
from surgiplan.values import decode, encode
from tests.integers import RUNS, Apart, Divide, Given, Placed, Slow, Sum


@pytest.fixture
def evaluator() -> Iterator[Evaluator]:
    RUNS.clear()
    made = Evaluator(Store(), lambda digest: b"")
    yield made
    made.close()
    assert not [t for t in threading.enumerate() if t.name == "evaluator"]


@pytest.fixture
def plan() -> Plan:
    made = Plan().add("n", Given(value=7)).add("d", Divide(a=Ref("n")))
    return made.add("s", Sum(terms=(Ref("n"), Ref("d", "quotient"), Ref("d", "rest"))))


def value(evaluator: Evaluator, plan: Plan, name: str) -> object:
    return evaluator.store.peek(plan.keys()[name])


def test_a_plan_is_computed_from_top_to_bottom(evaluator: Evaluator, plan: Plan) -> None:
    evaluator.pursue(plan, ["s"]).result(10)
    assert value(evaluator, plan, "s") == 7 + 3 + 1
    assert value(evaluator, plan, "d") == {"quotient": 3, "rest": 1}


def test_only_what_is_needed_and_missing_runs(evaluator: Evaluator, plan: Plan) -> None:
    evaluator.pursue(plan, ["d"]).result(10)
    assert RUNS == ["divide"]
    evaluator.pursue(plan, ["s"]).result(10)
    assert RUNS == ["divide", "sum"]
    evaluator.pursue(plan.edit("s", terms=(Ref("n"),)), ["s"]).result(10)
    evaluator.pursue(plan, ["s"]).result(10)
    assert RUNS == ["divide", "sum", "sum"]


def test_a_failure_belongs_to_its_key_and_stops_what_is_below(evaluator: Evaluator, plan: Plan) -> None:
    broken = plan.edit("d", by=0)
    evaluator.pursue(broken, ["s"]).result(10)
    assert RUNS == ["divide"]
    assert str(evaluator.failures[broken.keys()["d"]]).startswith("d: there is no division by 0")
    assert broken.keys()["s"] not in evaluator.failures
    evaluator.pursue(plan, ["s"]).result(10)
    assert value(evaluator, plan, "s") == 11
    evaluator.forget_failures()
    evaluator.pursue(broken, ["d"]).result(10)
    assert RUNS.count("divide") == 3


def test_what_nobody_placed_needs_a_hand(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given()).add("p", Placed(a=Ref("n")))
    evaluator.pursue(plan, ["p"]).result(10)
    assert isinstance(evaluator.failures[plan.keys()["p"]], NeedsHand)


def test_progress_is_told(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=0.05))
    told: list[tuple[str, float, str]] = []
    evaluator.pursue(plan, ["slow"], watch=lambda *words: told.append(words)).result(10)
    fractions = [f for name, f, _ in told if name == "slow"]
    assert fractions == sorted(fractions)
    assert max(fractions) > 0.9


def test_a_stop_is_heard_within_a_second(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=30))
    future = evaluator.pursue(plan, ["slow"])
    time.sleep(0.1)
    started = time.perf_counter()
    evaluator.cancel()
    with pytest.raises(Cancelled):
        future.result(10)
    evaluator.pursue(Plan().add("m", Given(value=2)), ["m"]).result(10)
    assert time.perf_counter() - started < 1.0
    assert plan.keys()["slow"] not in evaluator.failures


def test_newer_work_replaces_older(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=30))
    older = evaluator.pursue(plan, ["slow"])
    time.sleep(0.1)
    evaluator.pursue(plan.edit("slow", seconds=0.01), ["slow"]).result(10)
    with pytest.raises(Cancelled, match="newer"):
        older.result(1)


def test_work_that_is_still_needed_goes_on(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=0.4))
    longer = plan.add("s", Sum(terms=(Ref("slow"),)))
    evaluator.pursue(plan, ["slow"])
    time.sleep(0.1)
    evaluator.pursue(longer, ["s"]).result(10)
    assert RUNS == ["slow", "sum"]


def test_many_goals_in_a_row_all_end(evaluator: Evaluator, plan: Plan) -> None:
    futures: list[Future[None]] = [evaluator.pursue(plan.edit("n", value=n), ["s"]) for n in range(200)]
    futures[-1].result(20)
    for future in futures:
        assert future.done()
    assert value(evaluator, plan.edit("n", value=199), "s") == 199 + 99 + 1


def test_a_child_process_answers_and_fails_like_the_house(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given(value=21)).add("a", Apart(a=Ref("n")))
    evaluator.pursue(plan, ["a"]).result(60)
    assert value(evaluator, plan, "a") == 42
    for how, kind, words in (
        ("fail", StepFailed, "a: it cannot be doubled"),
        ("die", StepFailed, "ended without an answer"),
        ("bug", RuntimeError, "ZeroDivisionError: a bug"),
    ):
        broken = plan.edit("a", how=how)
        evaluator.pursue(broken, ["a"]).result(60)
        problem = evaluator.failures[broken.keys()["a"]]
        assert type(problem) is kind
        assert words in str(problem)
    evaluator.pursue(plan.edit("n", value=4), ["a"]).result(60)
    assert value(evaluator, plan.edit("n", value=4), "a") == 8


def test_a_listener_that_fails_leaves_no_answer_for_the_next(evaluator: Evaluator) -> None:
    def fails(step: str, fraction: float, text: str) -> None:
        if fraction > 0:
            raise RuntimeError("the window is gone")

    plan = Plan().add("n", Given(value=21)).add("a", Apart(a=Ref("n")))
    evaluator.pursue(plan, ["a"], watch=fails).result(60)
    assert "the window is gone" in str(evaluator.failures[plan.keys()["a"]])
    other = plan.edit("n", value=4)
    evaluator.pursue(other, ["a"]).result(60)
    assert value(evaluator, other, "a") == 8


def test_a_child_process_that_hangs_is_stopped_within_a_second(evaluator: Evaluator) -> None:
    plan = Plan().add("n", Given(value=21)).add("a", Apart(a=Ref("n")))
    evaluator.pursue(plan, ["a"]).result(60)
    evaluator.pursue(plan.edit("a", how="hang"), ["a"])
    time.sleep(0.3)
    started = time.perf_counter()
    evaluator.cancel()
    evaluator.pursue(Plan().add("m", Given(value=3)), ["m"]).result(10)
    assert time.perf_counter() - started < 1.0
    evaluator.pursue(plan.edit("n", value=5), ["a"]).result(60)
    assert value(evaluator, plan.edit("n", value=5), "a") == 10


def test_a_bug_in_an_operation_is_kept_as_what_it_is(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Given, "run", lambda self, work: 1 // 0)
    plan = Plan().add("n", Given(value=1))
    evaluator.pursue(plan, ["n"]).result(10)
    assert isinstance(evaluator.failures[plan.keys()["n"]], ZeroDivisionError)


def test_results_come_back_from_disk(tmp_path: Path) -> None:
    RUNS.clear()
    plan = Plan().add("n", Given()).add("slow", Slow(a=Ref("n"), seconds=0.3))
    for _ in range(2):
        evaluator = Evaluator(Store(folder=tmp_path), lambda digest: b"")
        evaluator.pursue(plan, ["slow"]).result(10)
        assert value(evaluator, plan, "slow") == 1
        evaluator.close()
    assert RUNS == ["slow"]


def test_results_are_handed_on_with_their_seconds(evaluator: Evaluator, plan: Plan) -> None:
    kept: list[tuple[str, bool]] = []
    for _ in range(2):
        evaluator.pursue(plan, ["s"], keep=lambda s, k, v, t: kept.append((s.name, t > 0))).result(10)
    assert kept == [("n", True), ("d", True), ("s", True)] * 2


def test_a_step_runs_in_place_without_a_child() -> None:
    assert run_step(Step("a", Apart(a=Ref("n"))), {"a": 4}, Work()) == 8
    with pytest.raises(StepFailed, match=r"^a: it cannot"):
        run_step(Step("a", Apart(a=Ref("n"), how="fail")), {"a": 4}, Work())


def test_work_reports_within_bounds_and_hears_a_stop() -> None:
    told: list[float] = []
    work = Work(watch=lambda fraction, text: told.append(fraction))
    work.report(-1, "")
    work.report(7, "")
    assert told == [0.0, 1.0]
    work.stop.set()
    with pytest.raises(Cancelled):
        work.report(0.5, "")
    with pytest.raises(KeyError):
        Work().blob("x")


def test_a_value_is_looked_up_in_the_store_when_it_is_not_at_hand(evaluator: Evaluator) -> None:
    evaluator.store.put("k", {"quotient": 3, "rest": 1})
    assert evaluator.value_of(Ref("d", "rest"), "k", {}) == 1
    assert evaluator.value_of(Ref("d", "rest"), "k", {"d": {"rest": 5}}) == 5
    assert evaluator.value_of(Ref("d", "rest"), "no such key", {}) is None


def test_a_goal_replaced_at_its_very_end_stays_replaced(evaluator: Evaluator, plan: Plan) -> None:
    future = evaluator.pursue(plan, ["n"], keep=lambda *_: evaluator.cancel())
    with pytest.raises(Cancelled, match="stopped on request"):
        future.result(10)
    evaluator.pursue(plan, ["s"]).result(10)
    assert value(evaluator, plan, "s") == 11


def test_unset_references_are_given_as_none() -> None:
    @operation("perhaps")
    class Perhaps(Operation[int]):
        """Perhaps.

        a: what is given back
        """

        a: Ref[int] | None = None

        def run(self, work: Work, a: int | None) -> int:
            return -1 if a is None else a

    assert run_step(Step("p", Perhaps()), {}, Work()) == -1
    assert run_step(Step("p", Perhaps(a=Ref("n"))), {"a": 5}, Work()) == 5


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The life of the child, in a thread where it can be watched."""
    monkeypatch.delattr(os, "nice")  # a thread that is made slower stays slower
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=process._serve, args=(theirs,))
    thread.start()
    yield ours
    ours.close()
    thread.join(10)
    assert not thread.is_alive()


def asked(pipe: Connection, how: str) -> list[tuple[str, object]]:
    """What the child says when it is given 21 to double."""
    pipe.send_bytes(pickle.dumps(Apart(a=Ref("n"), how=how)))
    pipe.send_bytes(encode({"a": 21}))
    said: list[tuple[str, object]] = []
    while not said or said[-1][0] == "report":
        assert pipe.poll(10)
        said.append(pickle.loads(pipe.recv_bytes()))
    return said


def test_the_child_reports_and_answers(served: Connection) -> None:
    assert asked(served, "fine") == [("report", (0.3, "apart")), ("value", None)]
    assert decode(served.recv_bytes()) == 42


def test_the_child_says_what_went_wrong_and_lives_on(served: Connection) -> None:
    (_, refused) = asked(served, "fail")[-1]
    assert type(refused) is StepFailed
    assert str(refused) == "it cannot be doubled"
    (_, broken) = asked(served, "bug")[-1]
    assert type(broken) is RuntimeError
    assert str(broken) == "ZeroDivisionError: a bug"
    assert asked(served, "fine")[-1] == ("value", None)
    assert decode(served.recv_bytes()) == 42


def test_the_child_gives_way_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    nicer: list[int] = []
    monkeypatch.setattr(os, "nice", nicer.append)
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    process._serve(theirs)
    assert nicer == [5]


def test_a_child_is_started_ahead_once_and_ended() -> None:
    child = process.Child()
    child.warm()
    before = child._process.pid
    child.warm()
    assert child._process.pid == before
    assert child.run(Apart(a=Ref("n")), {"a": 4}, Work()) == 8
    assert child._process.pid == before
    child.close()
    assert child._process.pipe is None
    assert child.run(Apart(a=Ref("n")), {"a": 5}, Work()) == 10
    child.close()


def test_a_result_that_cannot_be_kept_does_not_end_the_work(evaluator: Evaluator, plan: Plan) -> None:
    """A full disk while the evidence is written."""

    def full(*_: object) -> None:
        raise CaseError("the disk is full")

    future = evaluator.pursue(plan, ["s"], keep=full)
    with pytest.raises(CaseError, match="the disk is full"):
        future.result(1)
    evaluator.pursue(plan, ["s"]).result(1)
    assert value(evaluator, plan, "s") == 11
