"""Points that are placed, as things to take hold of and to drag."""

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ...plan.operation import Field
from ...scene.items import PointMark
from ...values import Places, Vec3, vec3
from ..desk import Desk
from ..painting.easel import Sight
from .eye import Eye, lps_words

_HIT_PIXELS = 9.0
_RING_PIXELS = 11.0


class Dots:
    """The points of the parameter that the hand places.

    desk: the open case
    held: the point that is dragged
    lit: the point under the cursor
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.held: PointMark | None = None
        self.lit: PointMark | None = None

    def under(self, step: str, field: Field, where: Sight, eye: Eye, x: float, y: float) -> PointMark | None:
        """The nearest point of a parameter at a pixel; in a slice only one that is shown there."""
        near = [
            (float(np.hypot(*np.subtract(eye.pixel(mark.at_lps), (x, y)))), n, mark)
            for n, mark in enumerate(self._desk.scene.marks)
            if isinstance(mark, PointMark)
            and (mark.step, mark.field) == (step, field.name)
            and _shows(where, mark)
        ]
        away, _, mark = min(near, default=(np.inf, 0, None))
        return mark if away <= _HIT_PIXELS else None

    def to(self, value: Any, point_lps: Vec3) -> tuple[Any, str]:
        """The value of the parameter with the held point at another place, and the change in words."""
        assert self.held is not None
        n, at = self.held.index, vec3(np.round(point_lps, 3))
        told = lps_words(np.subtract(at, self.held.at_lps))
        if n is None:
            return at, told
        if isinstance(value, Places):
            return value.put(list(value)[n], at), told
        return (*value[:n], at, *value[n + 1 :]), told

    def paint(self, painter: QPainter, eye: Eye, where: Sight) -> None:
        """A ring round the point under the cursor."""
        mark = self.held or self.lit
        if mark is None or not _shows(where, mark):
            return
        same = [one for one in self._desk.scene.marks if isinstance(one, PointMark) and one.name == mark.name]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#FFFFFF"), 2))
        painter.drawEllipse(QPointF(*eye.pixel((same or [mark])[0].at_lps)), _RING_PIXELS, _RING_PIXELS)


def _shows(where: Sight, mark: PointMark) -> bool:
    return where.slice is None or mark.name in {dot.name for dot in where.slice.dots}
