"""What a slice and the 3D view have in common: size, signals, and the keys and clicks that mean the same."""

from typing import Literal

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ...values import Vec3
from ..desk import Desk
from .hand import Hand

Gesture = Literal["", "hand", "cross", "grey", "pan", "orbit", "zoom"]


class Pane(QWidget):
    """One of the views.

    desk: the open case
    hand: what the left button holds while something is being placed

    hovered: patient point under the cursor, None when it has left or is not told
    maximised: the person wants this view alone, or all four again
    """

    hovered = Signal(object)
    maximised = Signal()

    def __init__(self, desk: Desk, hand: Hand, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._hand = desk, hand
        self._gesture: Gesture = ""
        self._press = self._last = QPointF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)

    def sizeHint(self) -> QSize:
        """A modest size; the layout gives more."""
        return QSize(400, 300)

    def point_at(self, x: float, y: float) -> Vec3 | None:
        """The patient point under a pixel, LPS mm; None when nothing is there."""
        raise NotImplementedError

    def _point_at(self, at: QPointF) -> None:
        if (point := self.point_at(at.x(), at.y())) is not None:
            self._desk.point_at(point)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show this view alone, or all four again."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._hand.painting:
            if not self._hand.finish():
                self.mousePressEvent(event)  # two quick strokes, not one
        elif not self._hand.active:
            self._gesture = ""
            self.maximised.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the hand go first, then those of the view; Esc lets go of what is dragged."""
        key = Qt.Key(event.key())
        if self._hand.key(key) or self._own_key(key):
            return
        if key == Qt.Key.Key_Escape and self._hand.active:
            self._gesture = ""
            self._hand.let_go()
        elif key == Qt.Key.Key_Space:
            self.maximised.emit()
        else:
            super().keyPressEvent(event)

    def _own_key(self, key: Qt.Key) -> bool:
        """Do what a key means in this view alone; False when it means nothing."""
        return False
