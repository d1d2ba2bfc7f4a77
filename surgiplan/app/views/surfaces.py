"""What the 3D view draws on: OpenGL where it is real, else pictures that Qt paints.

Both have the same small interface: `stage` (camera and picking), `show`, `redraw`, `shown_clip`,
`settle` and `shut`.
"""

import sys
from dataclasses import dataclass, replace
from threading import Condition, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent, QSurfaceFormat
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...scene import Scene
from ...scene import Surface as Shape
from ...stage.stage import Stage, load_widgets
from ...values import FloatArray, Vec3
from ..faults import safely

_CameraState = tuple[Vec3, Vec3, Vec3, float]
_IN_A_THREAD = sys.platform != "darwin"  # there, windows may be made in the main thread alone


@dataclass(frozen=True, eq=False)
class _Order:
    """A frame to be drawn.

    clip: how the camera of this frame sees the patient
    """

    number: int
    scene: Scene
    camera: _CameraState
    size: tuple[int, int]
    clip: FloatArray


@dataclass(frozen=True, eq=False)
class _Frame:
    order: _Order
    pixels: NDArray[np.uint8]


class Darkroom:
    """Draws frames in a thread of its own, so that a slow frame never holds the window up.

    scale: pixels of the screen per pixel of the design
    ready: called from the thread when there is a new frame
    """

    def __init__(self, scale: float, ready: Any) -> None:
        self._scale, self._ready = scale, ready
        self._changed = Condition()
        self._order: _Order | None = None
        self.frame: _Frame | None = None
        self.problem: Exception | None = None
        self._closed = False
        self._stage: Stage | None = None
        self._thread = Thread(target=self._serve, name="frames", daemon=True)
        if _IN_A_THREAD:
            self._thread.start()

    def order(self, order: _Order) -> None:
        """Ask for a frame; one that was asked for before and not begun is forgotten."""
        with self._changed:
            self._order = order
            self._changed.notify_all()
        if not _IN_A_THREAD:
            self._draw(order)

    def settle(self, number: int, seconds: float = 20.0) -> None:
        """Wait until the frame of this number is there."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.problem or (self.frame and self.frame.order.number >= number), seconds
            )

    def close(self) -> None:
        """End the thread and let go of what it drew on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if _IN_A_THREAD:
            self._thread.join()
        else:
            self._shut()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._order is not None)
                order, self._order = self._order, None
                if self._closed or order is None:
                    break
            self._draw(order)
        self._shut()

    def _draw(self, order: _Order) -> None:
        try:
            if self._stage is None:
                self._stage = Stage(scale=self._scale, captions=False)
                self._stage.image((32, 32))
                self._stage.suit_the_machine()
            if self.frame is None or self.frame.order.scene is not order.scene:
                self._stage.show(order.scene)
            self._stage.camera.state = order.camera
            pixels = self._stage.image(order.size)
        except Exception as problem:  # shown by the view; the thread goes on with the next order
            self.problem = problem
        else:
            with self._changed:
                self.frame, self.problem = _Frame(order, pixels), None
        with self._changed:
            self._changed.notify_all()
        self._ready()

    def _shut(self) -> None:
        if self._stage is not None:
            self._stage.close()
            self._stage.window.Finalize()
            self._stage = None


class PaintedSurface(QWidget):
    """Draws off-screen and lets Qt paint the pixels: needs no display and no graphics driver."""

    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.stage = Stage(scale=self.devicePixelRatioF(), captions=False)  # never drawn: camera, picking
        self._scene = Scene()
        self._asked = 0
        self._shut = False
        self.drawn.connect(self.update, Qt.ConnectionType.QueuedConnection)
        self._darkroom = Darkroom(self.devicePixelRatioF(), self._tell)

    @property
    def frames(self) -> int:
        """How many frames were asked for."""
        return self._asked

    def _tell(self) -> None:
        if not self._shut:
            self.drawn.emit()

    def show_scene(self, scene: Scene) -> None:
        """Show this scene from the next frame on."""
        self._scene = scene
        plain = tuple(replace(one, chosen=False) if isinstance(one, Shape) else one for one in scene.items)
        self.stage.show(
            replace(scene, items=plain)
        )  # the line round a shape costs time, and is not drawn here
        self.redraw()

    def redraw(self) -> None:
        """Ask for a new frame."""
        if self._shut or self.width() < 2 or self.height() < 2:
            return
        ratio = self.devicePixelRatioF()
        size = (round(self.width() * ratio), round(self.height() * ratio))
        if tuple(self.stage.window.GetSize()) != size:
            self.stage.window.SetSize(*size)
        self._asked += 1
        camera = self.stage.camera
        self._darkroom.order(_Order(self._asked, self._scene, camera.state, size, camera.lps_to_clip()))

    def shown_clip(self) -> FloatArray:
        """How the frame on show sees the patient: 4x4, LPS mm to -1..1."""
        frame = self._darkroom.frame
        return frame.order.clip if frame is not None else self.stage.camera.lps_to_clip()

    def settle(self) -> None:
        """Wait until the last frame that was asked for is there; for pictures."""
        self._darkroom.settle(self._asked)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A new size needs a new frame."""
        self.redraw()

    @safely
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the last frame that is there."""
        with QPainter(self) as painter:
            frame, problem = self._darkroom.frame, self._darkroom.problem
            if frame is None or problem is not None:
                painter.fillRect(self.rect(), QColor("#000000"))
                painter.setPen(QColor("#FFFFFF"))
                text = self.tr("The 3D view cannot be drawn ({0}).").format(type(problem).__name__)
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text if problem else "")
                return
            height, width, _ = frame.pixels.shape
            data = frame.pixels.data
            picture = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
            painter.drawImage(QRectF(self.rect()), picture)

    def shut(self) -> None:
        """End the drawing and let go of the off-screen windows."""
        self._shut = True
        self._darkroom.close()
        self.stage.close()


def interactor() -> Any:
    """The widget of pyvistaqt, and the kind of OpenGL it needs; to be called before a window is shown.

    Loading it takes two seconds, and its kind of OpenGL holds for all windows made from then on.
    """
    kind = QSurfaceFormat()
    kind.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    kind.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    kind.setVersion(3, 2)
    kind.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
    kind.setAlphaBufferSize(8)
    kind.setDepthBufferSize(8)
    kind.setStencilBufferSize(0)
    kind.setSamples(0)  # the drawing library smooths in buffers of its own
    QSurfaceFormat.setDefaultFormat(kind)
    from pyvistaqt import QtInteractor

    load_widgets()
    return QtInteractor


class OpenGLSurface(QWidget):
    """Draws with the graphics card, through pyvistaqt; the mouse never reaches it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plotter: Any = interactor()(self, auto_update=False, multi_samples=4)
        self._plotter.setAcceptDrops(False)
        self._plotter.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plotter.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plotter)
        self.stage = Stage(
            window=self._plotter.ren_win,
            renderer=self._plotter.renderer,
            scale=self.devicePixelRatioF(),
            captions=False,
        )
        self._suited = False
        self.frames = 0

    def show_scene(self, scene: Scene) -> None:
        """Show this scene from the next frame on."""
        self.stage.show(scene)
        self.redraw()

    def redraw(self) -> None:
        """Draw a new frame as soon as Qt paints."""
        if not self._suited and self.isVisible():
            self._suited = True
            self.stage.suit_the_machine()
        self.frames += 1
        self._plotter.update()

    def shown_clip(self) -> FloatArray:
        """How the frame on show sees the patient: 4x4, LPS mm to -1..1."""
        return self.stage.camera.lps_to_clip()

    def settle(self) -> None:
        """Draw at once; for pictures."""
        self._plotter.ren_win.Render()

    def shut(self) -> None:
        """Let go of the graphics card, before the widgets go."""
        self.stage.close()
        self._plotter.close()


Surface = PaintedSurface | OpenGLSurface
