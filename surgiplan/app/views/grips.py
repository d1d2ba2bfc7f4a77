"""How the grips of a handle look."""

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ...algorithms.motion import Guided
from .. import theme
from .eye import Eye
from .handles import REACH_PIXELS, Grip, centre_of
from .sheet import words

_GUIDED = "#F2B705"
_GUIDE_REACH = 2.0  # the line of a guide is drawn so many times as long as the arrows, to both sides
_LIKE = {"short": "L-R", "middle": "P-A", "long": "S-I"}  # axes of a bone have the colours of the patient's


def paint_grip(painter: QPainter, eye: Eye, grip: Grip, lit: bool, named: bool) -> None:
    """Paint an arrow or a ring; the dot in the middle is painted with the handle.

    lit: whether it is under the cursor or held
    named: whether the name of its axis is written beside an arrow
    """
    if grip.kind == "free":
        return
    points = [QPointF(x, y) for x, y in eye.pixels(grip.line_lps)]
    colour = QColor("#FFFFFF") if lit else QColor(_colour(grip))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 150), 5.0), QPen(colour, 3.0 if lit else 2.2)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPolyline(points)
    if grip.kind != "shift":
        return
    _paint_tip(painter, points[0], points[-1], colour)
    if named:
        away = points[-1] - points[0]
        length = max((away.x() ** 2 + away.y() ** 2) ** 0.5, 1.0)
        words(painter, points[-1] + away * (14 / length) + QPointF(-8, 5), grip.name, colour)


def paint_guide(painter: QPainter, eye: Eye, motion: Guided) -> None:
    """Paint the axis or hinge that guides a part as a dashed line through its handle; a plane has none."""
    if motion.kind == "plane":
        return
    centre = np.asarray(centre_of(motion, (0.0, 0.0, 0.0)))
    reach = _GUIDE_REACH * REACH_PIXELS * eye.mm_per_pixel(centre) * np.asarray(motion.guide.normal)
    ends = [QPointF(x, y) for x, y in eye.pixels([centre - reach, centre + reach])]
    for pen in (QPen(QColor(0, 0, 0, 150), 3.0), QPen(QColor(_GUIDED), 1.4, Qt.PenStyle.DashLine)):
        painter.setPen(pen)
        painter.drawLine(*ends)


def _colour(grip: Grip) -> str:
    for axis, colour in theme.AXIS_COLOURS.items():
        if _LIKE.get(grip.name, grip.name).endswith(axis):
            return colour
    return _GUIDED


def _paint_tip(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    """An arrow head."""
    away = end - start
    length = (away.x() ** 2 + away.y() ** 2) ** 0.5
    if length < 4:
        return
    along = away * (12 / length)
    aside = QPointF(-along.y(), along.x()) * 0.45
    path = QPainterPath(end + along * 0.4)
    path.lineTo(end - along * 0.6 + aside)
    path.lineTo(end - along * 0.6 - aside)
    path.closeSubpath()
    painter.fillPath(path, colour)
