"""Long work beside the window: worker threads, and the bar that shows them and can stop them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from ..errors import Cancelled

Report = Callable[[float, str], None]
Task = Callable[[Report], Any]
_TELL_SECONDS = 0.05
_JOIN_SECONDS = 10.0


@dataclass(eq=False)
class _Job:
    what: str
    task: Task
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]
    stop: Event = field(default_factory=Event)
    told: float = 0.0


class Jobs(QObject):
    """Runs tasks one after the other in a worker thread; answers come back on the window's thread.

    progressed: what is being done, fraction done (0 to 1), text
    idle: nothing is left to do
    """

    progressed = Signal(str, float, str)
    idle = Signal()
    _ended = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[_Job] = []
        self._job: _Job | None = None
        self._thread: Thread | None = None
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    def start(
        self, what: str, task: Task, done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do something long.

        what: words for the job bar
        task: is given a report function that raises Cancelled when a stop was asked; runs in a worker
        done: is given the result, on the window's thread
        failed: is given the exception, Cancelled included, on the window's thread
        """
        self._waiting.append(_Job(what, task, done, failed))
        self._next()

    @property
    def busy(self) -> bool:
        """Whether anything is running or waiting."""
        return self._job is not None or bool(self._waiting)

    def cancel(self) -> None:
        """Stop the running task and forget those that wait."""
        self._waiting.clear()
        if self._job is not None:
            self._job.stop.set()

    def close(self) -> None:
        """Stop, and wait for the worker; no answer is given any more."""
        self.cancel()
        job, self._job = self._job, None
        if job is not None and self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def _next(self) -> None:
        if self._job is not None or not self._waiting:
            return
        self._job = self._waiting.pop(0)
        self.progressed.emit(self._job.what, 0.0, "")
        self._thread = Thread(target=self._work, args=(self._job,), name=self._job.what, daemon=True)
        self._thread.start()

    def _work(self, job: _Job) -> None:
        def report(fraction: float, text: str) -> None:
            if job.stop.is_set():
                raise Cancelled("stopped on request")
            if monotonic() - job.told > _TELL_SECONDS:
                job.told = monotonic()
                self.progressed.emit(job.what, fraction, text)

        try:
            result, problem = job.task(report), None
        except Exception as caught:
            result, problem = None, caught
        self._ended.emit(job, result, problem)

    @Slot(object, object, object)
    def _on_ended(self, job: _Job, result: Any, problem: Exception | None) -> None:
        if job is not self._job:
            return
        self._job = None
        try:
            if problem is None:
                job.done(result)
            else:
                job.failed(problem)
        finally:
            self._next()
            if not self.busy:
                self.idle.emit()


class JobBar(QWidget):
    """What is being done, how far it is, and a button to stop it; empty while nothing is.

    stopped: the button was pressed
    """

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("job_bar")
        self.setAccessibleName("Work in progress")
        width = self.fontMetrics().averageCharWidth()
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setFixedWidth(width * 46)
        self._text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(width * 18)
        self._bar.setFixedHeight(self.fontMetrics().height())
        self._stop = QPushButton(self.tr("Stop"))
        self._stop.setObjectName("job_stop")
        self._stop.setToolTip(self.tr("Stop this work; nothing is lost, it can be started again"))
        self._stop.clicked.connect(self.stopped)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        for widget in (self._text, self._bar, self._stop):
            keeps = widget.sizePolicy()
            keeps.setRetainSizeWhenHidden(True)  # the views must not jump when work begins or ends
            widget.setSizePolicy(keeps)
            row.addWidget(widget)
        self.rest()

    @property
    def text(self) -> str:
        """What is shown now."""
        return self._text.toolTip()

    def tell(self, what: str, fraction: float, text: str) -> None:
        """Show work at a fraction of 0 to 1."""
        words = what if not text or text == what else f"{what}: {text}"
        self._say(words)
        self._bar.setValue(round(1000 * fraction))
        self._bar.show()
        self._stop.show()

    def rest(self, text: str = "") -> None:
        """Show that nothing runs, with the last word on what did."""
        self._say(text)
        self._bar.hide()
        self._stop.hide()

    def _say(self, words: str) -> None:
        self._text.setToolTip(words)
        elide = Qt.TextElideMode.ElideRight
        self._text.setText(self.fontMetrics().elidedText(words, elide, self._text.width() - 4))
