"""The selftest in the window: measured beside the goals, row by row, to read and to copy."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ... import SAFETY_LINE
from ...errors import Cancelled
from ...selftest import ROWS, Outcome, Row, document, run_apart
from ...selftest.page import said
from .. import theme
from ..jobs import JobBar, Jobs, Report

_COLOURS = {"PASS": theme.STATUS_COLOURS["ready"], "FAIL": theme.STATUS_COLOURS["failed"]}


class SelftestDialog(QDialog):
    """Runs the selftest beside the window and shows each row when it is measured.

    parent: the window
    rows: which promises

    measured: one row has been measured (Outcome)
    """

    measured = Signal(object)

    def __init__(self, parent: QWidget, rows: Sequence[Row] = ROWS) -> None:
        super().__init__(parent)
        self.setObjectName("selftest_dialog")
        self.setWindowTitle(self.tr("Selftest"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._rows, self.outcomes = rows, list[Outcome]()
        self._jobs, self.bar = Jobs(self), JobBar()
        self.table = QTableWidget(0, 5)
        self.whole = QCheckBox(self.tr("&All cases (some minutes)"))
        self.start_button = QPushButton(self.tr("&Run"))
        self.copy_button = QPushButton(self.tr("&Copy"))
        self._lay_out()
        self._jobs.progressed.connect(self.bar.tell)
        self.bar.stopped.connect(self._jobs.cancel)
        self.measured.connect(self._add)
        self.start_button.clicked.connect(self.start)
        self.copy_button.clicked.connect(self.copy)

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels(
            [self.tr(words) for words in ("Row", "Outcome", "What", "Goal", "Measured")]
        )
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (2, 3, 4):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        about = QLabel(
            self.tr(
                "Phantoms of known truth go through this installation, from DICOM to STL. These figures"
                " verify our computation; they are not the accuracy in a patient. {0}"
            ).format(SAFETY_LINE)
        )
        about.setWordWrap(True)
        self.copy_button.setEnabled(False)
        self.copy_button.setToolTip(self.tr("Copy the table as text, to keep or to report"))
        buttons = QHBoxLayout()
        for widget in (self.start_button, self.whole, self.copy_button):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        buttons.addWidget(self.bar)
        below = QVBoxLayout(self)
        below.addWidget(about)
        below.addWidget(self.table, 1)
        below.addLayout(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 160, metrics.height() * 36)

    def start(self) -> None:
        """Measure all rows anew."""
        self.outcomes.clear()
        self.table.setRowCount(0)
        self._let_start(False)
        task = partial(self._measure, not self.whole.isChecked())
        self._jobs.start(self.tr("Selftest"), task, self._on_done, self._on_failed)

    def _measure(self, quick: bool, report: Report) -> None:
        """Runs in the worker; each outcome comes to the window's thread by the signal."""
        for outcome in run_apart(quick, report, self._rows):
            self.measured.emit(outcome)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        row, at = outcome.row, self.table.rowCount()
        told = [said(figure) for figure in outcome.figures] + [outcome.trouble, row.absent]
        self.table.insertRow(at)
        cells = (row.key, outcome.verdict, row.name, row.goal, "\n".join(filter(None, told)))
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column == 1 and text in _COLOURS:
                item.setForeground(QColor(_COLOURS[text]))
            self.table.setItem(at, column, item)
        self.table.resizeRowToContents(at)
        self.table.scrollToBottom()

    def _on_done(self, _: object) -> None:
        failed = [one.row.key for one in self.outcomes if one.verdict == "FAIL"]
        kept = sum(one.verdict == "PASS" for one in self.outcomes)
        self._let_start(True)
        self.bar.rest(
            self.tr("Rows {0} do not hold: do not plan with this installation").format(", ".join(failed))
            if failed
            else self.tr("{0} rows hold").format(kept)
        )

    def _on_failed(self, problem: Exception) -> None:
        self._let_start(True)
        self.bar.rest(self.tr("Stopped") if isinstance(problem, Cancelled) else str(problem))

    def _let_start(self, able: bool) -> None:
        self.start_button.setEnabled(able)
        self.whole.setEnabled(able)
        self.copy_button.setEnabled(able and bool(self.outcomes))

    def copy(self) -> None:
        """Put the table on the clipboard, as Markdown."""
        QGuiApplication.clipboard().setText(document(self.outcomes))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what runs, then close."""
        self._jobs.close()
        super().closeEvent(event)
