"""Pictures without a screen: what is in them, on which side, and the same every time."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkPNGReader

from surgiplan.errors import BadInput, CaseError, SurgiplanError, Usage
from surgiplan.plan.plan import Plan
from surgiplan.scene import AXES, Axis, Framing, Scene, View, describe
from surgiplan.stage import offscreen
from surgiplan.stage.colours import SLICES, rgb
from surgiplan.stage.offscreen import NoGraphics, require_graphics, save_png, snapshot
from surgiplan.values import Grid, Part, Volume
from tests.scene.steps import Ready, Scan, Shape, Stale, axis_grids, box, scan_with_marks, small_case

pytestmark = pytest.mark.usefixtures("graphics")
ROOT = Path(__file__).resolve().parents[2]
PLAN, RESULTS = small_case()
VIEW = View.of(PLAN, RESULTS)
SCENE = describe(PLAN, RESULTS, VIEW)


def bytes_of(colour: str) -> np.ndarray:
    return np.round(np.array(rgb(colour)) * 255)


def count(picture: np.ndarray, colour: str, within: int = 30) -> int:
    return int((np.abs(picture - bytes_of(colour)).max(axis=2) < within).sum())


@pytest.mark.parametrize("kind", ["3d", "axial", "coronal", "sagittal", "four"])
def test_a_picture_has_the_size_asked_for_and_something_in_it(kind: str) -> None:
    picture = snapshot(SCENE, kind, (321, 243))  # type: ignore[arg-type]
    assert picture.shape == (243, 321, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 15


def test_a_picture_is_the_same_twice_and_in_another_process_without_a_display() -> None:
    first, second = (snapshot(SCENE, "four", (300, 260)) for _ in range(2))
    assert np.array_equal(first, second)
    code = (
        "import hashlib; from tests.scene.steps import small_case; from surgiplan.scene import *;"
        "from surgiplan.stage.offscreen import snapshot; plan, results = small_case();"
        "picture = snapshot(describe(plan, results, View.of(plan, results)), 'four', (300, 260));"
        "print(hashlib.sha256(picture.tobytes()).hexdigest())"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "VTK_DEFAULT_OPENGL_WINDOW")}
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=bare, capture_output=True, check=True)
    assert told.stdout.decode().strip() == hashlib.sha256(first.tobytes()).hexdigest()


def test_four_views_stand_in_their_places_under_their_colours() -> None:
    picture = snapshot(SCENE, "four", (400, 326))
    middle = 1
    assert np.array_equal(picture[middle, 100], bytes_of(SLICES["axial"]))
    assert np.array_equal(picture[middle + 151, 100], bytes_of(SLICES["coronal"]))
    assert np.array_equal(picture[middle + 151, 300], bytes_of(SLICES["sagittal"]))
    assert picture[75, 300].max() > picture[75, 100].min()
    assert not np.array_equal(picture[middle, 300], bytes_of(SLICES["sagittal"]))


@pytest.mark.parametrize("grid", axis_grids()[::8])
@pytest.mark.parametrize("axis", AXES)
def test_a_bright_voxel_at_an_end_of_the_patient_is_seen_at_that_end(grid: Grid, axis: Axis) -> None:
    """Each voxel alone in its scan, so that nothing else can be taken for it."""
    marked, places = scan_with_marks(grid)
    across = {"A": (-1, 0), "P": (1, 0)} if axis == "sagittal" else {"R": (-1, 0), "L": (1, 0)}
    down = {"A": (0, -1), "P": (0, 1)} if axis == "axial" else {"H": (0, -1), "F": (0, 1)}
    for letter, (right, downwards) in (across | down).items():
        alone = marked.voxels == 100 * ("LRPAHF".index(letter) + 1)
        volume = Volume(grid, np.where(alone, 3000, -1000).astype(np.int16))
        view = View(crosshair_lps=places[letter]).with_framing(axis, Framing(0.6))
        scene = describe(Plan().add("ct", Scan()), {"ct": Ready(volume)}, view)
        picture = snapshot(scene, axis, (200, 229))[43:163, 40:160]
        row, column = np.argwhere(picture.min(axis=2) > 150).mean(axis=0) - 60
        assert column * right + row * downwards > 20
        assert abs(column * downwards) + abs(row * right) < 15


def letter_at(picture: np.ndarray, side: str) -> np.ndarray:
    """The bright shape at the left or right edge, half way up, cut out tightly."""
    rows, columns = picture.shape[:2]
    edge = picture[
        rows // 2 - 30 : rows // 2 + 10, slice(0, 34) if side == "left" else slice(columns - 34, None)
    ]
    bright = edge.min(axis=2) > 120
    where = np.argwhere(bright)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    return bright[low[0] : high[0], low[1] : high[1]]


def test_the_letter_r_stands_on_the_left_and_changes_sides_with_the_convention() -> None:
    usual, other = (
        snapshot(describe(PLAN, RESULTS, replace(VIEW, convention=c)), "axial", (400, 340))
        for c in ("radiological", "neurological")
    )
    on_left, on_right = letter_at(usual, "left"), letter_at(usual, "right")
    assert not similar(on_left, on_right)
    assert similar(letter_at(other, "right"), on_left)
    assert similar(letter_at(other, "left"), on_right)


def similar(one: np.ndarray, other: np.ndarray) -> bool:
    rows, columns = (min(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    off = abs(one.shape[0] - other.shape[0]) + abs(one.shape[1] - other.shape[1])
    return off <= 2 and bool(np.mean(one[:rows, :columns] == other[:rows, :columns]) > 0.78)


def test_the_body_of_a_patient_lies_as_long_as_it_is_wide() -> None:
    """The bright block is 21 voxels of 1 mm wide and 21 of 2 mm high: pixels are millimetres, not voxels."""
    hidden = frozenset({"cut", "distal", "screw", "check", "length"})
    picture = snapshot(describe(PLAN, RESULTS, replace(VIEW, hidden=hidden)), "coronal", (420, 446))
    bright = picture[60:370, 100:330].min(axis=2) > 150
    rows, columns = np.argwhere(bright.any(axis=1)).ravel(), np.argwhere(bright.any(axis=0)).ravel()
    assert np.ptp(rows) / np.ptp(columns) == pytest.approx(2.0, rel=0.06)


def test_outlines_have_the_colours_of_their_shapes() -> None:
    shown = snapshot(SCENE, "coronal", (400, 426))
    hidden = snapshot(
        describe(PLAN, RESULTS, replace(VIEW, hidden=frozenset({"distal"}))), "coronal", (400, 426)
    )
    assert count(shown, "#56B4E9") > count(hidden, "#56B4E9") + 100


def test_an_out_of_date_outline_has_gaps() -> None:
    stale = {**RESULTS, "distal": Stale(RESULTS["distal"].value)}
    whole, dimmed = (snapshot(describe(PLAN, r, VIEW), "coronal", (400, 426)) for r in (RESULTS, stale))
    assert not np.array_equal(whole, dimmed)


def test_the_chosen_mask_is_tinted() -> None:
    plain, tinted = (
        snapshot(describe(PLAN, RESULTS, replace(VIEW, chosen=c)), "axial", (300, 300)).astype(int)
        for c in (None, "mask")
    )
    centre = (slice(120, 140), slice(155, 165))
    assert (tinted[centre][..., 2] - tinted[centre][..., 0]).mean() > 40
    assert abs((plain[centre][..., 0] - plain[centre][..., 2]).mean()) < 15


def test_zoom_and_pan_frame_the_slice() -> None:
    view = VIEW.with_framing("axial", Framing(4.0, (0.0, 0.0)))
    near = snapshot(describe(PLAN, RESULTS, view), "axial", (300, 300))
    far = snapshot(SCENE, "axial", (300, 300))
    assert (near.min(axis=2) > 120).mean() > 2 * (far.min(axis=2) > 120).mean()


def test_every_picture_carries_the_safety_line_and_the_planned_side() -> None:
    for kind in ("3d", "axial", "four"):
        bare = snapshot(SCENE, kind, (330, 200))  # type: ignore[arg-type]
        sided = snapshot(describe(PLAN, RESULTS, replace(VIEW, side="LEFT")), kind, (330, 200))  # type: ignore[arg-type]
        assert bare[-26:, :150].max() > 120
        assert count(bare[-26:], "#8A5A00") == 0
        assert count(sided[-26:, 150:], "#8A5A00", 25) > 500


def test_the_patient_is_written_only_when_asked() -> None:
    named = describe(PLAN, RESULTS, replace(VIEW, patient="Doe^Jane"))
    assert np.array_equal(snapshot(named, "axial", (330, 100)), snapshot(SCENE, "axial", (330, 100)))
    assert not np.array_equal(
        snapshot(named, "axial", (330, 100), patient=True), snapshot(SCENE, "axial", (330, 100))
    )


def test_shapes_without_a_scan_give_all_four_views() -> None:
    plan = Plan().add("bone", Shape())
    scene = describe(plan, {"bone": Ready(Part(box((0, 0, 0), (10, 20, 40))))}, View(crosshair_lps=(5, 5, 5)))
    assert count(snapshot(scene, "sagittal", (300, 300)), "#EADFC8", 40) > 100


def test_a_plan_without_anything_gives_a_clear_refusal_for_slices() -> None:
    with pytest.raises(BadInput, match="no axial view"):
        snapshot(Scene(), "axial", (300, 300))
    assert snapshot(Scene(), "3d", (300, 300)).shape == (300, 300, 3)


def test_views_and_sizes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(Usage, match="choose one of 3d"):
        snapshot(SCENE, "front")  # type: ignore[arg-type]
    for size in ((10, 300), (300, 20_000)):
        with pytest.raises(Usage, match="64 to"):
            snapshot(SCENE, "3d", size)


def test_where_nothing_can_be_drawn_a_plain_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offscreen, "_PROBE", "import os; os.abort()")
    require_graphics.cache_clear()
    with pytest.raises(NoGraphics, match="libegl1"):
        snapshot(SCENE, "3d", (100, 100))
    require_graphics.cache_clear()
    assert issubclass(NoGraphics, SurgiplanError)


def test_a_png_holds_the_picture(tmp_path: Path) -> None:
    picture = snapshot(SCENE, "four", (200, 160))
    file = tmp_path / "Bild Müller.png"
    save_png(picture, file)
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    plain = tmp_path / "plain.png"
    plain.write_bytes(file.read_bytes())
    reader = vtkPNGReader()
    reader.SetFileName(str(plain))
    reader.Update()
    again = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars()).reshape(160, 200, 3)[::-1]
    assert np.array_equal(again, picture)


def test_a_png_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot be written"):
        save_png(np.zeros((4, 4, 3), np.uint8), tmp_path / "missing" / "x.png")
    (tmp_path / "x.png").mkdir()
    with pytest.raises(CaseError, match="cannot be written"):
        save_png(np.zeros((4, 4, 3), np.uint8), tmp_path / "x.png")
    assert [f.name for f in tmp_path.iterdir()] == ["x.png"]
