"""surgiplan deidentify: what it writes, tells and refuses."""

import json
import zipfile
from pathlib import Path

import pytest

from surgiplan.acts import deidentify as act
from surgiplan.errors import Cancelled
from surgiplan.formats import dicom
from surgiplan.formats.privacy.pseudonyms import Options
from tests.cli.conftest import Run
from tests.formats.canaries import found_in
from tests.formats.making import edited, written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in" / "Canary Carla"
    files = written(folder, name="Canary^Carla", patient_id="CANARY-7")
    edited(files[:1], lambda dataset: setattr(dataset, "BurnedInAnnotation", "YES"))
    (folder / "letter about Carla Canary.txt").write_text("Dear Carla")
    return tmp_path / "in"


def test_the_report_tells_what_was_done_and_what_not_and_no_name(
    run: Run, source: Path, tmp_path: Path
) -> None:
    answer = run("deidentify", source, tmp_path / "out", "--json")
    assert answer.code == 0
    told = answer.data
    assert told == json.loads((tmp_path / "out" / "report.json").read_text())
    assert (told["files_written"], told["patients"], told["series"]) == (4, 1, 1)
    assert told["left_out_because"] == {
        "it says itself that it has burned-in annotation": 1,
        "it is no DICOM file": 1,
    }
    assert told["changes"]["(0020,000D) StudyInstanceUID"] == {"new UID": 4}
    assert any("face" in what for what in told["not_done"])
    assert found_in(tmp_path / "out") == []
    text = run("deidentify", source, tmp_path / "out2", "--dates", "shift", "--clean-descriptors").out
    assert "Clean Descriptors Option" in text
    assert "not done: no person has looked" in text
    assert "anary" not in answer.out + answer.err + text


def test_pictures_with_text_are_copied_on_request_and_that_is_said(
    run: Run, source: Path, tmp_path: Path
) -> None:
    told = run("deidentify", source, tmp_path / "out", "--burned-in", "--json").data
    assert told["files_written"] == 5
    assert "burned-in text was copied on request" in told["not_done"]


def test_a_zip_and_one_file_are_taken_too(run: Run, source: Path, tmp_path: Path) -> None:
    files = sorted(source.rglob("*.dcm"))
    with zipfile.ZipFile(tmp_path / "Canary.zip", "w") as packed:
        for file in files:
            packed.write(file, f"Carla/{file.name}")
    assert run("deidentify", tmp_path / "Canary.zip", tmp_path / "a", "--json").data["files_written"] == 4
    assert run("deidentify", files[-1], tmp_path / "b", "--json").data["files_written"] == 1
    assert found_in(tmp_path / "a") + found_in(tmp_path / "b") == []
    assert dicom.scan(tmp_path / "a").series[0].usable


def test_one_key_gives_the_same_pseudonyms_and_no_key_others(run: Run, source: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run("deidentify", source, tmp_path / name, "--key", tmp_path / "key").code == 0
    assert run("deidentify", source, tmp_path / "c").code == 0
    uids = {name: dicom.scan(tmp_path / name).series[0].uid for name in "abc"}
    assert uids["a"] == uids["b"] != uids["c"]
    (tmp_path / "no key").write_text("Carla")
    assert run("deidentify", source, tmp_path / "d", "--key", tmp_path / "no key").code == 10


def test_an_output_that_does_not_suit_is_refused_and_nothing_is_written(
    run: Run, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    (tmp_path / "link").symlink_to(source)
    before = sorted(tmp_path.rglob("*"))
    for out in (
        source,
        source / "deep" / "out",
        tmp_path / "link" / "out",
        tmp_path / "full",
        tmp_path / "link",
    ):
        assert run("deidentify", source, out).code == 10
    assert run("deidentify", tmp_path / "nowhere", tmp_path / "out").code == 10
    assert run("deidentify", tmp_path / "full", tmp_path / "out").code == 10  # nothing in it is DICOM
    assert sorted(tmp_path.rglob("*")) == before


def test_a_stop_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled("stopped")

    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Cancelled):
        act.deidentify(source, tmp_path / "out", Options(), report=stop)
    assert sorted(tmp_path.rglob("*")) == before


def test_options_of_an_import_need_the_word_itself(run: Run, source: Path, tmp_path: Path) -> None:
    answer = run("import", source, "--case", tmp_path / "c.surgiplan", "--dates", "shift")
    assert answer.code == 2
    assert "--deidentify" in answer.err
    assert not (tmp_path / "c.surgiplan").exists()
