"""The 2D views: one slice of the scan with what crosses it, painted by Qt without any OpenGL."""

from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QTransform

from ...scene import Scene, Slice, shade
from ...scene.outlines import Outline
from ...values import BoolArray, FloatsArray
from .. import theme
from .eye import Eye

_CROSSING = {
    "axial": ("sagittal", "coronal"),
    "coronal": ("sagittal", "axial"),
    "sagittal": ("coronal", "axial"),
}
_MASK_ALPHA = 90
_HATCH_MM = 2.0
_RIM = 3.0


def eye_of(one: Slice, width: float, height: float) -> Eye:
    """How a slice is seen in a view of this size in pixels: fitted, then zoomed and pushed."""
    scale = scale_of(one, width, height)
    left, top = _top_left_mm(one, width, height, scale)
    right = np.asarray(one.frame.right) / scale
    down = np.asarray(one.frame.down) / scale
    return Eye.of_slice(one.to_lps((left, top)), right, down, (width, height))


def scale_of(one: Slice, width: float, height: float) -> float:
    """Pixels per millimetre."""
    across, along = one.size_mm
    return max(min(width / across, height / along), 1e-6) * one.zoom


def _top_left_mm(one: Slice, width: float, height: float, scale: float) -> tuple[float, float]:
    x, y = one.centre_mm
    return (
        x - one.pan_mm[0] - width / 2 / scale,
        y - one.pan_mm[1] - height / 2 / scale,
    )


def sheet_to_pixels(one: Slice, width: float, height: float) -> QTransform:
    """From millimetres of the sheet to pixels of the view."""
    scale = scale_of(one, width, height)
    left, top = _top_left_mm(one, width, height, scale)
    return QTransform(scale, 0, 0, scale, -left * scale, -top * scale)


class Sheet:
    """Paints one slice; keeps the picture it made for as long as the slice is the same."""

    def __init__(self) -> None:
        self._slice: Slice | None = None  # held, so that its memory cannot become that of another
        self._greys = (0.0, 0.0)
        self._grey: NDArray[np.uint8] = np.zeros((1, 1), np.uint8)
        self._picture = QImage()
        self._cover: NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._mask = QImage()

    def paint(self, painter: QPainter, one: Slice, scene: Scene, width: float, height: float) -> None:
        """Paint the grey values, the mask, the outlines, the crosshair and all words."""
        self._take(one, scene)
        painter.setFont(theme.view_font())
        to_pixels = sheet_to_pixels(one, width, height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        where = self._picture_rect(one)
        painter.setTransform(to_pixels)
        painter.drawImage(where, self._picture)
        if one.overlay is not None or one.covers:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(where, self._mask)
        painter.resetTransform()
        for outline in one.outlines:
            _paint_outline(painter, outline, to_pixels)
        _paint_crosshair(painter, one, to_pixels, width, height)
        for dot in one.dots:
            _paint_dot(painter, to_pixels.map(QPointF(*dot.xy_mm)), dot.text, dot.severity, width)
        _paint_words(painter, one, scene, width, height)

    def _picture_rect(self, one: Slice) -> QRectF:
        across, along = one.size_mm
        return QRectF(-one.pixel_mm[1] / 2, -one.pixel_mm[0] / 2, across, along)

    def _take(self, one: Slice, scene: Scene) -> None:
        """Make the pictures, unless they show the same voxels in the same greys already."""
        before, greys = self._slice, (scene.window, scene.level)
        if before is None or greys != self._greys or not _same(before.pixels, one.pixels):
            self._grey = np.ascontiguousarray(shade(one.pixels, scene.window, scene.level))
            self._picture = image_of(self._grey, QImage.Format.Format_Grayscale8)
        masks = _masks_on(one)
        if masks and (before is None or not _all_same(_masks_on(before), masks)):
            self._cover = laid_over(masks)
            self._mask = image_of(self._cover, QImage.Format.Format_ARGB32_Premultiplied)
        self._slice, self._greys = one, greys


def _same(a: NDArray[Any] | None, b: NDArray[Any]) -> bool:
    """Whether two living arrays that no one writes to look at the same memory in the same way."""
    if a is None or a.shape != b.shape or a.strides != b.strides:
        return False
    return bool(a.__array_interface__["data"] == b.__array_interface__["data"])


def image_of(pixels: NDArray[Any], kind: QImage.Format) -> QImage:
    """A picture on the memory of an array, which must outlive it."""
    rows, columns = pixels.shape
    return QImage(pixels.data, columns, rows, columns * pixels.itemsize, kind)


_Masks = tuple[tuple[str, BoolArray], ...]


def _masks_on(one: Slice) -> _Masks:
    """Colour and pixels of the masks that are shown, the chosen one on top."""
    others = tuple((cover.colour, cover.pixels) for cover in one.covers)
    return others if one.overlay is None else (*others, (one.overlay_colour, one.overlay))


def _all_same(before: _Masks, now: _Masks) -> bool:
    return len(before) == len(now) and all(
        a[0] == b[0] and _same(a[1], b[1]) for a, b in zip(before, now, strict=True)
    )


def laid_over(masks: _Masks) -> NDArray[np.uint32]:
    """One see-through picture of several masks; where they overlap, the later one is seen."""
    first, *more = (covered(pixels, QColor(colour)) for colour, pixels in masks)
    for picture in more:
        np.copyto(first, picture, where=picture != 0)
    return first


def covered(mask: BoolArray, colour: QColor) -> NDArray[np.uint32]:
    """A mask as a picture: premultiplied ARGB; a third of the colour, unless that says how much."""
    alpha = colour.alpha() if colour.alpha() < 255 else _MASK_ALPHA
    red, green, blue = (round(c * alpha / 255) for c in (colour.red(), colour.green(), colour.blue()))
    colours = np.array([0, alpha << 24 | red << 16 | green << 8 | blue], np.uint32)
    return np.ascontiguousarray(colours[mask.view(np.uint8)])


def path_of(segments: FloatsArray) -> QPainterPath:
    """A path of (n, 2, 2) separate line pieces; pieces in any order draw far faster than one long line."""
    count = len(segments) * 2
    record = np.zeros(count, np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")]))
    record["kind"][1::2] = 1
    points = segments.reshape(-1, 2)
    record["x"], record["y"] = points[:, 0], points[:, 1]
    path = QPainterPath()
    head, tail = np.array([count], ">i4").tobytes(), np.array([0, 0], ">i4").tobytes()
    stream = QDataStream(QByteArray(head + record.tobytes() + tail))
    stream >> path
    return path


def _paint_outline(painter: QPainter, outline: Outline, to_pixels: QTransform) -> None:
    segments = outline.segments
    if outline.dimmed:
        middle = segments.mean(axis=1).sum(axis=1)
        segments = segments[np.floor(middle / _HATCH_MM).astype(int) % 2 == 0]
    if not len(segments):
        return
    pen = QPen(QColor(outline.colour), 1.6 * painter.device().devicePixelRatio())
    pen.setCosmetic(True)  # of one width at any zoom, in pixels of the screen
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setTransform(to_pixels)
    painter.drawPath(path_of(segments))
    painter.resetTransform()


def _paint_crosshair(
    painter: QPainter, one: Slice, to_pixels: QTransform, width: float, height: float
) -> None:
    """Two lines in the colours of the planes they stand for, open round the middle."""
    at = to_pixels.map(QPointF(*one.crosshair_mm))
    upright, level = (theme.PLANE_COLOURS[name] for name in _CROSSING[one.axis])
    gap = 8.0
    painter.setPen(QPen(QColor(upright), 1.0))
    painter.drawLine(QPointF(at.x(), 0), QPointF(at.x(), at.y() - gap))
    painter.drawLine(QPointF(at.x(), at.y() + gap), QPointF(at.x(), height))
    painter.setPen(QPen(QColor(level), 1.0))
    painter.drawLine(QPointF(0, at.y()), QPointF(at.x() - gap, at.y()))
    painter.drawLine(QPointF(at.x() + gap, at.y()), QPointF(width, at.y()))


def _paint_dot(painter: QPainter, at: QPointF, text: str, severity: str, width: float) -> None:
    colour = QColor(theme.SEVERITY_COLOURS[severity])
    painter.setPen(QPen(QColor("#000000"), 3.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, 5, 5)
    painter.setPen(QPen(colour, 1.6))
    painter.drawEllipse(at, 5, 5)
    length = QFontMetricsF(painter.font()).horizontalAdvance(text)
    left = max(min(at.x() + 9, width - length - 34), 4.0)  # never over the letter at the edge
    words(painter, QPointF(left, at.y() - 8), text, colour)


def words(painter: QPainter, at: QPointF, text: str, colour: QColor) -> None:
    """Write with a dark rim, so that it can be read on bone and on air; `at` is the left end of the line."""
    font, ratio = painter.font(), painter.device().devicePixelRatio()
    picture = _written(text, font.toString(), colour.name(), ratio)
    painter.drawImage(at - QPointF(_RIM, QFontMetricsF(font).ascent() + _RIM), picture)


@lru_cache(maxsize=512)
def _written(text: str, font_key: str, colour: str, ratio: float) -> QImage:
    """The picture of a line of words; the rim takes ten times as long to draw as the picture."""
    font = QFont()
    font.fromString(font_key)
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 2 * _RIM, metrics.height() + 2 * _RIM
    picture = QImage(ceil(width * ratio), ceil(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    path = QPainterPath()
    path.addText(QPointF(_RIM, metrics.ascent() + _RIM), font, text)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(path, QPen(QColor(0, 0, 0, 200), 3.0, j=Qt.PenJoinStyle.RoundJoin))
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(QPointF(_RIM, metrics.ascent() + _RIM), text)  # sharper than the path
    return picture


def _paint_words(painter: QPainter, one: Slice, scene: Scene, width: float, height: float) -> None:
    """Orientation letters, which slice, scale bar, convention, side and grey values."""
    metrics = QFontMetricsF(painter.font())
    line, room = metrics.height(), width / 2 - 24  # the letters in the middle must stay free
    captions, text = scene.captions, QColor(theme.TEXT)
    above = [(row, QColor(theme.PLANE_COLOURS[one.axis])) for row in _rows(one.position, ", ", metrics, room)]
    above += [(row, text) for row in (captions.side, captions.patient) if row]
    for n, (row, colour) in enumerate(above):
        words(painter, QPointF(8, 4 + n * line + metrics.ascent()), row, colour)
    grey = f"W {scene.window:.0f}  L {scene.level:.0f}   {captions.convention}"
    for n, row in enumerate(reversed(_rows(grey, "   ", metrics, room))):
        words(painter, QPointF(8, height - 8 - n * line), row, text)
    bold = painter.font()
    painter.save()
    bold.setBold(True)
    bold.setPointSizeF(bold.pointSizeF() * 1.25)
    painter.setFont(bold)
    _paint_letters(painter, one.letters, width, height)
    painter.restore()
    _paint_scale_bar(painter, one, width, height)


def _rows(text: str, gap: str, metrics: QFontMetricsF, room: float) -> list[str]:
    """The text in one row, or one for each of its pieces when it does not fit."""
    return [text] if metrics.horizontalAdvance(text) <= room else text.split(gap)


def _paint_letters(
    painter: QPainter, letters: tuple[str, str, str, str], width: float, height: float
) -> None:
    metrics = QFontMetricsF(painter.font())
    left, right, top, bottom = letters
    middle = height / 2 - 10
    places = (
        (left, QPointF(8, middle)),
        (right, QPointF(width - 8 - metrics.horizontalAdvance(right), middle)),
        (top, QPointF((width - metrics.horizontalAdvance(top)) / 2 + 14, 4 + metrics.ascent())),
        (bottom, QPointF((width - metrics.horizontalAdvance(bottom)) / 2 + 14, height - 8)),
    )
    for letter, place in places:
        words(painter, place, letter, QColor("#FFFFFF"))


def _paint_scale_bar(painter: QPainter, one: Slice, width: float, height: float) -> None:
    length = one.scale_bar_mm * scale_of(one, width, height)
    end, level = width - 10.0, height - 10.0
    painter.setPen(QPen(QColor(0, 0, 0, 200), 5.0))
    painter.drawLine(QPointF(end - length, level), QPointF(end, level))
    painter.setPen(QPen(QColor(theme.TEXT), 2.0))
    painter.drawLine(QPointF(end - length, level), QPointF(end, level))
    text = f"{one.scale_bar_mm:g} mm"
    at = QPointF(end - QFontMetricsF(painter.font()).horizontalAdvance(text), level - 6)
    words(painter, at, text, QColor(theme.TEXT))


def moved_focus(one: Slice, factor: float, x: float, y: float, width: float, height: float) -> Slice:
    """The slice zoomed by a factor, with the place under a pixel left where it is."""
    before = scale_of(one, width, height)
    zoom = min(max(one.zoom * factor, 0.5), 40.0)
    after = before * zoom / one.zoom
    away = (x - width / 2, y - height / 2)
    pan = tuple(p + a / after - a / before for p, a in zip(one.pan_mm, away, strict=True))
    return replace(one, zoom=zoom, pan_mm=(pan[0], pan[1]))
