"""The dark look: one palette, the colours that carry a meaning, and icons that are also shapes."""

from functools import cache
from itertools import product
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication

WINDOW, BASE, RAISED = "#23272E", "#1B1E23", "#2E343D"
TEXT, SECONDARY, DISABLED = "#E8EAED", "#9AA0A6", "#7A8088"
TICKED, RIM = "#3B4350", "#A5ADB8"
ACCENT, ERROR, WARNING, WARNING_TEXT = "#3D7BD9", "#B00020", "#F2B705", "#1B1E23"
BANNER, BANNER_TEXT = "#8A5A00", "#FFFFFF"
LOCKED, APPROVED = "#4A4F8C", "#1F6B45"
AXIAL, CORONAL, SAGITTAL = "#FF6B5E", "#2FBF9B", "#F2D24B"
PLANE_COLOURS = {"axial": AXIAL, "coronal": CORONAL, "sagittal": SAGITTAL}
AXIS_COLOURS = {"L-R": SAGITTAL, "P-A": CORONAL, "S-I": AXIAL}
STATUS_COLOURS = {"ready": "#4CC38A", "stale": WARNING, "failed": "#FF7A85", "waiting": SECONDARY}
SEVERITY_COLOURS = {"info": "#8AB4F8", "warning": WARNING, "danger": "#FF7A85"}

_ROLES = {
    QPalette.ColorRole.Window: WINDOW,
    QPalette.ColorRole.WindowText: TEXT,
    QPalette.ColorRole.Base: BASE,
    QPalette.ColorRole.AlternateBase: WINDOW,
    QPalette.ColorRole.Text: TEXT,
    QPalette.ColorRole.Button: RAISED,
    QPalette.ColorRole.ButtonText: TEXT,
    QPalette.ColorRole.BrightText: "#FFFFFF",
    QPalette.ColorRole.ToolTipBase: RAISED,
    QPalette.ColorRole.ToolTipText: TEXT,
    QPalette.ColorRole.PlaceholderText: SECONDARY,
    QPalette.ColorRole.Highlight: ACCENT,
    QPalette.ColorRole.HighlightedText: "#FFFFFF",
    QPalette.ColorRole.Link: "#8AB4F8",
    QPalette.ColorRole.Light: "#3A414C",
    QPalette.ColorRole.Midlight: "#343A44",
    QPalette.ColorRole.Mid: "#1F2329",
    QPalette.ColorRole.Dark: "#181B20",
    QPalette.ColorRole.Shadow: "#0E1013",
}
_DISABLED_ROLES = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def dress(application: QApplication) -> None:
    """Give the application the dark look, by palette so that every widget keeps its native parts."""
    application.setStyle("Fusion")
    palette = QPalette()
    for role, colour in _ROLES.items():
        palette.setColor(role, QColor(colour))
    for role in _DISABLED_ROLES:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(DISABLED))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(RAISED))
    application.setPalette(palette)


def view_font() -> QFont:
    """The font of what is written into views: that of the application, but not smaller than 11 points."""
    font = QApplication.font()
    font.setPointSizeF(max(font.pointSizeF(), 11.0))
    return font


def ticked(button: QAbstractButton) -> None:
    """Let the box or ring of a button that is ticked stand out from the window."""
    palette = button.palette()
    palette.setColor(QPalette.ColorRole.Base, QColor(TICKED))
    palette.setColor(QPalette.ColorRole.Window, QColor(RIM))
    button.setPalette(palette)


def lit(button: QAbstractButton, on: bool) -> None:
    """Show that a button is held down: it has the colour of what is chosen."""
    palette = button.palette()
    palette.setColor(QPalette.ColorRole.Button, QColor(ACCENT if on else RAISED))
    button.setPalette(palette)


def painted(widget_palette: QPalette, background: str, text: str) -> QPalette:
    """A copy of a palette with another background and text, for strips that warn."""
    palette = QPalette(widget_palette)
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        palette.setColor(role, QColor(background))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text):
        palette.setColor(role, QColor(text))
    return palette


@cache
def status_icon(status: str) -> QIcon:
    """A sign for "ready", "stale", "failed" or "waiting" that differs in shape, not only in colour."""
    path = QPainterPath()
    filled = False
    if status == "ready":
        path.moveTo(5, 13)
        path.lineTo(10, 18)
        path.lineTo(19, 6)
    elif status == "stale":
        path.addEllipse(QRectF(4, 4, 16, 16))
        path.moveTo(12, 7)
        path.lineTo(12, 12)
        path.lineTo(16, 14)
    elif status == "failed":
        path.moveTo(6, 6)
        path.lineTo(18, 18)
        path.moveTo(18, 6)
        path.lineTo(6, 18)
    else:
        filled = True
        for n in range(3):
            path.addEllipse(QPointF(5 + 7 * n, 12), 2, 2)
    return _icon(path, STATUS_COLOURS.get(status, SECONDARY), filled)


@cache
def severity_icon(severity: str) -> QIcon:
    """A filled triangle for danger, an open one for a warning, a ring for a note."""
    path = QPainterPath()
    if severity == "info":
        path.addEllipse(QRectF(5, 5, 14, 14))
    else:
        path.moveTo(12, 3)
        path.lineTo(22, 20)
        path.lineTo(2, 20)
        path.closeSubpath()
    return _icon(path, SEVERITY_COLOURS[severity], severity == "danger")


@cache
def eye_icon(seen: bool) -> QIcon:
    """An open eye, or a closed one with its lashes."""
    path = QPainterPath()
    path.moveTo(2, 12)
    if seen:
        path.quadTo(12, 2, 22, 12)
        path.quadTo(12, 22, 2, 12)
        path.addEllipse(QPointF(12, 12), 3, 3)
    else:
        path.quadTo(12, 20, 22, 12)
        for angle in (0.25, 0.5, 0.75):
            x, y = 12 - 9 * cos(pi * angle), 12 + 4 * sin(pi * angle)
            path.moveTo(x, y)
            path.lineTo(12 - 12 * cos(pi * angle), y + 4)
    return _icon(path, TEXT if seen else DISABLED, False)


@cache
def lock_icon(locked: bool) -> QIcon:
    """A closed padlock, or an open one."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(5, 11, 14, 10), 2, 2)
    path.moveTo(8, 11)
    path.lineTo(8, 8)
    path.arcTo(QRectF(8, 3, 8, 8), 180, -180 if locked else -140)
    if locked:
        path.lineTo(16, 11)
    return _icon(path, TEXT if locked else DISABLED, False)


@cache
def swatch(colour: str, filled: bool) -> QIcon:
    """A square in a colour; an empty one for what has no colour of its own."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(4, 4, 16, 16), 3, 3)
    icon = QIcon()
    for size in (16, 24, 48):
        icon.addPixmap(_picture(path, size, colour, filled), QIcon.Mode.Normal)
        icon.addPixmap(_picture(path, size, colour, filled), QIcon.Mode.Selected)
    return icon


def plain_icon(path: QPainterPath) -> QIcon:
    """A path, given in a box of 24 x 24, in the colour of text."""
    return _icon(path, TEXT, False)


def _icon(path: QPainterPath, colour: str, filled: bool) -> QIcon:
    """The path, given in a box of 24 x 24, as an icon sharp on dense screens; white where it is chosen."""
    icon = QIcon()
    modes = ((QIcon.Mode.Normal, colour), (QIcon.Mode.Selected, "#FFFFFF"))
    for size, (mode, ink) in product((16, 24, 48), modes):
        icon.addPixmap(_picture(path, size, ink, filled), mode)
    return icon


def _picture(path: QPainterPath, size: int, ink: str, filled: bool) -> QPixmap:
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / 24, size / 24)
        painter.setPen(QPen(QColor(ink), 2.4, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        if filled:
            painter.setBrush(QColor(ink))
        painter.drawPath(path)
    return picture
