"""`segment-with`: nothing runs without a yes, and what came of it is on record."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import platformdirs
import pytest

from surgiplan.casefile import CaseFile
from tests.acts.standin import LICENCE, SEPARATE, describe, is_gone
from tests.cli.conftest import Run


@pytest.fixture
def beyond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in in the user's own folder; gives the place where it says that it ran."""
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_: tmp_path / "data")
    (tmp_path / "beyond").mkdir()
    describe(tmp_path / "data" / "segmenters", tmp_path / "beyond")
    return tmp_path / "beyond"


def test_without_a_yes_nothing_runs_and_all_is_told(run: Run, case: Path, beyond: Path) -> None:
    answer = run("segment-with", "standin", case, "--volume", "ct", "--option", "thorough=yes")
    assert answer.code == 2
    assert "add --yes --accept-licence" in answer.err
    for words in ("SCAN LABELS good", "threshold, good, version stand-in 1.2.3", LICENCE, SEPARATE):
        assert words in answer.out
    assert (
        run("segment-with", "standin", case, "--volume", "ct", "--option", "thorough=yes", "--yes").code == 2
    )
    assert not (beyond / "seen.txt").exists()


def test_masks_come_into_the_case_with_their_origin(run: Run, case: Path, beyond: Path) -> None:
    answer = run("segment-with", "standin", case, "--volume", "ct", "--yes", "--json")
    assert answer.code == 0, answer.err
    assert answer.data["names"] == ["knob", "label_3"]
    assert answer.data["figures"]["knob"]["voxels"] > 0
    with_surface = run("add", case, "surface", "s", "--volume", "ct", "--mask", "label_3", "--level", "900")
    assert with_surface.code == 0, with_surface.err
    assert run("verify", case).code == 0
    file = CaseFile.open(case)
    entries = [one for one in file.entries() if one.details.get("origin") == "segmenter"]
    assert [one.details["label"] for one in entries] == [1, 3]
    for entry in entries:
        assert entry.details["model"] == "threshold, good"
        assert entry.details["version"] == "stand-in 1.2.3"
        assert entry.details["licence"] == LICENCE
        fact = file.fact(f"source:{entry.details['digest']}")
        assert (fact["model"], fact["scan"], fact["patient"]) == ("threshold, good", "ct", {})
        assert fact["date"] == entry.details["date"]
    file.close()
    assert run("undo", case, "--json").data["steps"] == ["ct", "mask", "ball", "knob", "label_3"]
    assert run("undo", case, "--json").data["steps"] == ["ct", "mask", "ball"]


def test_an_accepted_licence_is_on_record(run: Run, case: Path, beyond: Path) -> None:
    words = ("--option", "thorough=yes", "--keep", "knob", "--yes", "--accept-licence")
    assert run("segment-with", "standin", case, "--volume", "ct", *words).code == 0
    file = CaseFile.open(case)
    (entry,) = [one for one in file.entries() if one.details.get("origin") == "segmenter"]
    assert entry.details["accepted_licences"] == [SEPARATE]
    file.close()


def test_nothing_is_asked_for_a_locked_plan(run: Run, case: Path, beyond: Path) -> None:
    assert run("lock", case, "--why", "sent").code == 0
    answer = run("segment-with", "standin", case, "--volume", "ct", "--yes")
    assert answer.code == 13
    assert "Unlock the plan" in answer.err
    assert not (beyond / "seen.txt").exists()


def test_a_failure_changes_nothing_and_is_told_in_few_lines(run: Run, case: Path, beyond: Path) -> None:
    before = run("plan", case).out
    for manner in ("die", "shifted", "elsewhere"):
        answer = run(
            "segment-with", "standin", case, "--volume", "ct", "--option", f"manner={manner}", "--yes"
        )
        assert answer.code in (10, 11)
        assert len(answer.err.splitlines()) <= 4
    assert run("plan", case).out == before


@pytest.mark.skipif(sys.platform != "linux", reason="the user's own folder is named by XDG_DATA_HOME there")
def test_a_polite_kill_takes_the_segmenter_along(case: Path, beyond: Path, tmp_path: Path) -> None:
    (tmp_path / "surgiplan").symlink_to(tmp_path / "data")
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "surgiplan", "segment-with", "standin", str(case)),
            *("--volume", "ct", "--yes", "--option", "manner=hang"),
        ],
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path), "TMPDIR": str(tmp_path / "temporary")},
    )
    pids, latest = beyond / "pids.txt", time.monotonic() + 60
    while not (pids.exists() and " " in pids.read_text()):
        assert time.monotonic() < latest
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 11
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())
    assert list((tmp_path / "temporary").glob("surgiplan-*")) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody", "CASE", "--volume", "ct"), "there is no segmenter 'nobody'"),
        (("standin", "CASE", "--volume", "mask"), "mask is no scan"),
        (("standin", "CASE", "--volume", "ct", "--option", "manner"), "KEY=VALUE"),
        (("standin", "CASE", "--volume", "ct", "--option", "a=b"), "no option 'a'"),
        (("standin", "CASE", "--volume", "ct", "--minutes", "0"), "above 0"),
    ],
)
def test_what_is_not_understood_is_refused(
    run: Run, case: Path, beyond: Path, words: tuple[str, ...], told: str
) -> None:
    answer = run("segment-with", *(case if word == "CASE" else word for word in words), "--yes")
    assert answer.code == 2
    assert told in answer.err


def test_the_segmenters_are_listed(run: Run, beyond: Path) -> None:
    rows = {row["name"]: row for row in run("segmenters", "--json").data}
    assert set(rows) == {"totalsegmentator", "nnunet", "monai", "standin"}
    assert rows["standin"]["installed"]
    assert "appendicular_bones" in rows["totalsegmentator"]["options"]["task"]
    assert "Stand-in: MIT" in run("segmenters").out
