"""Slices that lie unevenly, or of which some are missing: planned, put right with a notice, or refused."""

from pathlib import Path

import numpy as np
import pytest

from surgiplan.errors import BadInput, Usage
from surgiplan.formats import dicom
from surgiplan.formats.dicom.between import evened
from surgiplan.formats.dicom.spacing import Spacing, spaced
from surgiplan.progress import silent

from .making import edited, grid, only, volume, written


def of_steps(*steps: float) -> Spacing:
    return spaced(np.concatenate([[10.0], 10.0 + np.cumsum(steps)]))


def lost(*steps: float) -> list[tuple[int, int]]:
    """After which slice, and how many."""
    return [(gap.after, gap.count) for gap in of_steps(*steps).gaps]


@pytest.mark.parametrize(
    ("steps", "gaps"),
    [
        ([2, 2, 4, 2], [(2, 1)]),
        ([2, 6, 2, 2], [(1, 2)]),
        ([5, 10], [(1, 1)]),
        ([10, 5, 5, 5], [(0, 1)]),
        ([1] * 9 + [4, 1, 3] + [1] * 9, [(9, 3), (11, 2)]),
        ([1, 1, 1, 2, 3, 2, 1, 1, 1], [(3, 1), (4, 2), (5, 1)]),
        ([1, 1, 1, 1, 5, 5, 10, 5, 5, 5], [(6, 1)]),  # in the coarse part, after its like
        ([1] * 6 + [5] * 6, []),  # a change of plan
        ([1] * 6 + [3] + [5] * 6, []),  # the step between two plans may be any between them
        ([1] * 6 + [9] + [5] * 6, [(6, 1)]),
        ([1, 1.1, 1.21, 1.33, 1.46, 1.61], []),  # grows, and jumps nowhere
        ([2.5, 2.5, 0.5, 2.5], []),  # one too many, none too few
        ([1.0, 1.1, 0.9, 1.2, 1.0, 2.0, 1.1], [(5, 1)]),
        ([3], []),
    ],
)
def test_a_gap_is_a_step_that_nothing_beside_it_explains(steps, gaps) -> None:
    assert lost(*steps) == gaps
    mirrored = [(len(steps) - 1 - after, count) for after, count in reversed(gaps)]
    assert lost(*reversed(steps)) == mirrored


def test_an_even_stack_is_kept_as_it_is() -> None:
    even = of_steps(2.0, 2.0, 2.0)
    assert (even.step, even.heights.tolist(), even.given) == (2.0, [0, 1, 2, 3], True)


def test_a_gap_of_whole_steps_leaves_every_slice_on_a_plane() -> None:
    holed = of_steps(2.0, 2.0, 6.0, 2.0)
    assert holed.step == pytest.approx(2.0)
    assert holed.heights.tolist() == [0, 1, 2, 5, 6]
    assert (holed.planes, holed.unevenness, holed.given) == (7, "", False)


def test_a_gap_of_a_fraction_makes_the_stack_uneven() -> None:
    holed = of_steps(2.0, 2.0, 2.0, 5.1, 2.0, 2.0)
    assert holed.gaps[0].count == 2
    assert "2.000 to 5.100 mm" in holed.unevenness
    assert holed.heights[-1] == pytest.approx(holed.planes - 1)


def test_planes_are_as_fine_as_the_smallest_step_and_end_on_slices() -> None:
    uneven = of_steps(1.0, 1.3, 1.1, 1.2)
    assert uneven.planes == 6
    assert uneven.step == pytest.approx(4.6 / 5)
    assert uneven.heights == pytest.approx(np.array([0, 1, 2.3, 3.4, 4.6]) / (4.6 / 5))
    assert uneven.unevenness.startswith("1.000 to 1.300 mm (narrowest after 10.00 mm, widest after 11.00 mm")
    multiples = of_steps(*[1.0] * 4, *[3.0] * 4)
    assert (multiples.step, multiples.planes) == (pytest.approx(1.0), 17)


@pytest.mark.parametrize("away", [0.0, 0.015, 0.04])
def test_two_percent_off_still_count_as_even(tmp_path: Path, away) -> None:
    edited(written(tmp_path)[2:3], lambda d: moved(d, 5.0 + away))
    series = only(tmp_path)
    assert series.warnings == ()
    assert series.shape_kji == (5, 6, 7)


@pytest.mark.parametrize("away", [0.06, 0.5, -1.2])
def test_more_than_that_is_resampled_with_a_notice(tmp_path: Path, away) -> None:
    edited(written(tmp_path)[2:3], lambda d: moved(d, 5.0 + away))
    series = only(tmp_path)
    low, high = 2.5 - abs(away), 2.5 + abs(away)
    assert f"unevenly spaced, {low:.3f} to {high:.3f} mm" in series.warnings[0]
    assert f"resampled to one every {series.spacing_kji[0]:.3f} mm" in series.warnings[0]
    read = dicom.read_series(series)
    assert read.grid.shape_kji == series.shape_kji
    assert np.array_equal(read.voxels[[0, -1]], volume().voxels[[0, -1]])
    assert read.grid.to_lps((len(read.voxels) - 1, 0, 0)) == pytest.approx((-31, 12.5, 114.25))


def moved(dataset, k: float) -> None:
    dataset.ImagePositionPatient = [-31.0, 12.5, 104.25 + k]


def test_a_drift_in_which_no_step_stands_out_is_noticed(tmp_path: Path) -> None:
    files = written(tmp_path, volume(grid((40, 3, 3), (1.0, 1, 1))))
    for path, k in zip(files, np.cumsum(np.linspace(0.985, 1.015, 40)), strict=True):
        edited([path], lambda d, k=k: moved(d, float(k)))
    assert "unevenly spaced" in only(tmp_path).warnings[0]


def test_steps_that_differ_absurdly_are_refused() -> None:
    with pytest.raises(BadInput, match=r"too unevenly .* 1\.000 to 11\.000 mm"):
        of_steps(*[1.0] * 4, *[11.0] * 4)
    with pytest.raises(BadInput, match=r"11 slices are missing between 12\.00 and 24\.00 mm"):
        of_steps(1.0, 1.0, 12.0, 1.0, 1.0)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_planes_between_slices_are_linear_and_slices_stay(kind) -> None:
    slices = np.array([[[10, -20]], [[20, -21]], [[40, 7]]], kind)
    made = evened(slices, np.array([0.0, 1.0, 3.0]), 4, silent)
    assert made.dtype == kind
    assert made[:, 0].tolist() == [[10, -20], [20, -21], [30, -7], [40, 7]]
    made = evened(slices, np.array([0.0, 0.8, 2.0]), 3, silent)
    middle = [20 + 20 / 6, -21 + 28 / 6]
    assert made[1, 0] == pytest.approx(np.rint(middle) if kind is np.int16 else middle)


def test_missing_slices_are_made_up_only_when_that_is_accepted(tmp_path: Path) -> None:
    files = written(tmp_path, volume(grid((7, 6, 7))))
    files[2].unlink()
    files[5].unlink()
    series = only(tmp_path)
    assert (series.usable, series.choices) == (False, ("missing",))
    with pytest.raises(BadInput, match="cannot be used: 1 slice is missing"):
        dicom.accepted(series, ())
    with pytest.raises(BadInput, match="cannot be used"):
        dicom.accepted(series, ("duplicates",))
    with pytest.raises(Usage, match="'all' cannot be accepted; there are: missing, duplicates"):
        dicom.accepted(series, ("all",))
    made = dicom.accepted(series, ("missing",))
    assert (made.uid, made.usable, made.choices) == (series.uid, True, ())
    assert "between 106.75 and 111.75 mm" in made.warnings[0]
    assert "between 114.25 and 119.25 mm" in made.warnings[0]
    truth = volume(grid((7, 6, 7)))
    read = dicom.read_series(made)
    assert read.grid.same_as(truth.grid)
    there = [0, 1, 3, 4, 6]
    assert np.array_equal(read.voxels[there], truth.voxels[there])
    mean = (truth.voxels[[1, 4]].astype(float) + truth.voxels[[3, 6]]) / 2
    assert np.abs(read.voxels[[2, 5]] - mean).max() <= 0.5


def test_a_usable_series_needs_no_acceptance(tmp_path: Path) -> None:
    written(tmp_path)
    series = only(tmp_path)
    assert dicom.accepted(series, ("missing",)) is series


def test_what_no_choice_can_mend_offers_none(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[:1], lambda d: delattr(d, "ImagePositionPatient"))
    files[2].unlink()
    series = only(tmp_path)
    assert series.choices == ()
    with pytest.raises(BadInput, match="ImagePositionPatient"):
        dicom.accepted(series, tuple(dicom.CHOICES))


def test_both_faults_need_both_words(tmp_path: Path) -> None:
    files = written(tmp_path, volume(grid((7, 6, 7))))
    files[4].unlink()
    (tmp_path / "other").write_bytes(files[1].read_bytes())
    edited([tmp_path / "other"], lambda d: setattr(d, "PixelData", bytes(len(d.PixelData))))
    series = only(tmp_path)
    assert series.choices == ("missing", "duplicates")
    with pytest.raises(BadInput):
        dicom.accepted(series, ("missing",))
    made = dicom.accepted(series, ("duplicates", "missing"))
    assert set(made.accepted) == {"missing", "duplicates"}
    assert not any(name in " ".join(made.accepted.values()) for name in ("other", "IM0000"))


def test_a_damaged_file_is_still_told_of_when_its_gap_is_accepted(tmp_path: Path) -> None:
    files = written(tmp_path)
    files[2].write_bytes(files[2].read_bytes()[:150])
    series = dicom.scan(tmp_path).series[0]
    made = dicom.accepted(series, ("missing",))
    assert any(files[2].name in warning for warning in made.warnings)
