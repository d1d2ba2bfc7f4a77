"""A 2D view with its gestures: crosshair, slices, grey values, zoom and pan."""

from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QMenu, QWidget

from ...scene import Axis, Framing, Slice
from ...values import Vec3, vec3
from .. import theme
from ..desk import Desk
from ..faults import safely
from .eye import Eye
from .hand import Hand
from .pane import Pane
from .sheet import Sheet, eye_of, moved_focus, scale_of

PRESETS: tuple[tuple[str, float, float], ...] = (
    ("Bone", 2000.0, 400.0),
    ("Soft tissue", 400.0, 40.0),
    ("Lung", 1500.0, -600.0),
    ("Brain", 80.0, 40.0),
    ("Metal", 6000.0, 2000.0),
)
_CLICK_PIXELS = 4


class SliceView(Pane):
    """One of the three slices.

    desk: the open case
    hand: what the left button holds while something is being placed
    axis: "axial", "coronal" or "sagittal"

    hovered: patient point under the cursor, None when it has left
    maximised: the person wants this view alone, or all four again
    """

    def __init__(self, desk: Desk, hand: Hand, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(desk, hand, parent)
        self.axis, self._sheet = axis, Sheet()
        self.setObjectName(f"view_{axis}")
        self.setAccessibleName(self.tr("{0} view").format(axis.capitalize()))
        desk.seen.connect(self.update)
        hand.changed.connect(self.update)

    # --- where things are

    @property
    def slice(self) -> Slice | None:
        """What is shown."""
        return self._desk.scene.slices.get(self.axis)

    def eye(self) -> Eye | None:
        """How this view sees patient space now."""
        one = self.slice
        return eye_of(one, self.width(), self.height()) if one is not None else None

    def point_at(self, x: float, y: float) -> Vec3 | None:
        """The patient point under a pixel, LPS mm."""
        one, eye = self.slice, self.eye()
        if one is None or eye is None:
            return None
        met = eye.on_plane(x, y, one.frame.origin_lps, one.frame.normal)
        return None if met is None else vec3(met)

    def repaint_hand(self) -> None:
        """Paint again what the hand shows."""
        self.update()

    # --- painting

    @safely
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the slice, the handles and the frame of the focus."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor("#000000"))
            one, eye = self.slice, self.eye()
            if one is None or eye is None:
                self._paint_nothing(painter)
            else:
                self._sheet.paint(painter, one, self._desk.scene, self.width(), self.height())
                self._hand.paint(painter, eye, self)
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.PLANE_COLOURS[self.axis]), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_nothing(self, painter: QPainter) -> None:
        painter.setPen(QColor(theme.SECONDARY))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        text = self.tr("{0}\n\nNothing to show yet").format(self.axis.capitalize())
        painter.drawText(self.rect(), int(flags), text)

    # --- gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture: the button and the keys say which."""
        self._press = self._last = event.position()
        button, shift = event.button(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if button == Qt.MouseButton.LeftButton and not shift:
            if self._hand.press(self, event.position().x(), event.position().y(), _with_ctrl(event)):
                self._gesture = "hand"
            else:
                self._gesture = "cross"
                self._point_at(event.position())
        elif button == Qt.MouseButton.RightButton:
            self._gesture = "grey"
        elif button in (Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton):
            self._gesture = "pan"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the gesture, or tell what lies under the cursor."""
        at, step = event.position(), event.position() - self._last
        snap = _with_ctrl(event)
        self._last = at
        if self._gesture == "hand":
            self._hand.move(at.x(), at.y(), snap)
        elif self._gesture == "cross":
            self._point_at(at)
        elif self._gesture == "grey":
            self._change_greys(step)
        elif self._gesture == "pan":
            self._push(step)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._point_at(at)
        else:
            self._hand.hover(self, at.x(), at.y())
        self.hovered.emit(self.point_at(at.x(), at.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; a right click that went nowhere opens the menu."""
        gesture, self._gesture = self._gesture, ""
        if gesture == "hand":
            self._hand.release()
        moved = (event.position() - self._press).manhattanLength()
        if gesture == "grey" and moved <= _CLICK_PIXELS:
            self.open_menu(event.globalPosition().toPoint())

    def leaveEvent(self, event: object) -> None:
        """Nothing is under the cursor any more."""
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices, zoom at the cursor with Ctrl, or size the brush with Shift."""
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120  # Shift turns it on some systems
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._hand.painting:
            self._hand.easel.resize(notches)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom(1.15**notches, event.position())
        elif notches:
            self._step(max(1, round(abs(notches))) * (1 if notches > 0 else -1))
        event.accept()

    def _own_key(self, key: Qt.Key) -> bool:
        """Slices by the arrow keys."""
        steps = {
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: -1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_PageUp: 10,
            Qt.Key.Key_PageDown: -10,
        }
        if key in steps:
            self._step(steps[key])
        return key in steps

    # --- what the gestures do

    def _step(self, steps: int) -> None:
        if (one := self.slice) is not None:
            self._desk.point_at(one.stepped(self._desk.view.crosshair_lps, steps))

    def _change_greys(self, step: QPointF) -> None:
        """To the right: a wider window (less contrast); downwards: a higher level (darker)."""
        view = self._desk.view
        rate = max(view.window, 50.0) / 400
        self._desk.look(
            replace(view, window=max(view.window + step.x() * rate, 1.0), level=view.level + step.y() * rate)
        )

    def _push(self, step: QPointF) -> None:
        if (one := self.slice) is not None:
            scale = scale_of(one, self.width(), self.height())
            pan = (one.pan_mm[0] + step.x() / scale, one.pan_mm[1] + step.y() / scale)
            self._frame(Framing(one.zoom, pan))

    def _zoom(self, factor: float, at: QPointF) -> None:
        if (one := self.slice) is not None:
            seen = moved_focus(one, factor, at.x(), at.y(), self.width(), self.height())
            self._frame(Framing(seen.zoom, seen.pan_mm))

    def _frame(self, framing: Framing) -> None:
        self._desk.look(self._desk.view.with_framing(self.axis, framing))

    def zoom_to(self, at_lps: Vec3, zoom: float = 4.0) -> None:
        """Bring a patient point into the middle, enlarged."""
        if (one := self.slice) is not None:
            x, y = one.from_lps(at_lps)
            pan = (float(one.centre_mm[0] - x), float(one.centre_mm[1] - y))
            self._frame(Framing(max(one.zoom, zoom), pan))

    def reset(self) -> None:
        """Show the whole slice."""
        self._frame(Framing())

    def open_menu(self, place: QPoint) -> None:
        """Grey values to choose from, and the whole slice again."""
        menu = QMenu(self)
        menu.setObjectName("view_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, window, level in PRESETS:
            action = menu.addAction(self.tr("{0}  (window {1:g}, level {2:g})").format(name, window, level))
            action.triggered.connect(
                lambda _=False, w=window, c=level: self._desk.look(
                    replace(self._desk.view, window=w, level=c)
                )
            )
        menu.addSeparator()
        menu.addAction(self.tr("Show the whole slice"), self.reset)
        menu.addAction(self.tr("This view alone, or all four"), self.maximised.emit)
        menu.popup(place)


def _with_ctrl(event: QMouseEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
