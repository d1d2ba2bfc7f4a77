"""What a scan states is held against what it shows; a doubt is told."""

from pathlib import Path

import numpy as np
import pytest

from surgiplan.formats.dicom.plausible import hounsfield_doubts, side_doubts
from surgiplan.values import Grid, Volume

from .making import edited, grid, only, volume, written


def scan_of(*shares: tuple[float, float], unit: str = "HU") -> Volume:
    """A scan of 20,000 voxels: for each (share, middle HU) so many values, spread by 10 HU."""
    chance = np.random.default_rng(1)
    values = np.concatenate([chance.normal(middle, 10, round(20_000 * share)) for share, middle in shares])
    shape = (20, 25, 40)
    return Volume(Grid(shape, np.eye(4)[[2, 1, 0, 3]]), values.astype(np.int16).reshape(shape), "CT", unit)


BODY = ((0.5, -1000), (0.1, -90), (0.35, 45), (0.05, 700))


@pytest.mark.parametrize(
    "shares",
    [
        BODY,
        ((0.002, -1000), (0.998, 40)),  # a breath of air in the gut
        ((0.9, -1000), (0.1, 1200)),  # a dry bone
        ((1.0, -1000),),
        ((0.5, -1000), (0.49, 40), (0.005, 12000)),  # metal on an extended scale
        ((0.5, -1000), (0.495, 40), (0.005, -1400)),  # streaks beside metal
    ],
)
def test_a_ct_that_looks_like_one_raises_no_doubt(shares) -> None:
    values = list(shares)
    values[0] = (1 - sum(share for share, _ in values[1:]), values[0][1])
    assert hounsfield_doubts(scan_of(*values), "1.2.840.10008.5.1.4.1.1.2", "Philips Ingenuity CT") == ()


def test_one_value_that_fills_the_corners_is_no_measurement() -> None:
    scan = scan_of(*BODY)
    voxels = scan.voxels.copy()
    voxels[:, :5] = -3024
    assert hounsfield_doubts(Volume(scan.grid, voxels)) == ()


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        (((0.5, 0), (0.5, 1040)), "no air near -1000 HU is in it, the darkest of it is"),
        (((0.5, -620), (0.5, 100)), "no air near -1000 HU"),
        (((1.0, 40),), "no air near -1000 HU"),
        (((0.5, -1000), (0.3, -2000), (0.2, 0)), "lie below -1100 HU"),
        (((0.5, -1000), (0.5, 20000)), "50% of them lie above 4000 HU"),
    ],
)
def test_a_histogram_unlike_ct_is_told_of(shares, says) -> None:
    (told,) = hounsfield_doubts(scan_of(*shares))
    assert told.startswith("values are not reliable Hounsfield units (")
    assert says in told


@pytest.mark.parametrize(
    ("sop_class", "model"),
    [
        ("1.2.840.10008.5.1.4.1.1.13.1.2", ""),
        ("1.2.840.10008.5.1.4.1.1.2", "Imaging Sciences International i-CAT"),
        ("1.2.840.10008.5.1.4.1.1.2", "Planmeca ProMax 3D"),
        ("", "Some CBCT"),
    ],
)
def test_a_cone_beam_scan_is_told_of_whatever_its_values(sop_class, model) -> None:
    for unit in ("HU", ""):
        (told,) = hounsfield_doubts(scan_of(*BODY, unit=unit), sop_class, model)
        assert "cone-beam" in told


def test_values_that_are_not_stated_to_be_hounsfield_are_not_judged() -> None:
    assert hounsfield_doubts(scan_of((1.0, 500), unit="")) == ()


def corners(left_mm: float) -> np.ndarray:
    """A scan 100 mm wide that begins so far to the patient's left."""
    return grid((5, 6, 101), (1, 1, 1), (left_mm, 0, 0)).corners_lps


@pytest.mark.parametrize(
    ("stated", "from_mm", "doubted"),
    [
        ("R", 30, True),
        ("R", 15, False),
        ("R", -50, False),
        ("R", -180, False),
        ("L", -130, True),
        ("L", -115, False),
        ("L", 30, False),
        ("B", 30, False),
        ("U", 30, False),
        ("", 30, False),
    ],
)
def test_a_side_that_the_place_contradicts_is_told_of(stated, from_mm, doubted) -> None:
    told = side_doubts(stated, corners(from_mm))
    assert bool(told) is doubted
    if doubted:
        words = ("right", "left") if stated == "R" else ("left", "right")
        assert f"state the {words[0]} side" in told[0]
        assert f"30 mm or more to the patient's {words[1]}" in told[0]


@pytest.mark.parametrize(("turned", "origin"), [((0, 0, 0), 30.0), ((0, 180, 0), 34.0), ((0, 90, 0), 40.0)])
def test_the_doubt_is_a_warning_of_the_series_however_it_lies(tmp_path: Path, turned, origin) -> None:
    files = written(tmp_path, volume(grid(origin=(origin, 0, 0), turned=turned)))
    assert only(tmp_path).warnings == ()
    edited(files, lambda d: setattr(d, "Laterality", "R"))
    series = only(tmp_path)
    assert series.usable
    assert "make sure of the side" in series.warnings[0]
    edited(files, lambda d: setattr(d, "Laterality", "L"))
    assert only(tmp_path).warnings == ()
