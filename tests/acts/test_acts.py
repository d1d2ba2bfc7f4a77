"""Import, export and report: what they write, what they refuse, what they leave in the journal."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from surgiplan.acts import intake, outlet
from surgiplan.acts.report import Report, page, write_report
from surgiplan.casefile import CaseFile
from surgiplan.errors import BadInput, CaseError, Usage
from surgiplan.formats import dicom
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.values import Finding, Part, Volume, digest
from tests.ops.shapes import ball, ball_mask, ball_scan, scan_of


@pytest.fixture
def case(tmp_path: Path) -> Iterator[CaseFile]:
    made = CaseFile.create(tmp_path / "c.surgiplan")
    yield made
    made.close()


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Müller 患者")
    write_series(ball_scan(), folder, name="Canary^Carla", patient_id="CANARY-7")
    return folder


def test_a_series_becomes_a_source_step_with_its_identity_beside(case: CaseFile, series: Path) -> None:
    loaded = intake.load(series)
    plan = intake.keep(case, OPERATIONS, Plan(), loaded, side="L")
    (step,) = plan.steps
    value = step.operation.run(Work(case.blob))
    assert isinstance(value, Volume)
    assert digest(value) == digest(loaded.value)
    assert (value.voxels == ball_scan().voxels).all()
    assert case.fact("side") == "L"
    assert case.fact("patient")["patient_id"] == "CANARY-7"
    assert case.entries()[-1].act == "import"
    assert "Canary" not in step.text
    assert "anary" not in json.dumps([dict(e.details) for e in case.entries()])


def test_source_files_are_left_as_they_were(case: CaseFile, series: Path) -> None:
    before = {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in series.iterdir()}
    intake.keep(case, OPERATIONS, Plan(), intake.load(series))
    assert {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in series.iterdir()} == before


def test_another_patient_is_refused(case: CaseFile, series: Path, tmp_path: Path) -> None:
    plan = intake.keep(case, OPERATIONS, Plan(), intake.load(series))
    write_series(scan_of(((-40.0, 39.0, 157.0), 6.0)), tmp_path / "other", name="Other^One", patient_id="8")
    blobs = case.blobs()
    with pytest.raises(BadInput, match="another patient") as told:
        intake.keep(case, OPERATIONS, plan, intake.load(tmp_path / "other"))
    assert "Other" not in str(told.value)
    assert case.blobs() == blobs


def test_steps_get_free_names(case: CaseFile, series: Path) -> None:
    loaded = intake.load(series)
    plan = intake.keep(case, OPERATIONS, Plan(), loaded)
    assert list(intake.keep(case, OPERATIONS, plan, loaded).names) == ["ct", "ct2"]
    assert list(intake.keep(case, OPERATIONS, plan, loaded, name="pre_op").names) == ["ct", "pre_op"]


@pytest.mark.parametrize("suffix", ["stl", "ply", "obj"])
def test_a_mesh_file_becomes_a_part(case: CaseFile, tmp_path: Path, suffix: str) -> None:
    write_mesh(ball(), tmp_path / f"b.{suffix}")
    plan = intake.keep(case, OPERATIONS, Plan(), intake.load(tmp_path / f"b.{suffix}"))
    value = plan["shape"].operation.run(Work(case.blob))
    assert isinstance(value, Part)
    assert value.mesh.watertight
    assert value.mesh.volume_mm3 == pytest.approx(ball().mesh.volume_mm3, rel=1e-5)
    assert case.fact("patient") is None


def test_the_series_is_chosen_by_its_uid_or_is_the_largest(series: Path, tmp_path: Path) -> None:
    write_series(scan_of(((-40.0, 39.0, 157.0), 6.0)), tmp_path / "s" / "small", seed_uid="x")
    found = dicom.scan(tmp_path / "s")
    uid = found.series[0].uid
    assert intake.choose(found, uid).uid == uid
    assert intake.choose(found, uid[:20]).uid == uid
    assert intake.choose(found).uid == uid
    with pytest.raises(BadInput, match=r"no series 9\.9"):
        intake.choose(found, "9.9")


def test_nothing_usable_is_told_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput, match="no DICOM series was found"):
        intake.load(tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        intake.load(tmp_path / "nowhere")


def test_a_missing_slice_is_accepted_by_word_and_the_journal_says_so(case: CaseFile, tmp_path: Path) -> None:
    files = write_series(ball_scan(), tmp_path, name="Canary^Carla")
    for number in (10, 11):
        files[number].rename(tmp_path / f"Canary{number}")  # a careless archive names files after people
    files[12].unlink()
    with pytest.raises(BadInput, match=r"1 slice is missing .* \(or accept what is wrong with it: missing\)"):
        intake.load(tmp_path)
    with pytest.raises(BadInput, match="1 slice is missing"):
        intake.load(tmp_path, accept=["duplicates"])
    uid = dicom.scan(tmp_path).series[0].uid
    for loaded in (intake.load(tmp_path, accept=["missing"]), intake.load(tmp_path, uid, accept=["missing"])):
        assert isinstance(loaded.value, Volume)
        assert loaded.value.grid.same_as(ball_scan().grid)
    intake.keep(case, OPERATIONS, Plan(), loaded)
    entry = case.entries()[-1]
    assert entry.act == "import"
    assert list(entry.details["accepted"]) == ["missing"]
    assert entry.details["accepted"]["missing"].startswith("1 slice is missing between ")
    assert "anary" not in json.dumps(dict(entry.details))
    assert any("made up" in warning for warning in case.fact(f"source:{entry.details['digest']}")["warnings"])


def test_a_scan_that_was_resampled_or_is_doubtful_carries_the_notice(case: CaseFile, tmp_path: Path) -> None:
    scan = ball_scan()
    lifted = Volume(scan.grid, scan.voxels + np.int16(1500))
    files = write_series(lifted, tmp_path)
    dataset = pydicom.dcmread(files[5])
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y, z + 0.3]
    dataset.save_as(files[5])
    loaded = intake.load(tmp_path)
    intake.keep(case, OPERATIONS, Plan(), loaded)
    assert [warning.split()[0] for warning in loaded.warnings] == ["the", "values"]
    assert "unevenly spaced" in loaded.warnings[0]
    assert "not reliable Hounsfield units" in loaded.warnings[1]
    assert loaded.about["warnings"] == list(loaded.warnings)


def test_a_side_is_right_or_left(case: CaseFile, series: Path) -> None:
    with pytest.raises(Usage, match="R or L"):
        intake.keep(case, OPERATIONS, Plan(), intake.load(series), side="X")


def test_an_export_is_journalled_and_carries_no_name(case: CaseFile, series: Path, tmp_path: Path) -> None:
    intake.keep(case, OPERATIONS, Plan(), intake.load(series), side="R")
    told = outlet.export(case, "ball", "k3y", ball(), tmp_path / "ball_RIGHT.ply")
    text = (tmp_path / "ball_RIGHT.ply").read_bytes()[:600].decode("latin-1")
    for word in ("RIGHT", "LPS", "k3y", "Not a medical device"):
        assert word in text
    assert "anary" not in text
    entry = case.entries()[-1]
    assert (entry.act, entry.details["sha256"]) == ("export", told["sha256"])
    mesh, _ = read_mesh(tmp_path / "ball_RIGHT.ply")
    assert mesh.volume_mm3 == pytest.approx(ball().mesh.volume_mm3, rel=1e-5)


def test_what_is_no_shape_goes_out_as_json_alone(case: CaseFile, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a mask is written as \.seg\.nrrd"):
        outlet.export(case, "m", "k", ball_mask(), tmp_path / "m.stl")
    outlet.export(case, "m", "k", ball_mask(), tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["figures"]["voxels"] > 0
    with pytest.raises(CaseError, match="was not written"):
        outlet.export(case, "m", "k", ball_mask(), tmp_path / "no" / "m.json")


def test_the_report_is_one_file_with_side_safety_and_pictures(
    case: CaseFile, tmp_path: Path, series: Path
) -> None:
    plan = intake.keep(case, OPERATIONS, Plan(), intake.load(series), side="L")
    png = b"\x89PNG\r\n\x1a\n"
    report = Report(
        "A <plan>",
        plan,
        [("ct", "source", "30 x 38 x 44 voxels")],
        [Finding("check", "screw - bone: depth 2.31 mm", (1, 2, 3), "danger")],
        [("3D view", png)],
        [("b.stl", "abc")],
    )
    write_report(case, report, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    for word in (
        "A &lt;plan&gt;",
        "LEFT",
        "Not a medical device",
        "depth 2.31 mm",
        "data:image/png;base64,",
        "abc",
    ):
        assert word in text
    assert "anary" not in text
    assert "Canary^Carla" in page(Report("x", plan, [], identify=True), case)
    assert case.entries()[-1].act == "report"
    with pytest.raises(CaseError, match="was not written"):
        write_report(case, report, tmp_path / "no" / "r.html")
    assert "None." in page(Report("x", Plan(), []), case)
