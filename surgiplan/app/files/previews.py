"""Small pictures of series: made in a worker, the most wanted first, and painted with their sides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ...errors import BadInput, Cancelled
from ...formats.dicom.preview import Preview, grey_window, preview
from ...formats.dicom.series import Series
from ...scene import AXES, View, shade
from ...scene.slices import cut_through
from .. import theme
from ..faults import safely
from ..jobs import Jobs, Report

LONGEST = 384
"""Most rows and columns of a picture: enough for the large one; the thumbnails are made of the same."""
_KEPT = 200
_LETTERS_FROM = 120


@dataclass(frozen=True, eq=False)
class Look:
    """A picture as it is shown: turned the way the slice views show it.

    grey: (rows, columns) brightness
    pixel_mm: distance of neighbouring pixels down a column and along a row, mm
    letters: where the left, right, top and bottom edge lie in the patient; None when that is not known
    problem: why there is no picture; "" when there is one
    """

    grey: NDArray[np.uint8]
    pixel_mm: tuple[float, float]
    letters: tuple[str, str, str, str] | None = None
    problem: str = ""


def look_of(one: Preview, width: float, level: float) -> Look:
    """A preview in shades of grey, turned as the slice views would, never mirrored without its letters."""
    if one.grid is None:
        return Look(np.ascontiguousarray(shade(one.values, width, level)), one.pixel_mm)
    voxels = one.values[None]
    seen = max((cut_through(one.grid, voxels, axis, View()) for axis in AXES), key=lambda s: s.pixels.size)
    grey = np.ascontiguousarray(shade(seen.pixels, width, level))
    return Look(grey, seen.pixel_mm, seen.letters)


def no_look(problem: str) -> Look:
    """What is shown where there is no picture."""
    return Look(np.zeros((1, 1), np.uint8), (1.0, 1.0), problem=problem)


class Looker(QObject):
    """Makes the pictures that are wanted, one at a time, and remembers them.

    jobs: the worker; it may outlive this object
    wanted: gives (series, k) of what is wanted now, the most urgent first

    made: a picture is there (series, k)
    """

    made = Signal(object, int)

    def __init__(
        self, jobs: Jobs, wanted: Callable[[], Iterable[tuple[Series, int]]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._jobs, self._wanted = jobs, wanted
        self._known: dict[tuple[Series, int], Look] = {}
        self._greys: dict[Series, tuple[float, float]] = {}
        self._making, self._over = False, False

    def look(self, series: Series, k: int) -> Look | None:
        """The picture at k of a series; None while there is none yet."""
        return self._known.get((series, k))

    def wake(self) -> None:
        """What is wanted may have changed: go on with it."""
        if self._making or self._over:
            return
        for series, k in self._wanted():
            if (series, k) not in self._known:
                self._make(series, k)
                return

    def rest(self) -> None:
        """Make no more; the one that is being made is forgotten, and nobody waits for it."""
        self._over = True
        self._jobs.cancel()

    def _make(self, series: Series, k: int) -> None:
        def make(report: Report) -> Look:
            one = preview(series, k, LONGEST, report)
            greys = self._greys.setdefault(series, grey_window(one.values))  # the same through the series
            return look_of(one, *greys)

        def failed(problem: Exception) -> None:
            if not isinstance(problem, Cancelled):
                ours = type(problem).__name__
                keep(no_look(str(problem) if isinstance(problem, BadInput) else f"no picture ({ours})"))

        def keep(look: Look) -> None:
            self._making = False
            if self._over:
                return
            while len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[series, k] = look
            self.made.emit(series, k)
            self.wake()

        self._making = True
        self._jobs.start("", make, keep, failed)


def paint(painter: QPainter, look: Look, into: QRectF) -> None:
    """Paint a picture as large as fits, true to its millimetres, with its letters where there is room."""
    rows, columns = look.grey.shape
    width, height = columns * look.pixel_mm[1], rows * look.pixel_mm[0]
    scale = min(into.width() / width, into.height() / height)
    where = QRectF(0, 0, width * scale, height * scale)
    where.moveCenter(into.center())
    image = QImage(look.grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(where, image)
    if look.letters is None or min(into.width(), into.height()) < _LETTERS_FROM:
        return
    painter.setFont(theme.view_font())
    edge = into.adjusted(6, 3, -6, -3)
    middle_v, middle_h = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignHCenter
    places = (
        Qt.AlignmentFlag.AlignLeft | middle_v,
        Qt.AlignmentFlag.AlignRight | middle_v,
        Qt.AlignmentFlag.AlignTop | middle_h,
        Qt.AlignmentFlag.AlignBottom | middle_h,
    )
    for letter, place in zip(look.letters, places, strict=True):
        painter.setPen(QColor("#000000"))
        painter.drawText(edge.translated(QPointF(1, 1)), int(place), letter)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(edge, int(place), letter)


def thumbnail(look: Look | None, size: QSize, dense: float = 1.0) -> QPixmap:
    """A picture on black; a dot while it is being made, a stroke where there is none.

    size: in units of the screen
    dense: pixels of the screen to one unit
    """
    pixmap = QPixmap(size * dense)
    pixmap.setDevicePixelRatio(dense)
    pixmap.fill(QColor("#000000"))
    with QPainter(pixmap) as painter:
        whole = QRectF(0, 0, size.width(), size.height())
        if look is not None and not look.problem:
            paint(painter, look, whole)
        else:
            painter.setPen(QColor(theme.DISABLED))
            painter.drawText(whole, int(Qt.AlignmentFlag.AlignCenter), "…" if look is None else "–")
    return pixmap


class Picture(QWidget):
    """The large picture.

    stepped: the wheel was turned over it, by so many slices
    """

    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("series_picture")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._look: Look | None = None
        self._words = ""

    def sizeHint(self) -> QSize:
        """Square."""
        side = self.fontMetrics().height() * 18
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        """Large enough to tell a head from a knee."""
        return self.sizeHint() / 2

    @property
    def shown(self) -> Look | None:
        """What is shown now."""
        return self._look

    def show_look(self, look: Look | None, words: str) -> None:
        """Show a picture; without one, these words."""
        self._look, self._words = look, words
        self.setAccessibleName(words)
        self.update()

    @safely
    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture on black."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor("#000000"))
            if self._look is not None and not self._look.problem:
                paint(painter, self._look, QRectF(self.rect()))
                return
            painter.setPen(QColor(theme.SECONDARY))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 12, -12, -12), int(flags), self._words)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices, as in the slice views."""
        notches = event.angleDelta().y() / 120
        if notches:
            self.stepped.emit(max(1, round(abs(notches))) * (1 if notches > 0 else -1))
        event.accept()
