"""Tools that work where the cursor is: brush, ball, and a click on an island."""

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ...algorithms.strokes import Layer, brushed, island
from ...values import Vec3, vec3
from ..views.eye import Eye
from .easel import Easel, Sight
from .tool import LINE, SHADOW, Tool


class Brush(Tool):
    """A round brush: a disc in a slice, or a ball through several slices and on a surface."""

    hint = "Paint with the left button, Ctrl: the other way round. Shift+wheel, [ and ]: size."
    ball = False

    def __init__(self, easel: Easel) -> None:
        super().__init__(easel)
        self._way: list[Vec3] = []
        self._layer: Layer | None = None

    @property
    def busy(self) -> bool:
        """Whether a stroke is going on."""
        return bool(self._way)

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Begin a stroke."""
        at = where.point_at(x, y)
        if at is None:
            return False
        layer = self.easel.layer(where, at)
        if where.slice is not None and layer is None:
            return False
        self.where, self._layer = where, None if self.ball else layer
        self._stamp(at)
        return True

    def move(self, x: float, y: float) -> None:
        """Go on; what lies between two places of the cursor is painted too."""
        if self.where is not None and self._way and (at := self.where.point_at(x, y)) is not None:
            self._stamp(at)

    def _stamp(self, at: Vec3) -> None:
        grid = self.easel.grid
        if grid is None or self.where is None:
            return
        self.cursor = at
        piece = np.asarray([*self._way[-1:], at])
        new = brushed(grid, piece, self.easel.settings.radius_mm, self._layer)
        self.easel.stroke = self.easel.stroke | self.easel.limited(new)
        self._way.append(at)
        self.where.repaint_hand()

    def release(self) -> None:
        """Keep the stroke."""
        if not self._way:
            return
        stroke, self._way = self.easel.stroke, []
        erase = self.easel.erasing
        self.easel.keep(stroke, erase, "erase from" if erase else "brush")

    def drop(self) -> None:
        """Forget the stroke."""
        self._way = []

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """The rim of the brush under the cursor; on a surface also the way it went."""
        if where is not self.where or self.cursor is None:
            return
        radius = self.easel.settings.radius_mm / eye.mm_per_pixel(self.cursor)
        if where.slice is None and self._way:
            pen = QPen(QColor(255, 122, 133, 110) if self.easel.erasing else QColor(76, 195, 138, 110))
            pen.setWidthF(2 * radius)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            points = [QPointF(x, y) for x, y in eye.pixels(np.asarray(self._way))]
            painter.drawPolyline([*points, points[-1]])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        centre = QPointF(*eye.pixel(self.cursor))
        solid = Qt.PenStyle.DashLine if self.easel.erasing else Qt.PenStyle.SolidLine
        for pen in (QPen(SHADOW, 3.0), QPen(LINE, 1.4, solid)):
            painter.setPen(pen)
            painter.drawEllipse(centre, radius, radius)
            painter.drawPoint(centre)


class Ball(Brush):
    """A brush that paints a ball: through the slices beside, and on surfaces."""

    ball = True


class KeepIsland(Tool):
    """Click a connected part: all others are erased."""

    hint = "Click the part to keep, in a slice or on its surface; all others are erased."
    keep, what = True, "keep one island of"

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Choose the part under the cursor."""
        at, mask, eye = where.point_at(x, y), self.easel.mask, where.eye()
        if at is None or mask is None or eye is None:
            return False
        if where.slice is None:  # a surface lies between voxels: the part is just behind it
            at = vec3(np.asarray(at) + eye.ray(x, y)[1] * 0.6 * max(mask.grid.spacing_kji))
        keep = self.keep
        self.easel.work(
            "Finding the island", lambda report: island(mask, at, keep, report), erase=True, what=self.what
        )
        return True


class DropIsland(KeepIsland):
    """Click a connected part: it is erased."""

    hint = "Click the part to erase, in a slice or on its surface."
    keep, what = False, "remove an island of"
