"""The 3D view with its gestures; they turn the eye, they never change the plan."""

from dataclasses import fields, replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from ...scene import Item, PoseMark, Scene, Surface
from ...stage.camera import Direction
from ...stage.shapes import prepare, prepared
from ...values import Vec3
from .. import theme
from ..desk import Desk
from ..faults import safely
from ..jobs import Jobs
from .eye import Eye
from .hand import Hand
from .handles import line_at
from .pane import Pane
from .surfaces import OpenGLSurface, PaintedSurface

DIRECTIONS: tuple[Direction, ...] = ("anterior", "posterior", "left", "right", "superior", "inferior")
_CLICK_PIXELS = 4
_DEGREES_PER_PIXEL = 0.45
_LINED_TRIANGLES = 80_000
_FIRST_LOOK = (28.0, -14.0)  # from the front, a little from the patient's right and above


class View3D(Pane):
    """The shapes in space, with the handles painted over them.

    desk: the open case
    hand: what the left button holds while something is being placed
    painted: let Qt paint the pixels, instead of OpenGL in the window

    hovered: None; what lies under the cursor in 3D is not told
    maximised: the person wants this view alone, or all four again
    """

    def __init__(self, desk: Desk, hand: Hand, painted: bool, parent: QWidget | None = None) -> None:
        super().__init__(desk, hand, parent)
        self.surface = PaintedSurface(self) if painted else OpenGLSurface(self)
        self.surface.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._over = _Over(self)
        if isinstance(self.surface, PaintedSurface):
            self.surface.drawn.connect(self._over.update, Qt.ConnectionType.QueuedConnection)
        self._shown: Scene | None = None
        self._readied: Scene | None = None
        self._making = Jobs(self)
        self._framing = True  # until all is known that the case opens with, or the person turns it
        self.stage = self.surface.stage
        self.stage.camera.orbit(*_FIRST_LOOK)
        self.setObjectName("view_3d")
        self.setAccessibleName(self.tr("3D view"))
        desk.seen.connect(self.follow)
        hand.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Show the scene of the desk; a crosshair that moves costs no frame here."""
        scene = self._desk.scene
        held = self._hand.active  # its own arrows and rings are painted over the view
        near = self._hand.nearness
        items = tuple(
            _lined(near.coloured(item) if isinstance(item, Surface) else item)
            for item in scene.items
            if not (held and isinstance(item, PoseMark))
        )
        scene = replace(scene, items=items)
        if self._shown is None or not looks_alike(self._shown, scene):
            if not (prepared(scene) or (self._readied is not None and looks_alike(self._readied, scene))):
                self._make_ready(scene)
                return
            self._shown = scene
            self.surface.show_scene(scene)
        self._frame()
        self._over.update()

    @property
    def shown_names(self) -> set[str]:
        """The shapes that are drawn now: "step" or "step.output"."""
        return {one.name for one in self._shown.surfaces} if self._shown is not None else set()

    def _make_ready(self, scene: Scene) -> None:
        """Let a worker do what drawing large shapes needs; until then the scene before stays."""
        if not self._making.busy:
            self._making.start(
                "",
                lambda _: prepare(scene),
                lambda _: self._on_made(scene),
                lambda _: self._on_made(scene),
            )

    def _on_made(self, scene: Scene) -> None:
        self._readied = scene  # shown now in any case
        self.follow()

    def _frame(self) -> None:
        """Keep all in sight while the shapes of a case come in one after the other."""
        if self._framing and self._desk.scene.surfaces and not self._hand.active:
            self._framing = self._desk.pending
            self.stage.camera.reset()
            self.surface.redraw()

    def repaint_hand(self) -> None:
        """Paint again what the hand shows; the shapes below stay as they are drawn."""
        self._over.update()

    # --- where things are

    @property
    def slice(self) -> None:
        """It shows no slice."""
        return

    def eye(self) -> Eye | None:
        """How this view sees patient space now."""
        return Eye.of_clip(self.stage.camera.lps_to_clip(), self.width(), self.height())

    def point_at(self, x: float, y: float) -> Vec3 | None:
        """The point of a shape under a pixel, LPS mm."""
        ratio = self.devicePixelRatioF()
        met = self.stage.pick(x * ratio, y * ratio)
        return met[1] if met is not None else None

    def name_at(self, x: float, y: float) -> str | None:
        """The shape under a pixel: "step" or "step.output"."""
        ratio = self.devicePixelRatioF()
        met = self.stage.pick(x * ratio, y * ratio)
        return met[0] if met is not None else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the surface and what is painted over it as large as the view."""
        self.surface.setGeometry(self.rect())
        self._over.setGeometry(self.rect())

    def paint_over(self, painter: QPainter) -> None:
        """Paint the handles and the frame of the focus."""
        painter.setFont(theme.view_font())
        if not self._desk.scene.surfaces:
            painter.setPen(QColor(theme.SECONDARY))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            text = self.tr("3D\n\nNo shape yet: add a surface, or open a mesh file")
            painter.drawText(self.rect(), int(flags), text)
        eye = Eye.of_clip(self.surface.shown_clip(), self.width(), self.height())
        self._hand.paint(painter, eye, self)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    # --- gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture: the button and the keys say which."""
        self._press = self._last = event.position()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.LeftButton and not shift:
            ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            held = self._hand.press(self, event.position().x(), event.position().y(), ctrl)
            self._gesture = "hand" if held else "orbit"
        elif event.button() == Qt.MouseButton.RightButton:
            self._gesture = "zoom"
        elif event.button() in (Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton):
            self._gesture = "pan"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the gesture."""
        at, step = event.position(), event.position() - self._last
        snap = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._last = at
        camera, ratio = self.stage.camera, self.devicePixelRatioF()
        match self._gesture:
            case "hand":
                self._hand.move(at.x(), at.y(), snap)
                return
            case "orbit":
                camera.orbit(step.x() * _DEGREES_PER_PIXEL, -step.y() * _DEGREES_PER_PIXEL)
            case "pan":
                camera.pan(step.x() * ratio, step.y() * ratio)
            case "zoom":
                camera.zoom(1.006 ** -step.y())
            case _:
                if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                    self._point_at(at)
                else:
                    self._hand.hover(self, at.x(), at.y())
                    self._tell_line(event)
                return
        self._turned()

    def _tell_line(self, event: QMouseEvent) -> None:
        """Say how the number under the cursor is defined."""
        eye, at = self.eye(), event.position()
        line = line_at(self._desk.scene.marks, eye, at.x(), at.y()) if eye is not None else None
        if line is not None and line.about:
            QToolTip.showText(event.globalPosition().toPoint(), line.about, self)
        else:
            QToolTip.hideText()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; a left click that went nowhere chooses the shape under it."""
        gesture, self._gesture = self._gesture, ""
        still = (event.position() - self._press).manhattanLength() <= _CLICK_PIXELS
        if gesture == "hand":
            self._hand.release()
        elif gesture == "orbit" and still and not self._hand.active:
            if (name := self.name_at(event.position().x(), event.position().y())) is not None:
                self._desk.choose(name.partition(".")[0])
        elif gesture == "zoom" and still:
            self.open_menu(event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor, or size the brush with Shift."""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._hand.painting:
            self._hand.easel.resize((event.angleDelta().y() or event.angleDelta().x()) / 120)
            return
        at, ratio = event.position(), self.devicePixelRatioF()
        self.stage.camera.zoom(1.15 ** (event.angleDelta().y() / 120), (at.x() * ratio, at.y() * ratio))
        self._turned()
        event.accept()

    def _own_key(self, key: Qt.Key) -> bool:
        """Turn by the arrow keys."""
        turns = {
            Qt.Key.Key_Left: (-5.0, 0.0),
            Qt.Key.Key_Right: (5.0, 0.0),
            Qt.Key.Key_Up: (0.0, 5.0),
            Qt.Key.Key_Down: (0.0, -5.0),
        }
        if key in turns:
            self.stage.camera.orbit(*turns[key])
            self._turned()
        return key in turns

    # --- the eye

    def look(self, direction: Direction) -> None:
        """Look from one side of the patient."""
        self.stage.camera.look(direction)
        self._turned()

    def reset(self) -> None:
        """Bring everything into sight."""
        self.stage.camera.reset()
        self._turned()

    def zoom_to(self, at_lps: Vec3, radius_mm: float = 30.0) -> None:
        """Bring a patient point into the middle."""
        self.stage.camera.zoom_to(at_lps, radius_mm)
        self._turned()

    def _turned(self) -> None:
        self._framing = False
        self.surface.redraw()
        self._over.update()

    def open_menu(self, place: QPoint) -> None:
        """The sides to look from."""
        menu = QMenu(self)
        menu.setObjectName("view_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for direction in DIRECTIONS:
            action = menu.addAction(self.tr("From {0}").format(direction))
            action.triggered.connect(lambda _=False, d=direction: self.look(d))
        menu.addSeparator()
        menu.addAction(self.tr("Bring everything into sight"), self.reset)
        menu.addAction(self.tr("This view alone, or all four"), self.maximised.emit)
        menu.popup(place)

    def shut(self) -> None:
        """Let go of the graphics, before the widgets go."""
        self._making.close()
        self._desk.seen.disconnect(self.follow)
        self._hand.changed.disconnect(self.follow)
        self.surface.shut()


def _lined(item: Item) -> Item:
    """A chosen shape has a line round it, unless finding that line would hold up every frame."""
    if isinstance(item, Surface) and item.chosen and len(item.mesh.triangles) > _LINED_TRIANGLES:
        return replace(item, chosen=False)
    return item


def looks_alike(a: Scene, b: Scene) -> bool:
    """Whether two scenes look the same in 3D: the same shapes, placed and coloured alike, the same marks."""
    return (
        len(a.items) == len(b.items)
        and a.captions == b.captions
        and all(_same(one, other) for one, other in zip(a.items, b.items, strict=True))
    )


def _same(one: Item, other: Item) -> bool:
    if not isinstance(one, Surface) or not isinstance(other, Surface):
        return one == other
    return all(
        getattr(one, f.name) is getattr(other, f.name)
        if f.name in ("mesh", "scalars")
        else getattr(one, f.name) == getattr(other, f.name)
        for f in fields(Surface)
    )


class _Over(QWidget):
    """What is painted over the 3D view; the mouse goes through it."""

    def __init__(self, view: View3D) -> None:
        super().__init__(view)
        self._view = view
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    @safely
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the handles."""
        with QPainter(self) as painter:
            self._view.paint_over(painter)
