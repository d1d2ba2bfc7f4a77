"""Tools that draw an outline: lasso, scissors and live wire."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ...algorithms.livewire import Wire, edge_costs
from ...algorithms.strokes import Layer, enclosed, simplified
from ...scene import Slice
from ...values import Bits, FloatArray, Vec3, vec3
from ..views.eye import Eye
from .easel import Easel, Sight
from .tool import LINE, SHADOW, Tool

_NEAR_PIXELS = 9.0
_LOOSE_PIXELS = 1.0


class Outlined(Tool):
    """A tool that draws a line in one view. Its points are kept in the patient, so the view may move."""

    def __init__(self, easel: Easel) -> None:
        super().__init__(easel)
        self._points: list[Vec3] = []

    @property
    def busy(self) -> bool:
        """Whether an outline is begun."""
        return bool(self._points)

    def drop(self) -> None:
        """Forget the outline."""
        self._points = []

    def _place(self, where: Sight, x: float, y: float) -> Vec3 | None:
        """The point of the drawing plane under a pixel: the slice, or a plane across the line of sight."""
        eye, grid = where.eye(), self.easel.grid
        if where.slice is not None or eye is None or grid is None:
            return where.point_at(x, y)
        middle = grid.corners_lps.mean(axis=0)
        met = eye.on_plane(x, y, middle, eye.facing(middle))
        return None if met is None else vec3(met)

    def _pixels(self) -> FloatArray:
        eye = self.where.eye() if self.where is not None else None
        assert eye is not None
        return eye.pixels(np.asarray(self._points))

    def _draw(self, painter: QPainter, eye: Eye, points: Sequence[Vec3], closed: bool) -> None:
        if not points:
            return
        line = [QPointF(x, y) for x, y in eye.pixels(np.asarray(points))]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(SHADOW, 3.6), QPen(LINE, 1.6)):
            painter.setPen(pen)
            painter.drawPolyline(line)
        if closed and len(line) > 2:
            painter.setPen(QPen(LINE, 1.2, Qt.PenStyle.DashLine))
            painter.drawLine(line[-1], line[0])

    def _keep_inside_of(self, pixels: FloatArray, layer: Layer | None) -> None:
        """Paint or erase what lies inside an outline in one slice."""
        eye, grid = self.where.eye() if self.where is not None else None, self.easel.grid
        if eye is not None and grid is not None and layer is not None and len(pixels) > 2:
            inside = self.easel.limited(enclosed(grid, eye.lps_to_pixel, pixels, layer))
            erase = self.easel.erasing
            self.easel.keep(inside, erase, "erase an outline from" if erase else "paint an outline on")
        self.drop()


class Lasso(Outlined):
    """Draw round something in a slice: what lies inside is painted, or erased, when the button is let go."""

    hint = "Draw round the place with the left button; Ctrl: the other way round."

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Begin the line."""
        if where.slice is None or (at := where.point_at(x, y)) is None:
            return False
        self._layer = self.easel.layer(where, at)
        self.where, self._points = where, [at]
        return self._layer is not None

    def move(self, x: float, y: float) -> None:
        """Draw on."""
        if self.where is not None and self._points and (at := self.where.point_at(x, y)) is not None:
            self._points.append(at)
            self.where.repaint_hand()

    def release(self) -> None:
        """Keep what lies inside."""
        if not self._points:
            return
        self._keep_inside_of(self._pixels(), self._layer)

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """The line so far."""
        if where is self.where:
            self._draw(painter, eye, self._points, closed=True)


class Scissors(Outlined):
    """Cut through the whole volume along the line of sight, with an outline that can be corrected before."""

    hint = "Click corners or draw freely; drag a corner to correct it; Enter cuts, Backspace goes one back."

    def __init__(self, easel: Easel) -> None:
        super().__init__(easel)
        self._held: int | None = None
        self._drawn: list[Vec3] = []

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Take hold of a corner, or put a new one."""
        at = self._place(where, x, y)
        if at is None:
            return False
        if where is not self.where or not self._points:
            self.where, self._points = where, []
        near = np.linalg.norm(self._pixels() - (x, y), axis=1) if self._points else np.array([np.inf])
        self._held = int(np.argmin(near)) if near.min() <= _NEAR_PIXELS else None
        if self._held is None:
            self._points.append(at)
            self._drawn = [at]
        where.repaint_hand()
        return True

    def move(self, x: float, y: float) -> None:
        """Move the corner that is held, or draw freely."""
        if self.where is None or (at := self._place(self.where, x, y)) is None:
            return
        if self._held is not None:
            self._points[self._held] = at
        elif self._drawn:
            self._drawn.append(at)
        self.where.repaint_hand()

    def release(self) -> None:
        """What was drawn freely gets as few corners as it needs."""
        eye = self.where.eye() if self.where is not None else None
        if self._held is None and len(self._drawn) > 1 and eye is not None:
            drawn = eye.pixels(np.asarray(self._drawn))
            if np.ptp(drawn, axis=0).max() > _NEAR_PIXELS:
                kept = {tuple(point) for point in simplified(drawn, _LOOSE_PIXELS)}
                self._points[-1:] = [
                    at for at, pixel in zip(self._drawn, drawn, strict=True) if tuple(pixel) in kept
                ]
        self._held, self._drawn = None, []

    def back(self) -> None:
        """Take the last corner back."""
        del self._points[-1:]
        if self.where is not None:
            self.where.repaint_hand()

    def drop(self) -> None:
        """Forget the outline."""
        super().drop()
        self._held, self._drawn = None, []

    def finish(self) -> None:
        """Cut."""
        eye, grid = self.where.eye() if self.where is not None else None, self.easel.grid
        if eye is None or grid is None or len(self._points) < 3:
            self.easel.told.emit("An outline needs three corners at least.")
            return
        cut, view, outline = self.easel.settings.cut, eye.lps_to_pixel, self._pixels()

        def made(report: object) -> Bits:
            inside = enclosed(grid, view, outline, report=report)  # type: ignore[arg-type]
            return Bits.all_of(grid.shape_kji) - inside if cut == "keep" else inside

        words = {"remove": "cut away from", "keep": "cut free in", "fill": "fill an outline through"}
        self.drop()
        self.easel.work("Cutting", made, erase=cut != "fill", what=words[cut])

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """The outline and its corners."""
        if where is not self.where:
            return
        self._draw(painter, eye, [*self._points, *self._drawn[1:]], closed=True)
        painter.setPen(QPen(QColor("#000000"), 1))
        painter.setBrush(LINE)
        if self._points and len(self._points) <= 80:
            for x, y in eye.pixels(np.asarray(self._points)):
                painter.drawEllipse(QPointF(x, y), 4, 4)


class Livewire(Outlined):
    """Click along an edge in a slice: the line between the clicks snaps to it."""

    hint = "Click along the edge; a click on the first point, or Enter, closes the outline; Esc drops it."

    def __init__(self, easel: Easel) -> None:
        super().__init__(easel)
        self._anchors: list[int] = []
        self._reaching: list[Vec3] = []
        self._costs: tuple[Slice, FloatArray] | None = None
        self._wire: Wire | None = None
        self._layer: Layer | None = None

    def press(self, where: Sight, x: float, y: float) -> bool:
        """Fix the line up to here, or close it."""
        at = where.point_at(x, y)
        if where.slice is None or at is None:
            return False
        if self._points and where is self.where:
            if self._near_start(x, y):
                self.finish()
                return True
            self._reach(at)
            self._points += self._reaching[1:]
        else:
            self.where, self._points, self._anchors = where, [at], []
            self._layer = self.easel.layer(where, at)
        self._anchors.append(len(self._points))
        self._begin_wire(where.slice, self._points[-1])
        where.repaint_hand()
        return True

    def _near_start(self, x: float, y: float) -> bool:
        away = np.linalg.norm(self._pixels()[0] - (x, y))
        return len(self._anchors) > 1 and bool(away <= _NEAR_PIXELS)

    def _begin_wire(self, one: Slice, at: Vec3) -> None:
        if self._costs is None or self._costs[0].pixels is not one.pixels:
            self._costs = (one, edge_costs(one.pixels, one.pixel_mm))
        self._wire = Wire(self._costs[1], _pixel_of(one, at), one.pixel_mm)
        self._reaching = []

    def _reach(self, at: Vec3) -> None:
        one = self._costs[0] if self._costs is not None else None
        if self._wire is not None and one is not None:
            way = self._wire.to(_pixel_of(one, at))
            places = one.to_lps(way[:, ::-1] * (one.pixel_mm[1], one.pixel_mm[0]))
            self._reaching = [vec3(place) for place in places]

    def hover(self, where: Sight, x: float, y: float) -> None:
        """Show the way from the last click to the cursor."""
        at = where.point_at(x, y)
        if self._points and where is self.where and at is not None:
            self._reach(at)
            where.repaint_hand()

    def back(self) -> None:
        """Take the last click back."""
        self._anchors = self._anchors[:-1]
        self._points = self._points[: self._anchors[-1]] if self._anchors else []
        if self._points and self._costs is not None:
            self._begin_wire(self._costs[0], self._points[-1])
        if self.where is not None:
            self.where.repaint_hand()

    def finish(self) -> None:
        """Close the outline by the cheapest way, and keep what lies inside."""
        if len(self._points) > 1:
            self._reach(self._points[0])
            self._points += self._reaching[1:]
            self._keep_inside_of(self._pixels(), self._layer)

    def drop(self) -> None:
        """Forget the outline."""
        super().drop()
        self._anchors, self._reaching, self._wire, self._costs = [], [], None, None

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """The line so far, the way to the cursor, and the clicks."""
        if where is not self.where or not self._points:
            return
        self._draw(painter, eye, [*self._points, *self._reaching[1:]], closed=False)
        painter.setPen(QPen(QColor("#000000"), 1))
        painter.setBrush(LINE)
        for n in self._anchors:
            painter.drawEllipse(QPointF(*eye.pixel(self._points[n - 1])), 4, 4)


def _pixel_of(one: Slice, at: Vec3) -> tuple[int, int]:
    """Row and column of a slice at a patient point, taken at the rim when it lies outside."""
    x, y = one.from_lps(at)
    rows, columns = one.pixels.shape
    row, column = round(float(y) / one.pixel_mm[0]), round(float(x) / one.pixel_mm[1])
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
