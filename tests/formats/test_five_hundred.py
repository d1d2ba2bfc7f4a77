"""Five hundred generated series: each is read right, to 0.001 mm and exact in value, or refused rightly.

The truth is a formula in patient millimetres (making.two_balls). Where planes had to be made between
slices or pixels, values may differ by what linear interpolation can: an eighth of the second
derivative times the square of the distance, along each axis, and half a unit for each rounding.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless
from scipy.spatial.transform import Rotation

from surgiplan.formats import dicom
from surgiplan.values import Volume

from .making import (
    STEEPEST,
    SYNTAXES,
    Coding,
    Stack,
    enhanced,
    image,
    saved,
    slopes_of_two_balls,
    two_balls,
)

PLACE_MM, BALL_MM = 0.001, 0.02
OF_EACH = 25
BITS = ((16, 12, False), (16, 16, True), (16, 16, False), (16, 13, True), (8, 8, False))
"""Allocated, stored, signed."""


# --- what is generated


def coding(chance: Generator, count: int, form: int | None = None) -> Coding:
    """Any syntax with any bits and sign, one slope or one for each slice; `form` counts through them."""
    form = int(chance.integers(len(SYNTAXES) * len(BITS))) if form is None else form
    syntax = SYNTAXES[form % len(SYNTAXES)]
    allocated, stored, signed = BITS[form // len(SYNTAXES)]
    usual = 16.0 if stored == 8 else [1.0, 0.5, 2.0, 0.37][chance.integers(4)]
    if stored in (12, 13):
        usual = max(usual, 1.0)
    slopes = [usual] * count
    if chance.random() < 0.2:
        slopes = [usual * (1 + n % 3) for n in range(count)]
    return Coding(syntax, allocated, stored, signed, tuple(slopes), 0.0 if signed else -1024.0)


def turned(chance: Generator, how: str) -> NDArray:
    """Row, column and normal of axial (head or feet first, on any side), sagittal, coronal or any slices."""
    if how == "oblique":
        return Rotation.random(random_state=int(chance.integers(1 << 31))).as_matrix()
    axes = np.eye(3)[:, chance.permutation(3)] * chance.choice([-1.0, 1.0], 3)
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return axes


def stack(chance: Generator, how: str = "", steps: NDArray | None = None, lean=(0.0, 0.0)) -> Stack:
    if steps is None:
        steps = np.full(chance.integers(8, 13), round(float(chance.uniform(1.2, 2.6)), 3))
    pixel = (round(float(chance.uniform(0.9, 1.6)), 4), round(float(chance.uniform(1.0, 1.9)), 4))
    size = (int(chance.integers(15, 21)), int(chance.integers(14, 19)))
    centre = np.round(chance.uniform(-300, 300, 3), 3)
    distances = np.concatenate([[0.0], np.cumsum(steps)])
    stored = coding(chance, len(distances))
    return Stack.round_a_centre(turned(chance, how), pixel, size, distances, lean, centre, stored)


def leaning(chance: Generator, sign: int) -> tuple[float, float]:
    """A gantry tilt of 4 to 28 degrees about the rows."""
    return (0.0, sign * float(np.tan(np.radians(chance.uniform(4, 28)))))


def blocks(chance: Generator) -> NDArray:
    fine = round(float(chance.uniform(1.0, 1.6)), 2)
    return np.repeat([fine, fine * [1.5, 2.0, 2.37, 3.0][chance.integers(4)]], [chance.integers(4, 7), 4])


def jittered(chance: Generator) -> NDArray:
    return np.round(1.6 + chance.uniform(-0.3, 0.3, 10), 3) + np.eye(10)[0] * 0.35


def written(
    folder: Path, scanned: Stack, chance: Generator, seed: str = "s", keep=None, change=None, **elements
):
    """Write the slices `keep` under shuffled names and with shuffled instance numbers."""
    count = len(scanned.starts)
    kept = range(count) if keep is None else keep
    names, numbers = chance.permutation(10 * count), chance.permutation(count)
    for k in kept:
        own = {"InstanceNumber": int(numbers[k]) + 1} | elements
        dataset = image(scanned, k, seed, **own)
        if change:
            change(dataset, k)
        saved(dataset, [scanned.stored(k)], folder / f"{seed}{names[k]:04}", scanned.coding.syntax)


# --- what is demanded


def usable(found: dicom.Scan) -> list[dicom.Series]:
    return [series for series in found.series if series.usable]


def require_exact(series: dicom.Series, scanned: Stack, keep=None) -> None:
    """Every pixel of every slice lies in the volume where it was scanned, with the value that was stored."""
    assert series.usable, series.reason
    read = dicom.read_series(series)
    kept = range(len(scanned.starts)) if keep is None else keep
    assert read.grid.shape_kji == (len(kept), *scanned.size)
    assert np.linalg.det(read.grid.axes[:, ::-1]) == pytest.approx(1)
    seen = set()
    for k in kept:
        points = scanned.pixels_lps(k).reshape(-1, 3)
        at = np.rint(read.grid.to_kji(points)).astype(int)
        assert np.linalg.norm(read.grid.to_lps(at) - points, axis=1).max() <= PLACE_MM
        assert np.array_equal(read.voxels[tuple(at.T)], scanned.hu(k).ravel().astype(read.voxels.dtype))
        seen |= set(at[:, 0])
    assert len(seen) == len(kept)


def require_close(series: dicom.Series, scanned: Stack) -> Volume:
    """Inside the slices the volume holds the phantom as far as interpolation can, nothing of it displaced."""
    assert series.usable, series.reason
    read = dicom.read_series(series)
    points = read.grid.to_lps(np.argwhere(np.ones(read.grid.shape_kji, bool)))
    linear, inside = scanned.between(points)
    assert inside.mean() > 0.4
    values, points = read.voxels.ravel()[inside], points[inside]
    leaning = bool(np.abs(np.diff(scanned.starts, axis=0) @ scanned.axes[:, :2]).max() > 1e-6)
    rounding = max(scanned.coding.slopes) / 2 + 1.0
    in_plane = STEEPEST / 8 * (scanned.pixel[0] ** 2 + scanned.pixel[1] ** 2) if leaning else 0.0
    widest = float(np.abs(np.diff(scanned.starts, axis=0) @ scanned.axes[:, 2]).max())
    along = STEEPEST / 8 * widest**2
    assert np.abs(values - linear[inside]).max() <= rounding + in_plane
    assert np.abs(values - two_balls(points, scanned.centre)).max() <= rounding + in_plane + along
    gradient = slopes_of_two_balls(points, scanned.centre)
    shift = np.linalg.lstsq(gradient, linear[inside] - values, rcond=None)[0]
    assert np.linalg.norm(shift) <= BALL_MM
    starts = read.grid.to_kji(scanned.starts)
    assert starts.min() >= -1e-3
    assert (starts <= np.array(read.grid.shape_kji) - 1 + 1e-3).all()
    return read


def only(folder: Path) -> dicom.Series:
    (series,) = dicom.scan(folder).series
    return series


def require_refused(series: dicom.Series, words: str, choices: tuple[str, ...] = ()) -> None:
    assert not series.usable, "a series that must be refused is read"
    assert words in series.reason
    assert series.choices == choices


def places_told(text: str) -> list[float]:
    """The millimetres along the stack that a message names."""
    return [float(number) for number in re.findall(r"-?\d+\.\d\d(?=\D)", text)]


# --- the kinds of series


def plain(folder: Path, chance: Generator) -> None:
    scanned = stack(chance)
    written(folder, scanned, chance)
    series = only(folder)
    require_exact(series, scanned)
    assert series.warnings == ()


def oblique(folder: Path, chance: Generator) -> None:
    scanned = stack(chance, "oblique")
    written(folder, scanned, chance)
    series = only(folder)
    require_exact(series, scanned)
    assert series.warnings == ()


def tilted(folder: Path, chance: Generator, sign: int = 1) -> None:
    lean = leaning(chance, sign)
    scanned = stack(chance, "oblique" if chance.random() < 0.3 else "", lean=lean)
    written(folder, scanned, chance)
    series = only(folder)
    require_close(series, scanned)
    assert f"{np.degrees(np.arctan(abs(lean[1]))):.1f} degrees" in series.warnings[0]


def tilted_back(folder: Path, chance: Generator) -> None:
    tilted(folder, chance, -1)


def uneven(folder: Path, chance: Generator, lean=(0.0, 0.0)) -> None:
    steps = blocks(chance) if chance.random() < 0.5 else jittered(chance)
    steps = steps[::-1] if chance.random() < 0.5 else steps
    scanned = stack(chance, "oblique" if chance.random() < 0.5 else "", steps, lean)
    written(folder, scanned, chance)
    series = only(folder)
    require_close(series, scanned)
    told = " ".join(series.warnings)
    assert f"unevenly spaced, {steps.min():.3f} to {steps.max():.3f} mm" in told
    length = steps.sum()
    assert series.spacing_kji[0] == pytest.approx(length / np.ceil(length / steps.min() - 1e-6), abs=PLACE_MM)


def uneven_and_tilted(folder: Path, chance: Generator) -> None:
    uneven(folder, chance, leaning(chance, int(chance.choice([-1, 1]))))


def missing(folder: Path, chance: Generator, lean=(0.0, 0.0)) -> None:
    scanned = stack(chance, "oblique" if chance.random() < 0.5 else "", lean=lean)
    count = len(scanned.starts)
    width = int(chance.integers(1, 3))
    first = int(chance.integers(1, count - width))
    gone = range(first, first + width)
    kept = [k for k in range(count) if k not in gone]
    written(folder, scanned, chance, keep=kept)
    series = only(folder)
    what = "1 slice is missing" if width == 1 else f"{width} slices are missing"
    ends = (scanned.starts[[first - 1, first + width]] @ scanned.axes[:, 2]).tolist()
    require_refused(series, what, ("missing",))
    assert places_told(series.reason)[:2] == pytest.approx(ends, abs=0.01)
    made = dicom.accepted(series, ("missing",))
    assert places_told(made.accepted["missing"]) == pytest.approx(ends, abs=0.01)
    (notice,) = [warning for warning in made.warnings if "made up" in warning]
    assert places_told(notice) == pytest.approx(ends, abs=0.01)
    left = replace(scanned, starts=scanned.starts[kept])
    read = require_close(made, left)
    assert read.grid.shape_kji[0] == count
    if lean == (0.0, 0.0):
        for k in kept:
            at = np.rint(read.grid.to_kji(scanned.starts[k])).astype(int)
            assert np.linalg.norm(read.grid.to_lps(at) - scanned.starts[k]) <= PLACE_MM
            there = np.rint(read.grid.to_kji(scanned.pixels_lps(k).reshape(-1, 3))).astype(int)
            assert np.array_equal(
                read.voxels[tuple(there.T)], scanned.hu(k).ravel().astype(read.voxels.dtype)
            )


def missing_and_tilted(folder: Path, chance: Generator) -> None:
    missing(folder, chance, leaning(chance, 1))


def copies(folder: Path, chance: Generator) -> None:
    scanned = stack(chance)
    written(folder, scanned, chance)
    twice = [int(k) for k in chance.choice(len(scanned.starts), 2, replace=False)]
    other = scanned
    if chance.random() < 0.5:  # the same values in other bits
        usual = replace(scanned.coding, syntax=RLELossless)
        other = replace(scanned, coding=usual)
    for k in twice:
        again = image(other, k, "s", SOPInstanceUID=f"1.2.3.{k}")
        saved(again, [other.stored(k)], folder / f"again{k}", other.coding.syntax)
    series = only(folder)
    require_exact(series, scanned)
    assert series.warnings == ("2 images that are there twice with the same pixels left out",)


def duplicates(folder: Path, chance: Generator) -> None:
    scanned = stack(chance)
    for k in range(len(scanned.starts)):
        saved(image(scanned, k, "s"), [scanned.stored(k)], folder / f"x{k}", scanned.coding.syntax)
    k = int(chance.integers(len(scanned.starts)))
    for name, axis in (("a-later", 0), ("0-also", 1)):
        other = image(scanned, k, "s", SOPInstanceUID=f"1.2.3.{axis}", InstanceNumber=100 + axis)
        saved(other, [np.flip(scanned.stored(k), axis).copy()], folder / name, scanned.coding.syntax)
    series = only(folder)
    require_refused(series, "3 different images lie at one place", ("duplicates",))
    assert places_told(series.reason)[0] == pytest.approx(scanned.starts[k] @ scanned.axes[:, 2], abs=0.01)
    made = dicom.accepted(series, {"duplicates", "missing"})
    require_exact(made, scanned)
    assert "a-later" in made.warnings[0]
    assert "0-also" in made.warnings[0]


def two_patients(folder: Path, chance: Generator) -> None:
    one, other = stack(chance), stack(chance, "oblique")
    written(folder, one, chance, "a", PatientID="1")
    written(folder, other, chance, "b", PatientID="2")
    found = dicom.scan(folder)
    assert "more than one patient" in found.notes[0]
    of = {series.identity.patient_id: series for series in found.series}
    require_exact(of["1"], one)
    require_exact(of["2"], other)


def patients_mixed(folder: Path, chance: Generator) -> None:
    scanned = stack(chance)
    element = ["PatientID", "PatientName", "PatientBirthDate"][chance.integers(3)]
    odd = int(chance.integers(len(scanned.starts)))
    values = ("19500101", "19600101") if "Date" in element else ("One", "Two")
    written(folder, scanned, chance, change=lambda d, k: setattr(d, element, values[k == odd]))
    require_refused(only(folder), "more than one patient")


def scouts(folder: Path, chance: Generator) -> None:
    """A localizer in the series: said to be one, or only turned or sized as one."""
    scanned, scout = stack(chance), stack(chance)
    written(folder, scanned, chance)
    kind = chance.integers(3)
    about = {"FrameOfReferenceUID": image(scanned, 0, "s").FrameOfReferenceUID}
    if kind == 0:
        scout = replace(scanned, starts=scanned.starts[:1] + 40.0)
        about["ImageType"] = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    elif kind == 1:
        scout = replace(scanned, axes=scanned.axes[:, [1, 2, 0]])
    else:
        scout = replace(scanned, size=(31, 12))
    one = image(scout, 0, "s", SOPInstanceUID="1.2.3", **about)
    saved(one, [scout.stored(0)], folder / "scout", scout.coding.syntax)
    found = dicom.scan(folder)
    assert len(found.series) == 2
    require_exact(found.series[0], scanned)
    require_refused(found.series[1], "localizer" if kind == 0 else "single image")


MARKS = (
    ("AcquisitionNumber", 1, 2),
    ("EchoNumbers", 1, 2),
    ("EchoTime", 4.5, 9.25),
    ("TemporalPositionIdentifier", 1, 2),
    ("TriggerTime", 0.0, 120.0),
    ("DiffusionBValue", 0.0, 1000.0),
    ("ConvolutionKernel", "B30f", "B70s"),
    ("InversionTime", 100, 900),
    ("ImageType", ["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]),
)


def phases(folder: Path, chance: Generator) -> None:
    early = stack(chance)
    late = replace(early, centre=early.centre + 0.7)  # the same slices of a body that has moved
    name, *values = MARKS[chance.integers(len(MARKS))]
    written(folder / "a", early, chance, **{name: values[0]})

    def other(dataset: Dataset, k: int) -> None:
        dataset.SOPInstanceUID = f"1.2.3.{k}"

    written(folder / "b", late, chance, change=other, **{name: values[1]})
    found = usable(dicom.scan(folder))
    assert len(found) == 2
    for value, truth in zip(values, (early, late), strict=True):
        (series,) = [one for one in found if stated(one, name) == value]
        require_exact(series, truth)


def stated(series: dicom.Series, name: str) -> object:
    """What all pictures of a series say under this mark."""
    (text,) = {dict(picture.marks)[name] for picture in series.slices}
    if "\\" in text:
        return text.split("\\")
    return float(text) if text[0].isdigit() else text


def frames(folder: Path, chance: Generator) -> None:
    scanned = stack(chance, "oblique" if chance.random() < 0.5 else "")
    order = [int(k) for k in chance.permutation(len(scanned.starts))]
    whole = enhanced(scanned, order, "s")
    saved(whole, [scanned.stored(k) for k in order], folder / "multi", scanned.coding.syntax)
    series = only(folder)
    require_exact(series, scanned)
    assert len(series.files) == 1


def odd_frames(folder: Path, chance: Generator) -> None:
    """Frames tilted, uneven, missing, or of two b-values."""
    kind = chance.integers(4)
    steps = blocks(chance) if kind == 1 else None
    lean = leaning(chance, -1) if kind == 0 else (0.0, 0.0)
    scanned = stack(chance, steps=steps, lean=lean)
    order = [int(k) for k in chance.permutation(len(scanned.starts))]
    if kind == 2:
        order.remove(4)
    if kind == 3:
        order = order + order
    values = [0.0] * (len(order) // 2) + [800.0] * (len(order) - len(order) // 2)
    whole = enhanced(scanned, order, "s", **({"DiffusionBValue": values} if kind == 3 else {}))
    pictures = [scanned.stored(k) for k in order]
    if kind == 3:
        pictures[len(order) // 2 :] = [np.flip(one, axis=1).copy() for one in pictures[len(order) // 2 :]]
    saved(whole, pictures, folder / "multi", scanned.coding.syntax)
    if kind == 3:
        found = usable(dicom.scan(folder))
        assert len(found) == 2
        (low,) = [series for series in found if stated(series, "DiffusionBValue") == 0]
        require_exact(low, scanned)
    elif kind == 2:
        require_refused(only(folder), "1 slice is missing", ("missing",))
    else:
        require_close(only(folder), scanned)


def placeless(folder: Path, chance: Generator) -> None:
    """One slice, or all, whose place or size is not known or not to be believed."""
    reason, spoil = [
        ("ImagePositionPatient", lambda d: delattr(d, "ImagePositionPatient")),
        ("ImageOrientationPatient", lambda d: delattr(d, "ImageOrientationPatient")),
        ("PixelSpacing", lambda d: (delattr(d, "PixelSpacing"), setattr(d, "ImagerPixelSpacing", [1, 1]))),
        ("PixelSpacing is 0 x 0", lambda d: setattr(d, "PixelSpacing", [0, 0])),
        ("not at right angles", lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0.1, 0.995, 0])),
        ("unit vectors", lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0, 2, 0])),
        ("high bit", lambda d: setattr(d, "HighBit", d.BitsStored)),
        ("in colours", lambda d: setattr(d, "PhotometricInterpretation", "PALETTE COLOR")),
    ][chance.integers(8)]
    scanned = stack(chance)
    odd = None if chance.random() < 0.3 else int(chance.integers(len(scanned.starts)))
    written(folder, scanned, chance, change=lambda d, k: spoil(d) if odd in (None, k) else None)
    require_refused(only(folder), reason)


def contradictions(folder: Path, chance: Generator) -> None:
    """Slices that do not fit each other: pixel spacing, direction, a sideways step, absurd steps."""
    kind = chance.integers(4)
    steps = np.array([1.0] * 5 + [11.0] * 4) if kind == 3 else None
    scanned = stack(chance, steps=steps)
    odd = int(chance.integers(len(scanned.starts)))

    def change(dataset: Dataset, k: int) -> None:
        if k != odd:
            return
        if kind == 0:
            dataset.PixelSpacing = [scanned.pixel[0], scanned.pixel[1] * 1.01]
        elif kind == 1:
            axes = scanned.axes @ Rotation.from_rotvec([0, 0, 0.004]).as_matrix()
            dataset.ImageOrientationPatient = [round(float(x), 12) for x in axes[:, :2].T.ravel()]
        elif kind == 2:
            beside = scanned.starts[k] + 0.8 * scanned.axes[:, 0]
            dataset.ImagePositionPatient = [round(float(x), 9) for x in beside]

    written(folder, scanned, chance, change=change)
    reasons = ("contradict each other", "not parallel", "do not lie on one line", "too unevenly")
    require_refused(only(folder), reasons[kind])


def kept_as_measured(folder: Path, chance: Generator) -> None:
    """MONOCHROME1, padding, slope 0, lies in other tags: the values and places stay what they are."""
    kind = chance.integers(5)
    scanned = stack(chance, "oblique")
    scanned = replace(scanned, coding=replace(scanned.coding, slopes=(scanned.coding.slopes[0],) * 99))
    lies = {
        0: {"PhotometricInterpretation": "MONOCHROME1"},
        1: {"SpacingBetweenSlices": 9.0, "SliceThickness": 0.1, "GantryDetectorTilt": 20.0},
        2: {"SliceLocation": 5.0, "PatientPosition": "FFP"},
        3: {"ImagesInAcquisition": 99},
        4: {"BurnedInAnnotation": "YES"},
    }[int(kind)]
    written(folder, scanned, chance, **lies)
    series = only(folder)
    require_exact(series, scanned)
    assert len(series.warnings) == (0 if kind in (1, 2) else 1)


def mixed_spacings(folder: Path, chance: Generator) -> None:
    """A series reconstructed twice over the same planes, with another pixel spacing: two volumes."""
    one = stack(chance)
    other = replace(one, pixel=(one.pixel[0] * 0.8, one.pixel[1] * 0.9), centre=one.centre)
    written(folder / "a", one, chance)
    written(folder / "b", other, chance, change=lambda d, k: setattr(d, "SOPInstanceUID", f"1.2.3.{k}"))
    found = usable(dicom.scan(folder))
    assert len(found) == 2
    for truth in (one, other):
        (series,) = [s for s in found if s.spacing_kji[1] == pytest.approx(truth.pixel[0])]
        require_exact(series, truth)


KINDS: tuple[Callable[[Path, Generator], None], ...] = (
    plain,
    oblique,
    tilted,
    tilted_back,
    uneven,
    uneven_and_tilted,
    missing,
    missing_and_tilted,
    copies,
    duplicates,
    two_patients,
    patients_mixed,
    scouts,
    phases,
    frames,
    odd_frames,
    placeless,
    contradictions,
    mixed_spacings,
    kept_as_measured,
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("part", range(5))
def test_a_generated_series_is_read_right_or_refused_for_its_reason(tmp_path: Path, kind, part) -> None:
    for number in range(5 * part, 5 * part + 5):
        chance = np.random.default_rng([KINDS.index(kind), number])
        try:
            kind(tmp_path / str(number), chance)
        except Exception as problem:
            problem.add_note(f"in the {kind.__name__} series number {number}")
            raise


def test_there_are_five_hundred_of_them() -> None:
    assert len(KINDS) * OF_EACH == 500


@pytest.mark.slow
def test_every_syntax_is_read_with_every_number_of_bits(tmp_path: Path) -> None:
    for form in range(len(SYNTAXES) * len(BITS)):
        chance = np.random.default_rng(form)
        scanned = stack(chance)
        scanned = replace(scanned, coding=coding(chance, len(scanned.starts), form))
        written(tmp_path / str(form), scanned, chance)
        require_exact(only(tmp_path / str(form)), scanned)
