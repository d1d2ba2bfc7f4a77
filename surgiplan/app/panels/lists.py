"""The panels at the right: what should be looked at, and what was done."""

from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...values import Finding
from .. import theme
from ..desk import Desk

_ITEM = Qt.ItemDataRole.UserRole
_WORDS = {"danger": "Danger", "warning": "Look at this", "info": "Note"}


class _Panel(QWidget):
    """A list, or a sentence that says what will be in it."""

    def __init__(self, name: str, title: str, empty: str) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setObjectName(name)
        self.list.setAccessibleName(title)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self._empty = QLabel(empty)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._empty.setMargin(8)
        column = self.column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)

    def sizeHint(self) -> QSize:
        """Wide enough for a sentence."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 34, metrics.height() * 10)

    def _show(self, items: list[QListWidgetItem]) -> None:
        self.list.clear()
        for item in items:
            self.list.addItem(item)
        self.list.setVisible(bool(items))
        self._empty.setVisible(not items)


class FindingsPanel(_Panel):
    """Collisions, close passes, failed steps: a click goes there.

    desk: the open case

    visited: the finding that was clicked
    """

    visited = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            "findings",
            self.tr("Findings"),
            self.tr("Nothing found yet.\n\nCollisions, close passes and steps that need a hand appear here."),
        )
        self._desk = desk
        self._shown: tuple[Finding, ...] = ()
        self.list.itemClicked.connect(self._visit)
        self.list.itemActivated.connect(self._visit)
        desk.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        found = self._desk.findings
        if found != self._shown or not found:
            self._shown = found
            self._show([_finding_item(one) for one in found])

    def _visit(self, item: QListWidgetItem) -> None:
        self.visited.emit(item.data(_ITEM))


def _finding_item(one: Finding) -> QListWidgetItem:
    place = "" if one.at_lps is None else "  ▸"
    item = QListWidgetItem(f"{_WORDS[one.severity]} · {one.step}{place}\n{one.text}")
    item.setIcon(theme.severity_icon(one.severity))
    item.setData(_ITEM, one)
    item.setToolTip("" if one.at_lps is None else "Click to go there")
    return item


class HistoryPanel(_Panel):
    """What was done, the newest first; a double click goes back to the plan as it was then.

    desk: the open case

    compared: the person wants to compare the plans of these lines (numbers from 0, the first change)
    """

    compared = Signal(list)

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            "history",
            self.tr("History"),
            self.tr(
                "Nothing done yet.\n\nEvery change is kept at once and listed here; undo never loses work."
            ),
        )
        self._desk = desk
        self._shown: list[tuple[str, str]] = []
        self.list.itemDoubleClicked.connect(self._go_back)
        self.list.setToolTip(self.tr("Double-click to go back to the plan as it was then"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.compare_button = QPushButton(self.tr("Compare..."))
        self.compare_button.setObjectName("history_compare")
        self.compare_button.setToolTip(self.tr("Compare two chosen plans, or one with the present one"))
        self.compare_button.clicked.connect(lambda _=False: self.compared.emit(self.chosen))
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 6, 4)
        row.addWidget(self.compare_button)
        self.column.addLayout(row)
        desk.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the line of plans that leads to the present one."""
        done = self._desk.done
        if done != self._shown or not done:
            self._shown = list(done)
            self._show([_history_item(n, *one) for n, one in reversed(list(enumerate(done)))])
            if done:
                self.list.setCurrentRow(0)
        self.compare_button.setEnabled(bool(done))

    @property
    def chosen(self) -> list[int]:
        """The numbers of the chosen lines."""
        return sorted(int(item.data(_ITEM)) for item in self.list.selectedItems())

    def _go_back(self, item: QListWidgetItem) -> None:
        for _ in range(len(self._shown) - 1 - int(item.data(_ITEM))):
            self._desk.undo()


def _history_item(number: int, why: str, when: str) -> QListWidgetItem:
    item = QListWidgetItem(f"{clock(when)}  {why}")
    item.setData(_ITEM, number)
    return item


def clock(when: str) -> str:
    """The local time of a UTC stamp."""
    try:
        return datetime.fromisoformat(when).astimezone().strftime("%H:%M")
    except ValueError:
        return when
