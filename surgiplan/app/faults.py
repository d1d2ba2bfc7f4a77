"""When something goes wrong: plain words for what the user can put right, a log for what is our fault."""

import logging
import platform
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from .. import __version__
from ..errors import SurgiplanError

W = TypeVar("W")
E = TypeVar("E")
_LOG = logging.getLogger("surgiplan.app")


def log_path() -> Path:
    """Where faults are written down."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericStateLocation)
    return Path(folder) / "surgiplan" / "faults.log"


def tell(parent: QWidget | None, title: str, text: str, kind: str = "warning") -> QMessageBox:
    """Show a message without stopping the program.

    kind: "info", "warning" or "error"
    """
    box = QMessageBox(parent)
    box.setObjectName("message")
    icons = {"info": QMessageBox.Icon.Information, "error": QMessageBox.Icon.Critical}
    box.setIcon(icons.get(kind, QMessageBox.Icon.Warning))
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box


def safely(paint: Callable[[W, E], None]) -> Callable[[W, E], None]:
    """Let no exception out of a paint event, where it could end the program; it is reported instead."""

    @wraps(paint)
    def painted(widget: W, event: E) -> None:
        try:
            paint(widget, event)
        except Exception:
            sys.excepthook(*sys.exc_info())

    return painted


class Faults(QObject):
    """Catches what no one foresaw: writes it down and tells the user that the work is safe.

    where: gives the name of the open case file, "" when there is none
    parent: the window the message belongs to
    """

    _seen = Signal(str)

    def __init__(self, parent: QWidget, where: Callable[[], str]) -> None:
        super().__init__(parent)
        self._window, self._where = parent, where
        self._before = sys.excepthook
        self._last: QMessageBox | None = None
        self._seen.connect(self._on_seen, Qt.ConnectionType.QueuedConnection)

    def catch(self) -> None:
        """From now on, exceptions that nothing else handles come here."""
        self._before, sys.excepthook = sys.excepthook, self._on_exception

    def release(self) -> None:
        """Give the hook back."""
        sys.excepthook = self._before

    def take(self, problem: BaseException) -> None:
        """Deal with one exception: a SurgiplanError is told, anything else is a fault of ours."""
        if isinstance(problem, SurgiplanError):
            tell(self._window, self.tr("This cannot be done"), str(problem))
            return
        write_down(problem)
        self._seen.emit(type(problem).__name__)

    def _on_exception(
        self, kind: type[BaseException], problem: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        self._before(kind, problem, trace)
        self.take(problem)

    def _on_seen(self, name: str) -> None:
        if self._last is not None:
            return  # one message at a time: a fault in a paint event comes again and again
        where = self._where()
        safe = self.tr("Your work is safe in {0}.").format(where) if where else self.tr("No case was open.")
        text = self.tr("A fault in surgiplan ({0}). {1}\n\nDetails are in {2}.").format(
            name, safe, log_path()
        )
        self._last = tell(self._window, self.tr("A fault in surgiplan"), text, "error")
        self._last.finished.connect(self._forget)

    def _forget(self) -> None:
        self._last = None


def write_down(problem: BaseException) -> None:
    """Log where a fault happened: files of the program and line numbers, never messages or values.

    The text of an exception may hold a name or a path, so it is left out.
    """
    frames = traceback.extract_tb(problem.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    _logger().error("%s at %s", type(problem).__name__, " > ".join(places))


def _logger() -> logging.Logger:
    if not _LOG.handlers:
        try:
            log_path().parent.mkdir(parents=True, exist_ok=True)
            handler: logging.Handler = RotatingFileHandler(
                log_path(), maxBytes=500_000, backupCount=1, encoding="utf-8"
            )
        except OSError:
            handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(f"%(asctime)s {__version__} {platform.system()} %(message)s"))
        _LOG.addHandler(handler)
        _LOG.propagate = False
    return _LOG
