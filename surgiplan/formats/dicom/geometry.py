"""How the pictures of one series lie to each other, from their positions and directions alone.

Slice spacing is the distance of the positions along the slice normal; file names, instance numbers,
SliceThickness and the tilt tag are never believed (DICOM PS3.3 C.7.6.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np

from ...errors import BadInput
from ...values import FloatArray
from .headers import Slice
from .spacing import Spacing, spaced

SAME_PLACE_MM = 0.01
UNIT_LENGTH, RIGHT_ANGLE, PARALLEL = 0.01, 5e-3, 1e-3
SIDEWAYS_MM = 0.1
TILT_MM = 0.05
TILT_DEGREES = 45.0
SPACING_MM = (0.001, 100.0)


@dataclass(frozen=True, eq=False)
class Layout:
    """The regular grid on which a stack of slices lies.

    order: numbers of the given slices, along k
    shape_kji: sizes of the grid; larger than a picture when the stack is tilted
    kji_to_lps: 4x4 from index to patient mm, right-handed, orthogonal
    spacing: how the slices lie among the planes of the grid
    tilt_degrees: angle between the way the slices are stacked and their normal; 0 for a straight stack
    offsets: (n, 2) rows and columns by which each picture is moved into the grid; None when straight
    """

    order: tuple[int, ...]
    shape_kji: tuple[int, int, int]
    kji_to_lps: FloatArray
    spacing: Spacing
    tilt_degrees: float = 0.0
    offsets: FloatArray | None = None

    @property
    def spacing_kji(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxel centres along k, j and i."""
        k, j, i = np.linalg.norm(self.kji_to_lps[:3, :3], axis=0)
        return (float(k), float(j), float(i))


def placed(picture: Slice) -> str:
    """Why the place of a picture is not known; "" when it is."""
    if picture.fault:
        return picture.fault
    if picture.position_lps is None:
        return "it has no ImagePositionPatient, so its place in the patient is not known"
    if picture.directions is None:
        return "it has no ImageOrientationPatient, so its direction in the patient is not known"
    if picture.spacing is None:
        return "it has no PixelSpacing, so its size is not known (detector spacing is not patient spacing)"
    if not SPACING_MM[0] <= min(picture.spacing) <= max(picture.spacing) <= SPACING_MM[1]:
        return f"its PixelSpacing is {picture.spacing[0]:g} x {picture.spacing[1]:g} mm"
    return _crooked(picture.directions)


@lru_cache(maxsize=1024)  # the pictures of a series share their directions
def _crooked(directions: tuple[float, ...]) -> str:
    """Why two directions cannot be those of rows and columns; "" when they can."""
    row, column = np.asarray(directions).reshape(2, 3)
    if np.abs(np.linalg.norm((row, column), axis=1) - 1).max() > UNIT_LENGTH:
        return "its ImageOrientationPatient does not hold unit vectors"
    if abs(float(row @ column)) > RIGHT_ANGLE:
        away = float(np.degrees(np.arcsin(min(abs(float(row @ column)), 1.0))))
        return f"its rows and columns are not at right angles ({away:.1f} degrees off)"
    return ""


def axes_of(slices: Sequence[Slice]) -> FloatArray:
    """3x3, columns are the unit vectors along a row, down a column, and their normal.

    Raises BadInput when the slices are not parallel.
    """
    all_directions = np.array([picture.directions for picture in slices])
    mean = all_directions.mean(axis=0)
    worst = int(np.abs(all_directions - mean).max(axis=1).argmax())
    if np.abs(all_directions[worst] - mean).max() > PARALLEL:
        raise BadInput(f"the slices are not parallel ({named(slices[worst])} is turned against the others)")
    row, column = mean[:3] / np.linalg.norm(mean[:3]), mean[3:] / np.linalg.norm(mean[3:])
    lean = float(row @ column) / 2  # what is left of it is shared by both
    row, column = row - lean * column, column - lean * row
    row /= np.linalg.norm(row)
    column -= row * float(row @ column)
    column /= np.linalg.norm(column)
    return np.column_stack([row, column, np.cross(row, column)])


def places(slices: Sequence[Slice], axes: FloatArray) -> FloatArray:
    """(n, 3) positions along the rows, the columns and the normal, mm."""
    along: FloatArray = np.array([picture.position_lps for picture in slices]) @ axes
    return along


def laid_out(slices: Sequence[Slice]) -> Layout:
    """The grid of slices of one size, spacing and direction, no two at one place.

    slices: in any order, each with position, directions and spacing
    Raises BadInput that says where and by how many mm they do not form one.
    """
    axes = axes_of(slices)
    found = places(slices, axes)
    order = tuple(int(n) for n in np.argsort(found[:, 2], kind="stable"))
    along = found[list(order)]
    ordered = [slices[n] for n in order]
    spacing = _spacing(ordered, along[:, 2])
    height = spacing.heights - spacing.heights.mean()
    drift = (height @ along[:, :2]) / (height @ height) if len(order) > 1 else np.zeros(2)
    centre = along.mean(axis=0)
    _require_on_a_line(ordered, along[:, :2] - centre[:2] - np.outer(height, drift))
    first = np.array([*centre[:2], centre[2] + height[0] * spacing.step])
    if np.linalg.norm(drift) * spacing.heights[-1] <= TILT_MM:
        return _straight(order, ordered[0], axes, spacing, first)
    return _tilted(order, ordered[0], axes, spacing, first, np.outer(height, drift))


def _spacing(slices: Sequence[Slice], distances: FloatArray) -> Spacing:
    if len(slices) == 1:
        if slices[0].thickness <= 0:
            raise BadInput("it is a single slice without a thickness, not a volume")
        return Spacing(slices[0].thickness, np.zeros(1))
    steps = np.diff(distances)
    if steps.min() < SAME_PLACE_MM:
        beside = named(slices[int(steps.argmin()) + 1])
        raise BadInput(f"{beside} lies in the plane of another slice, beside it: the series is no stack")
    return spaced(distances)


def _require_on_a_line(slices: Sequence[Slice], away: FloatArray) -> None:
    sideways = np.linalg.norm(away, axis=1)
    worst = int(sideways.argmax())
    if sideways[worst] > SIDEWAYS_MM:
        raise BadInput(
            f"the slices do not lie on one line: {named(slices[worst])} is {sideways[worst]:.2f} mm off it"
        )


def _straight(
    order: tuple[int, ...], one: Slice, axes: FloatArray, spacing: Spacing, first: FloatArray
) -> Layout:
    shape = (spacing.planes, one.header.rows, one.header.columns)
    return Layout(order, shape, _affine(one, axes, spacing.step, first), spacing)


def _tilted(
    order: tuple[int, ...],
    one: Slice,
    axes: FloatArray,
    spacing: Spacing,
    first: FloatArray,
    shifts: FloatArray,
) -> Layout:
    """The upright grid round a sheared stack; `shifts` are (n, 2) mm along rows and columns."""
    height = spacing.step * float(spacing.heights[-1])
    degrees = float(np.degrees(np.arctan(np.linalg.norm(shifts[-1] - shifts[0]) / height)))
    if degrees > TILT_DEGREES:
        raise BadInput(f"the slices are stacked {degrees:.1f} degrees aslant: this is no gantry tilt")
    assert one.spacing is not None
    corner = shifts.min(axis=0)
    offsets = (shifts - corner)[:, ::-1] / np.asarray(one.spacing)
    more = [ceil(float(most) - 1e-6) for most in offsets.max(axis=0)]
    shape = (spacing.planes, one.header.rows + more[0], one.header.columns + more[1])
    affine = _affine(one, axes, spacing.step, first + np.array([*corner, 0.0]))
    return Layout(order, shape, affine, spacing, degrees, offsets)


def _affine(one: Slice, axes: FloatArray, step: float, first: FloatArray) -> FloatArray:
    assert one.spacing is not None
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack(
        [axes[:, 2] * step, axes[:, 1] * one.spacing[0], axes[:, 0] * one.spacing[1]]
    )
    affine[:3, 3] = np.round(axes @ first, 9) + 0.0
    return affine


def named(picture: Slice) -> str:
    """The name of a picture's file, and of its frame where that holds several."""
    name = picture.header.member.name
    return name if picture.header.frames == 1 else f"{name} frame {picture.frame + 1}"
