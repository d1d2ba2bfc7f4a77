"""The name of a patient: where it may be after a day's work, which is the case file and nowhere else."""

import json
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from surgiplan.acts import intake
from surgiplan.acts.report import Report, write_report
from surgiplan.casefile import CaseFile
from surgiplan.plan.plan import Plan
from tests.cli.conftest import Run
from tests.formats.canaries import canary_series, found_in
from tests.formats.making import written
from tests.ops.shapes import ball_scan

pytestmark = pytest.mark.slow


class Places:
    """Where a program may leave something behind, looked at while it works and afterwards."""

    def __init__(self, root: Path) -> None:
        self.root, self.hits = root, set[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(0.02):
            try:
                self.hits.update(found_in(self.root))
            except OSError:
                continue  # a file that was there a moment ago

    def __enter__(self) -> "Places":
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()
        self.hits.update(found_in(self.root))


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    root = tmp_path / "places"
    for name in ("temp", "log", "out"):
        (root / name).mkdir(parents=True)
    monkeypatch.setenv("SURGIPLAN_CACHE", str(root / "cache"))
    monkeypatch.setenv("TMPDIR", str(root / "temp"))
    monkeypatch.setattr(tempfile, "tempdir", str(root / "temp"))
    monkeypatch.setattr(platformdirs, "user_log_dir", lambda *_, **__: str(root / "log"))
    with Places(root) as looked:
        yield looked


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    """A series that can be planned on, with canaries in every text of its first files."""
    canary_series(tmp_path / "in")
    return tmp_path / "in"


@pytest.mark.parametrize("privately", [False, True], ids=["as it is", "de-identified"])
def test_a_day_of_work(
    run: Run, places: Places, canaries: Path, tmp_path: Path, privately: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURGIPLAN_CACHE", str(places.root / "cache"))
    case, out = tmp_path / "c.surgiplan", places.root / "out"
    private = ["--deidentify", "--dates", "shift"] if privately else []
    threshold = ("add", case, "threshold", "mask", "--volume", "ct", "--low", "500")
    said = [
        run("series", canaries, "--json").err,  # its output is what the files say
        run("import", canaries, "--case", case, "--name", "ct", *private),
        run(*threshold),
        run("add", case, "keep_part", "part", "--mask", "mask"),
        run("add", case, "surface", "bone", "--volume", "ct", "--mask", "part"),
        *(
            run("export", case, "bone", "--to", out / f"bone.{kind}")
            for kind in ("stl", "ply", "obj", "json")
        ),
        run("export", case, "ct", "--to", out / "ct.json"),
        run("render", case, "--to", out / "four.png", "--size", "320x240"),
        run("show", case, "--json"),
        run("plan", case),
        run("verify", case, "--json"),
        run("add", case, "cut", "broken", "--part", "nobody", "--plane", "0,0,0;0,0,1"),
        run("import", canaries / "Canary^Carla" / "nothing", "--case", case, *private).out,
    ]
    assert [answer.code for answer in said[1:9] if not isinstance(answer, str)] == [0] * 8
    with_names = CaseFile.open(case)
    write_report(with_names, Report("plan", Plan(), [], pictures=[("p", b"x")]), out / "report.html")
    monkeypatch.setattr(intake, "load", lambda *_, **__: {}["CANARY CARLA"])
    crash = run("import", canaries, "--case", case)
    assert crash.code == 40
    said += [crash]
    assert len(list((places.root / "log").iterdir())) == 1
    told = json.dumps([answer if isinstance(answer, str) else answer.out + answer.err for answer in said])
    at = told.lower().find("canary")
    assert at < 0, told[max(at - 200, 0) : at + 60]
    assert "carla" not in told.lower()
    assert chunks(out / "four.png") <= {"IHDR", "IDAT", "IEND", "pHYs", "sRGB"}
    facts = in_case(with_names)
    with_names.close()
    assert ("CANARY" in facts) is not privately
    assert found_in(places.root) == []
    assert places.hits == set()


def chunks(png: Path) -> set[str]:
    """The kinds of parts of a PNG file: text would stand in one of its own."""
    data, at, found = png.read_bytes(), 8, set()
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.add(kind.decode())
        at += 12 + length
    return found


def in_case(case: CaseFile) -> str:
    """All that a case says, unpacked, in capitals."""
    everything = [json.dumps([dict(entry.details) for entry in case.entries()], default=str)]
    everything += [step for revision in case.history() for step in revision.steps]
    for digest in case.blobs():
        everything.append(case.blob(digest).decode("latin-1"))
        everything.append(json.dumps(case.fact(f"source:{digest}"), default=str))
    everything.append(json.dumps(case.fact("patient"), default=str))
    return "\n".join(everything).upper()


def test_a_private_case_knows_its_patient_again_by_a_key_alone(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "a", ball_scan(), name="Canary^Carla", patient_id="CANARY-7")
    written(tmp_path / "b", ball_scan(), name="Canary^Carla", patient_id="CANARY-7", series_number=2)
    written(tmp_path / "other", ball_scan(), name="Other^One", patient_id="8")
    case, key = tmp_path / "c.surgiplan", ["--deidentify", "--key", tmp_path / "key"]
    assert run("import", tmp_path / "a", "--case", case, *key).code == 0
    assert run("import", tmp_path / "b", "--case", case, *key).code == 0
    refused = run("import", tmp_path / "other", "--case", case, *key)
    assert refused.code == 10
    assert "another patient" in refused.err
    opened = CaseFile.open(case)
    patient = opened.fact("patient")
    frames = {opened.blob(digest)[:2000].count(b"2.25.") for digest in opened.blobs()}
    opened.close()
    assert patient["patient_id"].startswith("P")
    assert (patient["patient_name"], patient["study_date"], patient["sex"]) == ("", "", "")
    assert frames


def test_a_file_name_in_a_warning_does_not_get_into_a_private_case(run: Run, tmp_path: Path) -> None:
    files = written(tmp_path / "in", ball_scan())
    (tmp_path / "in" / "Canary_Carla.dcm").write_bytes(files[0].read_bytes()[:140])
    answer = run("import", tmp_path / "in", "--case", tmp_path / "c.surgiplan", "--deidentify")
    assert answer.code == 0
    assert "damaged files" in answer.err
    opened = CaseFile.open(tmp_path / "c.surgiplan")
    facts = in_case(opened)
    opened.close()
    assert "DAMAGED FILES" in facts
    assert "CANARY" not in facts + answer.err.upper() + answer.out.upper()
