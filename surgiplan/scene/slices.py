"""The three 2D views: which voxels are seen, which way they lie, and what crosses them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..values import BoolArray, FloatArray, Grid, Mask, Vec3, vec3
from .outlines import Frame, Outline
from .view import Axis, Convention, Framing, View

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
_OBLIQUE = float(np.sin(np.radians(15.0)))
_L, _P, _H = 0, 1, 2
MASK_COLOUR = "#56B4E9"
# patient axis across the view, to the right and downwards; the sign says towards which end
_LOOK: Mapping[Axis, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "axial": (_H, (_L, 1), (_P, 1)),
    "coronal": (_P, (_L, 1), (_H, -1)),
    "sagittal": (_L, (_P, 1), (_H, -1)),
}


@dataclass(frozen=True)
class Dot:
    """A marked place that lies in a slice.

    name: the PointMark it stands for
    xy_mm: its place, sheet mm
    """

    name: str
    xy_mm: tuple[float, float]
    text: str
    severity: str = "info"


@dataclass(frozen=True, eq=False)
class Cover:
    """A mask as a slice shows it.

    name: the step that gives it
    colour: "#rrggbb"
    pixels: [row, column] bool
    """

    name: str
    colour: str
    pixels: BoolArray


@dataclass(frozen=True, eq=False)
class Slice:
    """One 2D view. Its sheet has x to the right, y down, mm, and (0, 0) in the middle of pixels[0, 0].

    pixels: [row, column] read-only view into the scan
    pixel_mm: distance of neighbouring pixel centres down a column and along a row, mm
    frame: where the sheet lies in the patient
    thickness_mm: distance to the next slice
    index, count: which slice of how many, counted from feet to head, front to back or right to left
    letters: where the left, right, top and bottom edge of the picture lie in the patient
    crosshair_mm: the crosshair on the sheet
    outlines, dots: the shapes and marks that cross it
    overlay: [row, column] the chosen mask, or None
    overlay_colour: its colour, "#rrggbb"
    covers: the other masks that are shown
    scale_bar_mm: a round length, about a fifth of the longer side that is shown
    position: which slice, in words
    zoom, pan_mm: how the view frames the sheet
    """

    axis: Axis
    pixels: NDArray[Any]
    pixel_mm: tuple[float, float]
    frame: Frame
    thickness_mm: float
    index: int
    count: int
    letters: tuple[str, str, str, str]
    crosshair_mm: tuple[float, float]
    scale_bar_mm: float
    position: str
    outlines: tuple[Outline, ...] = ()
    dots: tuple[Dot, ...] = ()
    overlay: BoolArray | None = None
    overlay_colour: str = MASK_COLOUR
    covers: tuple[Cover, ...] = ()
    zoom: float = 1.0
    pan_mm: tuple[float, float] = (0.0, 0.0)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the picture, whole pixels included, mm."""
        rows, columns = self.pixels.shape
        return columns * self.pixel_mm[1], rows * self.pixel_mm[0]

    @property
    def centre_mm(self) -> tuple[float, float]:
        """The middle of the picture on the sheet, mm."""
        rows, columns = self.pixels.shape
        return (columns - 1) / 2 * self.pixel_mm[1], (rows - 1) / 2 * self.pixel_mm[0]

    def to_lps(self, xy_mm: ArrayLike) -> FloatArray:
        """Patient coordinates (n, 3) or (3,) of sheet coordinates, mm."""
        return self.frame.to_lps(xy_mm)

    def from_lps(self, points_lps: ArrayLike) -> FloatArray:
        """Sheet coordinates (n, 2) or (2,) of patient points, mm."""
        return self.frame.from_lps(points_lps)

    def stepped(self, point_lps: ArrayLike, steps: int) -> Vec3:
        """A point moved by whole slices, no farther than the last one; for the mouse wheel.

        steps: positive towards the head, the back or the left
        """
        away = min(max(self.index + steps, 0), self.count - 1) - self.index
        inwards = self.thickness_mm * away - float(self.frame.distance(point_lps)) * self._towards
        return vec3(np.asarray(point_lps, np.float64) + inwards * self._towards * self.frame.normal)

    @property
    def _towards(self) -> int:
        """1 where the normal of the sheet points to the head, back or left, else -1."""
        return 1 if self.frame.normal[_LOOK[self.axis][0]] > 0 else -1

    def to_text(self) -> str:
        """The slice in one line."""
        rows, columns = self.pixels.shape
        left, right, top, bottom = self.letters
        words = [f"slice {self.axis}", self.position, f"{columns} x {rows} pixels"]
        words += [f"left {left} right {right} top {top} bottom {bottom}"]
        words += [f"outline {one.name} {len(one.segments)}" for one in self.outlines if len(one.segments)]
        words += [f"dot {one.name}" for one in self.dots]
        if self.overlay is not None:
            words.append(f"overlay {int(np.count_nonzero(self.overlay))}")
        words += [f"cover {one.name} {int(np.count_nonzero(one.pixels))}" for one in self.covers]
        return ", ".join(words)


@dataclass(frozen=True)
class _Look:
    """Which axis of a grid lies across the view, down and along it, and whether each is turned round."""

    across: int
    down: int
    along: int
    turned: tuple[bool, bool, bool]


def cut_through(
    grid: Grid,
    voxels: NDArray[Any] | None,
    axis: Axis,
    view: View,
    mask: Mask | None = None,
    others: Iterable[tuple[str, str, Mask]] = (),
) -> Slice:
    """The slice of a scan that holds the crosshair, the way it is looked at; outlines are left empty.

    grid: where the voxels lie; an oblique one is shown along its own axes
    voxels: [k, j, i] grey values; None for an empty picture on that grid
    mask: shown as overlay
    others: name, colour and voxels of further masks
    """
    bare, look, at = _bare(grid, axis, view.convention, view.crosshair_lps, view.framing(axis))
    return replace(
        bare,
        pixels=bare.pixels if voxels is None else _seen(voxels, look, at),
        overlay=None if mask is None else _overlay(mask, grid, bare.frame, look, at),
        covers=tuple(
            Cover(name, colour, _overlay(one, grid, bare.frame, look, at)) for name, colour, one in others
        ),
    )


@lru_cache(maxsize=12)
def _bare(
    grid: Grid, axis: Axis, convention: Convention, crosshair: Vec3, framing: Framing
) -> tuple[Slice, _Look, int]:
    """A slice with everything but its pixels, how it lies in the grid, and its index along the grid."""
    look = _look(grid, axis, convention)
    counts, steps = np.asarray(grid.shape_kji), np.asarray(grid.spacing_kji)
    at = np.clip(np.rint(grid.to_kji(crosshair)), 0, counts - 1).astype(int)
    turned = np.zeros(3, np.bool_)
    turned[[look.across, look.down, look.along]] = look.turned
    corner = np.where(turned, counts - 1, 0)
    corner[look.across] = at[look.across]
    frame = Frame(
        vec3(grid.to_lps(corner)),
        vec3(grid.axes[:, look.along] * (-1 if look.turned[2] else 1)),
        vec3(grid.axes[:, look.down] * (-1 if look.turned[1] else 1)),
    )
    index, count = int(at[look.across]), int(counts[look.across])
    longest = float((counts * steps)[[look.along, look.down]].max()) / framing.zoom
    shown = count - 1 - index if look.turned[0] else index
    bare = Slice(
        axis=axis,
        pixels=_seen(np.broadcast_to(np.int16(-32768), grid.shape_kji), look, index),
        pixel_mm=(float(steps[look.down]), float(steps[look.along])),
        frame=frame,
        thickness_mm=float(steps[look.across]),
        index=shown,
        count=count,
        letters=_letters_of(frame),
        crosshair_mm=_pair(frame.from_lps(crosshair)),
        scale_bar_mm=round_length(longest / 5),
        position=_position(axis, frame, crosshair, shown, count),
        zoom=framing.zoom,
        pan_mm=framing.pan_mm,
    )
    return bare, look, index


def patient_grid(low_lps: ArrayLike, high_lps: ArrayLike) -> Grid:
    """A grid along the patient axes round a box, for slices through shapes without a scan.

    Its corners are round numbers, so that it stays what it is while a shape in it is moved a little.
    """
    low, high = np.asarray(low_lps, np.float64), np.asarray(high_lps, np.float64)
    unit = 2.0 ** round(float(np.log2(max(float((high - low).max()), 0.1) / 8)))
    low = np.floor((low - unit / 2) / unit) * unit
    high = np.ceil((high + unit / 2) / unit) * unit
    step = min(1.0, unit / 16)
    i, j, k = np.rint((high - low) / step).astype(int) + 1
    return _lattice((int(k), int(j), int(i)), vec3(low), step)


@lru_cache(maxsize=4)
def _lattice(shape_kji: tuple[int, int, int], low_lps: Vec3, step_mm: float) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * step_mm
    affine[:3, 3] = low_lps
    return Grid(shape_kji, affine)


def letters_towards(direction: ArrayLike) -> str:
    """Which way a direction points in the patient: "L", or two letters such as "AL" when it is oblique.

    A second letter is given from 15 degrees on; the stronger one comes first.
    """
    vector = np.asarray(vec3(direction))
    vector = vector / np.linalg.norm(vector)
    order = np.argsort(-np.abs(vector), kind="stable")[:2]
    first, second = (_LETTERS[n][int(vector[n] > 0)] for n in order)
    return first + (second if abs(vector[order[1]]) > _OBLIQUE else "")


def round_length(at_most_mm: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50 ... mm that is not longer than this."""
    power = 10.0 ** np.floor(np.log10(max(at_most_mm, 1e-3)))
    return float(max(n * power for n in (1, 2, 5) if n * power <= max(at_most_mm, 1e-3) * (1 + 1e-9)))


def shade(pixels: NDArray[Any], window: float, level: float) -> NDArray[np.uint8]:
    """Grey values as 8-bit brightness: black below level - window/2, white above level + window/2.

    pixels: [row, column] int16 (through a table) or float32
    """
    if pixels.dtype == np.int16:
        codes: NDArray[np.uint16] = pixels.view(np.uint16)
        return np.take(_table(window, level), codes)
    grey = (pixels - np.float32(level - window / 2)) * np.float32(255.0 / window)
    return np.asarray(np.clip(grey, 0.0, 255.0, out=grey), np.uint8)


@lru_cache(maxsize=8)
def _table(window: float, level: float) -> NDArray[np.uint8]:
    """Brightness of every int16 value, in the order of its bits read as uint16."""
    grey = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float32)
    bright = np.clip((grey - (level - window / 2)) * (255.0 / window), 0, 255)
    return np.asarray(bright, np.uint8)


def dots_near(
    frame: Frame, thickness_mm: float, marks: Iterable[tuple[str, Vec3, str, str]]
) -> tuple[Dot, ...]:
    """The marks (name, place, text, severity) that lie in a slice, or within 1 mm of it."""
    reach = max(thickness_mm / 2, 1.0)
    return tuple(
        Dot(name, _pair(frame.from_lps(at)), text, severity)
        for name, at, text, severity in marks
        if abs(float(frame.distance(at))) <= reach
    )


def _look(grid: Grid, axis: Axis, convention: Convention) -> _Look:
    """How a grid is looked at: its axis nearest to each patient axis, all three different."""
    near = np.abs(grid.axes)
    of_patient = max(permutations(range(3)), key=lambda p: float(sum(near[n, p[n]] for n in range(3))))
    across, (right, right_end), (down, down_end) = _LOOK[axis]
    if convention == "neurological" and axis != "sagittal":
        right_end = -right_end
    ends = ((across, 1), (down, down_end), (right, right_end))
    turned = [bool(grid.axes[patient, of_patient[patient]] * end < 0) for patient, end in ends]
    return _Look(of_patient[across], of_patient[down], of_patient[right], (turned[0], turned[1], turned[2]))


def _seen(voxels: NDArray[Any], look: _Look, index: int) -> NDArray[Any]:
    """One slice of a [k, j, i] array as it is looked at; a view, nothing is copied."""
    sheet: NDArray[Any] = np.moveaxis(voxels, (look.across, look.down, look.along), (0, 1, 2))[index]
    sheet = sheet[:: -1 if look.turned[1] else 1, :: -1 if look.turned[2] else 1]
    if sheet.flags.writeable:
        sheet.flags.writeable = False
    return sheet


def _overlay(mask: Mask, grid: Grid, frame: Frame, look: _Look, index: int) -> BoolArray:
    """A mask on the pixels of a slice; on another grid the nearest voxel is taken."""
    if mask.grid.same_as(grid):
        return _seen(mask.voxels, look, index)
    rows, columns = grid.shape_kji[look.down], grid.shape_kji[look.along]
    y, x = np.mgrid[:rows, :columns].reshape(2, -1)
    places = frame.to_lps(
        np.stack([x * grid.spacing_kji[look.along], y * grid.spacing_kji[look.down]], axis=1)
    )
    kji = np.rint(mask.grid.to_kji(places)).astype(np.int64)
    inside = ((kji >= 0) & (kji < mask.grid.shape_kji)).all(axis=1)
    chosen = np.zeros(rows * columns, np.bool_)
    chosen[inside] = mask.voxels[tuple(kji[inside].T)]
    chosen.flags.writeable = False
    return chosen.reshape(rows, columns)


def _letters_of(frame: Frame) -> tuple[str, str, str, str]:
    right, down = np.asarray(frame.right), np.asarray(frame.down)
    return (letters_towards(-right), letters_towards(right), letters_towards(-down), letters_towards(down))


def _position(axis: Axis, frame: Frame, crosshair: Vec3, index: int, count: int) -> str:
    across = _LOOK[axis][0]
    place = float(frame.to_lps(frame.from_lps(crosshair))[across])
    letter = _LETTERS[across][int(place >= 0)]
    return f"{letter} {abs(place):.1f} mm, slice {index + 1} of {count}"


def _pair(numbers: ArrayLike) -> tuple[float, float]:
    x, y = np.asarray(numbers, np.float64)
    return float(x), float(y)
