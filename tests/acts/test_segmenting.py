"""An installed segmenter gets a nameless copy and a bounded life, and what it writes is checked."""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surgiplan.acts import outside
from surgiplan.acts.intake import Loaded
from surgiplan.acts.segmenters import Order, catalogue, ordered, read_segmenter
from surgiplan.acts.segmenting import segmented, version_of
from surgiplan.errors import BadInput, Cancelled, StepFailed, Usage
from surgiplan.progress import Report, silent
from surgiplan.shipped import resource_folder
from surgiplan.values import Mask
from tests.acts.standin import describe, is_gone
from tests.ops.shapes import ball_scan

Ask = Callable[..., list[Loaded]]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and links of POSIX")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where private folders are made, to see what is left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def beyond(tmp_path: Path) -> Path:
    """A folder outside the one the segmenter is given."""
    folder = tmp_path / "beyond"
    folder.mkdir()
    return folder


@pytest.fixture
def ask(tmp_path: Path, beyond: Path, temporary: Path) -> Ask:
    describe(tmp_path / "segmenters", beyond)

    def asked(
        manner: str, keep: tuple[str, ...] = (), report: Report = silent, **more: float
    ) -> list[Loaded]:
        return list(segmented(ball_scan(), order(tmp_path, manner=manner), keep, report=report, **more))

    return asked


def order(tmp_path: Path, **chosen: str) -> Order:
    return ordered(catalogue([tmp_path / "segmenters"])["standin"], chosen)


@pytest.mark.parametrize("manner", ["good", "turned", "chatter"])
def test_its_labels_come_back_on_the_voxels_of_the_scan(ask: Ask, manner: str) -> None:
    scan = ball_scan()
    knob, core = ask(manner)
    assert (knob.name, core.name) == ("knob", "label_3")
    for one, expected in (
        (knob, (scan.voxels > 300) & (scan.voxels <= 900)),
        (core, scan.voxels > 900),
    ):
        assert isinstance(one.value, Mask)
        assert one.value.grid.same_as(scan.grid)
        assert np.array_equal(one.value.voxels, expected)


def test_model_licence_date_and_options_stand_beside_each_mask(ask: Ask) -> None:
    (one,) = ask("good", ("knob",))
    assert one.about["origin"] == "segmenter"
    assert one.about["model"] == "threshold, good"
    assert one.about["licence"].startswith("MIT")
    assert one.about["date"] == time.strftime("%Y-%m-%d")
    assert (one.about["label"], one.about["options"]) == (1, {"manner": "good"})
    assert one.patient == {}


def test_the_version_is_asked_for(tmp_path: Path, beyond: Path, temporary: Path) -> None:
    describe(tmp_path / "segmenters", beyond)
    assert version_of(order(tmp_path)) == "stand-in 1.2.3"
    describe(tmp_path / "segmenters", beyond, version=[])
    assert version_of(order(tmp_path)) == "not stated"
    describe(tmp_path / "segmenters", beyond, version=[sys.executable, "-c", "raise SystemExit(4)"])
    assert version_of(order(tmp_path)) == "not stated"


def test_it_sees_a_nameless_copy_and_no_secrets(
    ask: Ask, beyond: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURGIPLAN_PASSPHRASE", "open sesame")
    ask("good")
    folder, remark, passphrase, proxy, temp, mode = (beyond / "seen.txt").read_text().splitlines()
    assert Path(folder).parent == temporary
    assert temp == folder
    assert "Research use" in remark
    assert passphrase == "no passphrase"
    assert proxy == "http://127.0.0.1:9"
    if sys.platform != "win32":
        assert mode == "0o700"


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("shifted", "a corner lies 0.80 mm off"),
        ("coarse", "does not fill the scan"),
        ("fractions", "numbers that are no labels"),
        ("negative", "numbers that are no labels"),
        ("nothing", "found nothing"),
        ("silent", "written no label map"),
        ("elsewhere", "what lies elsewhere is not taken"),
        pytest.param("link", "a link to another place", marks=posix),
    ],
)
def test_what_is_no_label_map_of_this_scan_is_refused(
    ask: Ask, temporary: Path, manner: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        ask(manner)
    assert list(temporary.iterdir()) == []


def test_a_label_that_is_not_there_is_told_with_those_that_are(ask: Ask) -> None:
    with pytest.raises(Usage, match="no femur; it has found: knob, label_3"):
        ask("good", ("femur",))


def test_a_failure_shows_its_last_three_lines(ask: Ask, temporary: Path) -> None:
    with pytest.raises(StepFailed) as caught:
        ask("die")
    first, *lines = str(caught.value).split("\n")
    assert first == "Stand-in failed (code 3):"
    assert lines == ["line 48", "line 49", "the model is not installed"]
    assert list(temporary.iterdir()) == []


@posix
def test_a_crash_is_told(ask: Ask, temporary: Path) -> None:
    with pytest.raises(StepFailed, match="ended by signal 11"):
        ask("crash")
    assert list(temporary.iterdir()) == []


@posix
def test_what_it_wrote_beyond_its_folder_stays_and_what_it_locked_goes(
    ask: Ask, beyond: Path, temporary: Path
) -> None:
    with pytest.raises(BadInput, match="a link"):
        ask("link")
    assert (beyond / "true.nii.gz").is_file()
    ask("locks")
    assert list(temporary.iterdir()) == []


@posix
def test_a_stop_ends_the_whole_group_within_a_second(ask: Ask, beyond: Path, temporary: Path) -> None:
    asked: list[float] = []

    def report(fraction: float, text: str) -> None:
        if (beyond / "pids.txt").exists() and (beyond / "pids.txt").read_text().count(" "):
            asked.append(time.monotonic())
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        ask("hang", report=report)
    assert time.monotonic() - asked[0] < 1.0
    pids = [int(pid) for pid in (beyond / "pids.txt").read_text().split()]
    while not all(map(is_gone, pids)):
        assert time.monotonic() - asked[0] < 1.0
        time.sleep(0.01)
    assert list(temporary.iterdir()) == []


@posix
def test_one_that_hangs_is_ended_when_its_time_is_over(ask: Ask, beyond: Path, temporary: Path) -> None:
    with pytest.raises(StepFailed, match="ended after 4 s"):
        ask("hang", seconds=4.0)
    assert all(is_gone(int(pid)) for pid in (beyond / "pids.txt").read_text().split())
    assert list(temporary.iterdir()) == []


def test_a_program_that_is_not_there_is_told(tmp_path: Path, beyond: Path, temporary: Path) -> None:
    describe(tmp_path / "segmenters", beyond, command=["no-such-program", "{scan}"])
    with pytest.raises(StepFailed, match="no-such-program cannot be started"):
        segmented(ball_scan(), order(tmp_path))
    assert list(temporary.iterdir()) == []


def test_no_thread_stays_behind(ask: Ask) -> None:
    before = threading.active_count()
    ask("good")
    assert threading.active_count() == before


def test_a_private_folder_goes_after_an_error(temporary: Path) -> None:
    def breaks() -> None:
        with outside.private_folder() as folder:
            (folder / "a").write_text("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert list(temporary.iterdir()) == []


# -- descriptions ---------------------------------------------------------------------------------


def test_the_shipped_descriptions_can_be_ordered() -> None:
    known = catalogue([resource_folder("segmenters")])
    assert set(known) == {"totalsegmentator", "nnunet", "monai"}
    places = {name: f"/t/{name}" for name in ("scan", "labels", "scan_folder", "labels_folder")}
    total = ordered(known["totalsegmentator"], {"fast": "yes"})
    assert total.words(places) == [
        *("TotalSegmentator", "-i", "/t/scan", "-o", "/t/labels", "--ml"),
        *("--task", "total", "--fast"),
    ]
    assert (total.names[75], total.names[29], total.names[117]) == (
        "femur_left",
        "vertebra_L3",
        "costal_cartilages",
    )
    assert total.separate_licences == ()
    bones = ordered(known["totalsegmentator"], {"task": "appendicular_bones"})
    assert bones.names[2] == "tibia"
    assert "licence number" in bones.separate_licences[0]
    net = ordered(known["nnunet"], {"dataset": "Dataset501_Femur"})
    assert net.words(places) == [
        *("nnUNetv2_predict", "-i", "/t/scan_folder", "-o", "/t/labels_folder"),
        *("-d", "Dataset501_Femur", "-c", "3d_fullres"),
    ]
    bundle = ordered(known["monai"], {"bundle": "/home/someone/spine_bundle"})
    assert "/home/someone/spine_bundle/configs/inference.json" in bundle.words(places)
    assert bundle.model == "MONAI bundle spine_bundle"
    assert bundle.told == {"bundle": "spine_bundle"}


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"colour": "red"}, "no option 'colour'"),
        ({"task": "liver"}, "task is total, appendicular_bones"),
        ({"device": ""}, "device is cpu"),
    ],
)
def test_an_option_that_is_not_there_is_refused(chosen: dict[str, str], words: str) -> None:
    known = catalogue([resource_folder("segmenters")])
    with pytest.raises(Usage, match=words):
        ordered(known["totalsegmentator"], chosen)


@pytest.mark.parametrize("value", ["--output=/etc", "two words", "-x", "a\nb"])
def test_a_value_is_one_word_and_no_option_of_its_own(value: str) -> None:
    net = catalogue([resource_folder("segmenters")])["nnunet"]
    with pytest.raises(Usage, match="one word"):
        ordered(net, {"dataset": value})


def test_a_needed_option_is_asked_for() -> None:
    known = catalogue([resource_folder("segmenters")])
    with pytest.raises(Usage, match="--option dataset=VALUE"):
        ordered(known["nnunet"], {})
    with pytest.raises(Usage, match="--option bundle=VALUE"):
        ordered(known["monai"], {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scan": "../scan.nii.gz"}, "inside its folder"),
        ({"labels": "/labels.nii.gz"}, "inside its folder"),
        ({"command": []}, "needs a command"),
        ({"command": ["go", "{somewhere}"]}, "nothing is known of somewhere"),
        ({"names": {"always": {"one": "knob"}}}, "invalid literal"),
        ({"separate_licences": {"size=big": "no"}}, "neither always nor option=value"),
        ({"minutes": 0}, "minutes above 0"),
        ({"colour": "red"}, "exactly"),
    ],
)
def test_a_description_that_cannot_be_used_says_why(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    describe(tmp_path, tmp_path, **changes)
    with pytest.raises(BadInput, match=words):
        read_segmenter("standin", (tmp_path / "standin.json").read_text(encoding="utf-8"))


def test_the_users_description_goes_before_the_shipped_one(tmp_path: Path) -> None:
    describe(tmp_path, tmp_path)
    (tmp_path / "standin.json").rename(tmp_path / "nnunet.json")
    known = catalogue([resource_folder("segmenters"), tmp_path, tmp_path / "not there"])
    assert known["nnunet"].title == "Stand-in"
    assert known["monai"].title == "MONAI bundle"
