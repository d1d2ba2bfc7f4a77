"""Pictures and the report: what is grabbed from the views leaves without a name unless it is ticked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from ... import SAFETY_LINE
from ...acts.report import Report, write_report
from ...errors import CaseError
from .. import theme
from ..banner import Banner
from ..bench import Bench
from ..jobs import Jobs
from ..recent import Recent
from ..words import label_of, status_of, told_figures
from .leaving import PictureDialog, file_name


@contextmanager
def veiled(banner: Banner, identify: bool) -> Iterator[None]:
    """While it lasts, the banner shows the patient's name only when that was asked for."""
    banner.veil(not identify)
    try:
        yield
    finally:
        banner.veil(False)


def png_of(picture: QPixmap) -> bytes:
    """A picture as the bytes of a PNG file."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return bytes(data.data())


def with_line(picture: QPixmap, words: str) -> QPixmap:
    """A picture with a line of words on the colour of the banner below it."""
    ratio = picture.devicePixelRatio()
    width, height = picture.width() / ratio, picture.height() / ratio
    flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
    room = QRect(6, 0, round(width) - 12, 1000)
    line = QFontMetrics(QApplication.font()).boundingRect(room, flags, words).height() + 8
    made = QPixmap(picture.width(), picture.height() + round(line * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(QColor(theme.BANNER))
    with QPainter(made) as painter:
        painter.drawPixmap(0, 0, picture)
        painter.setPen(QColor(theme.BANNER_TEXT))
        painter.drawText(QRectF(6, height, width - 12, line), flags, words)
    return made


class Outgoing(QObject):
    """Asks, grabs and writes.

    window: the window whose parts are grabbed
    jobs: writes beside the window

    told: a sentence for the person
    refused: something could not be done (the exception)
    """

    told = Signal(str)
    refused = Signal(object)

    def __init__(self, window: QWidget, jobs: Jobs) -> None:
        super().__init__(window)
        self._window, self._jobs = window, jobs

    def ask_picture(self, bench: Bench, banner: Banner, recent: Recent) -> None:
        """Ask what to picture and where to, and write it."""
        views = {"window": self.tr("Whole window")} | {
            key: words for key, (words, _) in bench.picture_views().items()
        }
        encrypted = bench.desk.session.case.encrypted
        dialog = PictureDialog(self._window, self.tr("Screenshot"), views, encrypted)
        dialog.setObjectName("picture_dialog")

        def accepted() -> None:
            key, identify = str(dialog.what.currentData()), dialog.identify.isChecked()
            if path := self._ask_file(bench, recent, key, ".png", self.tr("PNG picture (*.png)")):
                self.picture(bench, banner, key, path, identify)

        dialog.accepted.connect(accepted)
        dialog.open()

    def picture(self, bench: Bench, banner: Banner, key: str, path: Path, identify: bool = False) -> None:
        """Write a picture of the window or a view."""
        bench.view3d.surface.settle()
        with veiled(banner, identify):
            picture = self._window.grab() if key == "window" else self._grabbed(bench, key, identify)
        if picture.save(str(path), "PNG"):
            self.told.emit(self.tr("The picture was written to {0}.").format(path))
        else:
            self.refused.emit(CaseError(f"{path.name} could not be written: choose another place"))

    @staticmethod
    def _grabbed(bench: Bench, key: str, identify: bool = False) -> QPixmap:
        """A view with a line below it: side, safety line and, if asked for, the patient."""
        desk = bench.desk
        name = desk.patient.get("patient_name", "") if identify else ""
        words = (desk.view.side or "SIDE NOT SET", name, SAFETY_LINE)
        return with_line(bench.picture_views()[key][1].grab(), "    ".join(w for w in words if w))

    def ask_report(self, bench: Bench, recent: Recent) -> None:
        """Ask where to, and write the report."""
        encrypted = bench.desk.session.case.encrypted
        dialog = PictureDialog(self._window, self.tr("Report"), {}, encrypted)
        dialog.setObjectName("report_dialog")

        def accepted() -> None:
            if path := self._ask_file(bench, recent, "report", ".html", self.tr("Report (*.html)")):
                self.report(bench, path, dialog.identify.isChecked())

        dialog.accepted.connect(accepted)
        dialog.open()

    def report(self, bench: Bench, path: Path, identify: bool = False) -> None:
        """Write the one-page report of the case, with the pictures of its views."""
        desk = bench.desk
        lines = []
        for step in desk.kept.steps:
            word, problem = status_of(desk.results.get(step.name))
            figures = problem or ", ".join(told_figures(desk.evidence(step.name))) or word
            lines.append((step.name, label_of(step.operation.spec.name), figures))
        bench.view3d.surface.settle()
        views = bench.picture_views()
        pictures = [(w, png_of(self._grabbed(bench, k))) for k, (w, _) in views.items() if k != "views"]
        content = Report(
            title=desk.path.stem,
            plan=desk.kept,
            lines=lines,
            findings=desk.findings,
            pictures=pictures,
            identify=identify,
        )
        self._jobs.start(
            self.tr("Writing the report"),
            lambda _: write_report(desk.session.case, content, path),
            lambda _: self.told.emit(self.tr("The report was written to {0}.").format(path)),
            self.refused.emit,
        )

    def _ask_file(self, bench: Bench, recent: Recent, part: str, suffix: str, kind: str) -> Path | None:
        name = file_name(bench.desk.path.stem, part, bench.desk.side, suffix)
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save as"), str(recent.folder / name), kind
        )
        if not chosen:
            return None
        path = Path(chosen)
        recent.folder = path.parent
        return path if path.suffix else path.with_suffix(suffix)
