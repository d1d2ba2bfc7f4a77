"""What a step has found: its figures in words, and a profile of grey values as a curve."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from ..values import Profile

_ROOM = 4.0  # pixels round the curve


class Readings(QWidget):
    """Figures of a result, and its profile where it has one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words, self.curve = QLabel(), Curve()
        self.words.setObjectName("form_figures")
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.curve)
        column.addWidget(self.words)
        self.show_found([], None)

    def show_found(self, lines: Sequence[str], value: Any) -> None:
        """Show lines of words, and the profile among the results, if there is one."""
        self.words.setText("\n".join(lines))
        every = value.values() if isinstance(value, Mapping) else ()
        self.curve.show_profile(next((one for one in every if isinstance(one, Profile)), None))


class Curve(QWidget):
    """Grey values against the way along a line, with both ranges written at the ends."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("profile")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.profile: Profile | None = None

    def show_profile(self, profile: Profile | None) -> None:
        """Show a profile; nothing for None."""
        self.profile = profile
        self.setVisible(profile is not None)
        if profile is not None:
            low, high = float(profile.grey.min()), float(profile.grey.max())
            words = self.tr("Grey values from {0} to {1} {2} over {3} mm")
            told = words.format(f"{low:.0f}", f"{high:.0f}", profile.unit, f"{profile.at_mm[-1]:.1f}")
            self.setToolTip(told)
            self.setAccessibleName(told)
        self.update()

    def sizeHint(self) -> QSize:
        """Ten lines of text high."""
        return QSize(self.fontMetrics().averageCharWidth() * 40, self.fontMetrics().height() * 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the curve, and the highest and lowest value and the length beside it."""
        if self.profile is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        area = QRectF(self.rect()).adjusted(_ROOM, _ROOM + line, -_ROOM, -_ROOM - line)
        at, grey = self.profile.at_mm, self.profile.grey
        low, high = float(grey.min()), float(grey.max())
        painter.setPen(QPen(self.palette().mid().color(), 1.0))
        painter.drawRect(area)
        across, up = area.width() / max(float(at[-1]), 1e-6), area.height() / max(high - low, 1e-6)
        painter.setPen(QPen(self.palette().text().color(), 1.6))
        painter.drawPolyline(
            [
                QPointF(area.left() + float(x) * across, area.bottom() - (float(y) - low) * up)
                for x, y in zip(at, grey, strict=True)
            ]
        )
        below = QPointF(area.left(), area.bottom() + line)
        painter.drawText(area.topLeft() + QPointF(0, -3), f"{high:.0f} {self.profile.unit}")
        painter.drawText(below, f"{low:.0f} {self.profile.unit}")
        length = f"{float(at[-1]):.1f} mm"
        width = self.fontMetrics().horizontalAdvance(length)
        painter.drawText(QPointF(area.right() - width, below.y()), length)
        painter.end()
