"""Approving freezes what was looked at; what is exported later is held against it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from surgiplan.acts import intake, outlet
from surgiplan.acts.approval import approval_words, approve, approved_shape, as_approved, outputs_of
from surgiplan.acts.report import Report, page
from surgiplan.casefile import CaseFile, plan_digest
from surgiplan.errors import Locked, NeedsHand, StepFailed
from surgiplan.formats.meshes import read_mesh
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.values import Measurement, Pose, digest
from tests.ops.shapes import ball

BALL, LENGTH = ball(), Measurement(12.0, "mm", "a length")
VALUES = (("bone", BALL), ("cut", {"a": BALL, "length": LENGTH}))
MOVED = replace(BALL, pose=Pose.of_shift((0.001, 0, 0)))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[CaseFile]:
    made = CaseFile.create(tmp_path / "c.surgiplan")
    made.commit(['{"name": "bone"}', '{"name": "cut"}'], "both")
    yield made
    made.close()


def test_shapes_are_frozen_and_all_results_have_a_digest(case: CaseFile) -> None:
    lock = approve(case, VALUES, "A. Surgeon")
    assert lock.results == {"bone": digest(BALL), "cut.a": digest(BALL), "cut.length": digest(LENGTH)}
    assert lock.plan == plan_digest(case.head().steps)
    for name in ("bone", "cut.a"):
        frozen = approved_shape(case, name)
        assert frozen is not None
        assert digest(frozen) == digest(BALL)
    assert approved_shape(case, "cut.length") is None
    assert approved_shape(case, "nothing") is None


def test_a_result_is_as_approved_only_when_every_bit_is(case: CaseFile) -> None:
    assert as_approved(case, "bone", BALL) is None
    approve(case, VALUES, "A. Surgeon")
    assert as_approved(case, "bone", BALL) is True
    assert as_approved(case, "bone", MOVED) is False
    assert as_approved(case, "unknown", BALL) is False


def test_a_plan_without_all_results_is_not_approved(case: CaseFile) -> None:
    def values() -> Iterator[tuple[str, object]]:
        yield "bone", BALL
        raise NeedsHand("cut: plane is not placed yet")

    with pytest.raises(NeedsHand):
        approve(case, values(), "A. Surgeon")
    assert case.lock is None


def test_a_plan_that_changes_meanwhile_is_not_approved(case: CaseFile) -> None:
    def values() -> Iterator[tuple[str, object]]:
        yield "bone", BALL
        case.commit(['{"name": "bone"}'], "changed by a hand")

    with pytest.raises(StepFailed, match="changed while"):
        approve(case, values(), "A. Surgeon")
    assert case.lock is None


def test_nothing_is_computed_for_a_second_approval(case: CaseFile) -> None:
    approve(case, VALUES, "A. Surgeon")
    with pytest.raises(Locked, match=r"Approved by A\. Surgeon"):
        approve(case, iter(lambda: pytest.fail("computed"), None), "Another")


def test_an_export_says_whether_it_was_approved_and_not_by_whom(case: CaseFile, tmp_path: Path) -> None:
    def notes(file: str) -> str:
        outlet.export(case, "bone", "key", BALL, tmp_path / file)
        return str(json.loads((tmp_path / file).read_text())["notes"]["approval"])

    assert notes("a.json") == "not approved"
    case.put_lock("looked at tomorrow", "B. Engineer")
    assert notes("b.json") == "not approved"
    case.unlock("now")
    lock = approve(case, VALUES, "A. Surgeon")
    assert notes("c.json") == f"approved on {lock.when[:10]}; plan {lock.plan}"
    assert case.entries()[-1].details["approval"] == f"approved on {lock.when[:10]}; plan {lock.plan}"
    outlet.export(case, "bone", "key", BALL, tmp_path / "bone.ply")
    assert f"plan {lock.plan}".encode() in (tmp_path / "bone.ply").read_bytes()
    assert b"Surgeon" not in (tmp_path / "bone.ply").read_bytes()
    assert read_mesh(tmp_path / "bone.ply")[0].watertight


def test_a_result_that_is_not_the_approved_one_does_not_leave(case: CaseFile, tmp_path: Path) -> None:
    approve(case, VALUES, "A. Surgeon")
    with pytest.raises(StepFailed, match="not the result that was approved"):
        outlet.export(case, "bone", "key", MOVED, tmp_path / "bone.stl")
    assert not (tmp_path / "bone.stl").exists()


def test_the_report_says_who_approved(case: CaseFile) -> None:
    report = Report("Cut", Plan(), ())
    assert "Not approved" in page(report, case)
    lock = approve(case, VALUES, "A. <Surgeon>")
    text = page(report, case)
    assert "Approved by A. &lt;Surgeon&gt;" in text
    assert lock.plan in text
    assert approval_words(case).startswith("Approved by A. <Surgeon>")


def test_nothing_is_imported_into_a_locked_case(case: CaseFile) -> None:
    case.put_lock("sent")
    blobs = case.blobs()
    with pytest.raises(Locked):
        intake.keep(case, OPERATIONS, Plan(), intake.Loaded(BALL, {}, {}, ()))
    assert case.blobs() == blobs


def test_outputs_are_named_like_references() -> None:
    assert outputs_of("bone", BALL) == {"bone": BALL}
    assert list(outputs_of("cut", {"a": BALL, "b": BALL})) == ["cut.a", "cut.b"]
