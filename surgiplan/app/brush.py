"""Painting voxels by hand: a ball that follows the cursor through a slice."""

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ..plan.plan import Plan, Step
from ..values import Bits, FloatArray, Grid, IntArray, Mask, Vec3
from .desk import Desk
from .eye import Eye
from .inputs import seen_value

_COLOURS = {"added": QColor(76, 195, 138, 150), "removed": QColor(255, 122, 133, 150)}


class Brush:
    """One stroke at a time: voxels are collected while the button is down, and kept when it is let go.

    desk: the open case
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.radius_mm = 3.0
        self._step, self._field = "", ""
        self._grid: Grid | None = None
        self._bits: Bits | None = None
        self._places: list[Vec3] = []

    @property
    def painting(self) -> bool:
        """Whether a stroke is going on."""
        return bool(self._places)

    def take(self, step: Step, field: str) -> None:
        """Paint on the mask of a step, into one of its fields."""
        self._step, self._field, self._grid = step.name, field, None
        for refs in step.references.values():
            for ref in refs:
                if isinstance(value := seen_value(self._desk.results, ref), Mask):
                    self._grid = value.grid

    def press(self, at: Vec3 | None) -> bool:
        """Begin a stroke; False where nothing can be painted."""
        if at is None or self._grid is None:
            return False
        self._bits = getattr(self._desk.kept[self._step].operation, self._field) or Bits()
        self._stamp(at)
        return True

    def move(self, at: Vec3 | None) -> None:
        """Go on to a point; what lies between is painted too."""
        if at is None or not self._places:
            return
        last, now = np.asarray(self._places[-1]), np.asarray(at)
        pieces = max(int(np.linalg.norm(now - last) / (self.radius_mm / 2)), 1)
        for n in range(1, pieces + 1):
            x, y, z = last + (now - last) * (n / pieces)
            self._stamp((float(x), float(y), float(z)))

    def release(self) -> Plan:
        """The plan with the stroke; what is painted on is no longer erased, and the other way round."""
        plan = self._desk.kept
        operation = plan[self._step].operation
        changes = {self._field: self._bits}
        voxels = self._voxels(np.asarray(self._places))
        for field in operation.spec.fields:
            other = getattr(operation, field.name)
            if field.kind is Bits and field.name != self._field and other is not None:
                changes[field.name] = other.without_voxels(voxels)
        self.let_go()
        return plan.edit(self._step, **changes)

    def let_go(self) -> None:
        """Forget the stroke."""
        self._places, self._bits = [], None

    def _stamp(self, at: Vec3) -> None:
        assert self._bits is not None
        self._places.append(at)
        self._bits = self._bits.with_voxels(self._voxels(np.asarray([at])))

    def _voxels(self, centres_lps: FloatArray) -> IntArray:
        """(n, 3) voxels within the radius of any centre."""
        assert self._grid is not None
        shape, spacing = np.asarray(self._grid.shape_kji), np.asarray(self._grid.spacing_kji)
        reach = np.ceil(self.radius_mm / spacing).astype(int)
        span = [np.arange(-n, n + 1) for n in reach]
        offsets = np.stack(np.meshgrid(*span, indexing="ij"), axis=-1).reshape(-1, 3)
        found = []
        for centre in self._grid.to_kji(centres_lps):
            near = np.rint(centre).astype(int) + offsets
            inside = ((near >= 0) & (near < shape)).all(axis=1)
            close = np.linalg.norm((near - centre) * spacing, axis=1) <= self.radius_mm
            found.append(near[inside & close])
        return np.unique(np.concatenate(found), axis=0).astype(np.int32)

    def paint(self, painter: QPainter, eye: Eye) -> None:
        """Paint the stroke so far."""
        if not self._places:
            return
        pen = QPen(_COLOURS.get(self._field, QColor("#FFFFFF")))
        pen.setWidthF(2 * self.radius_mm / eye.mm_per_pixel(self._places[-1]))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        points = [QPointF(x, y) for x, y in eye.pixels(np.asarray(self._places))]
        painter.drawPolyline([*points, points[-1]])
