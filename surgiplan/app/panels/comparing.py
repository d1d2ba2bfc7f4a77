"""Two plans beside each other in the window: revisions of the case, another case, or a plan file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ...acts.revisions import figures_kept
from ...casefile import CaseFile, Revision
from ...difference import Difference, between
from ...errors import SurgiplanError, Usage
from ...plan.plan import Operations, Plan, plan_of
from ...recipes.files import steps_of
from .. import theme
from ..desk import Desk
from ..forms.editors import quiet
from ..strips import Strip
from .lists import clock

_FILTER = "Cases and plan files (*.surgiplan *.json)"


@dataclass(frozen=True)
class Entry:
    """Something that can be chosen: its words, and its plan once it is wanted."""

    words: str
    plan: Callable[[], Plan]


class CompareDialog(QDialog):
    """Shows what distinguishes two plans; both are chosen from lists, and another file can join them.

    desk: the open case
    operations: what a plan may hold
    first, second: numbers of the revisions that are compared at once; None for the one before and the present
    """

    def __init__(
        self,
        desk: Desk,
        operations: Operations,
        parent: QWidget,
        first: int | None = None,
        second: int | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("compare_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Compare plans"))
        self._desk, self._operations = desk, operations
        self._others: list[CaseFile] = []
        self._entries: list[Entry] = []
        self.before, self.now = QComboBox(), QComboBox()
        for box, name in ((self.before, "compare_before"), (self.now, "compare_now")):
            box.setObjectName(name)
            box.setMinimumContentsLength(50)
            box.currentIndexChanged.connect(lambda _: self.compare())
        self.problem = Strip("compare_problem")
        self.page = QTextBrowser()
        self.page.setObjectName("compare_page")
        self.page.setAccessibleName(self.tr("What distinguishes the plans"))
        other = QPushButton(self.tr("Another case or plan file..."))
        other.clicked.connect(lambda _=False: self._ask_other())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        rows = QFormLayout()
        rows.addRow(self.tr("From"), self.before)
        rows.addRow(self.tr("To"), self.now)
        rows.addRow("", other)
        column = QVBoxLayout(self)
        column.addLayout(rows)
        column.addWidget(self.problem)
        column.addWidget(self.page, 1)
        column.addWidget(buttons)
        em = self.fontMetrics()
        self.resize(em.averageCharWidth() * 105, em.height() * 36)
        self._fill(first, second)
        self.finished.connect(lambda _: self._let_go())

    def _fill(self, first: int | None, second: int | None) -> None:
        revisions = self._desk.session.case.revisions()
        present = self._desk.session.case.head()
        numbers = [one.id for one in revisions]
        self._entries = [self._entry(one, one.id == present.id) for one in revisions]
        with quiet(self.before, self.now):
            for box in (self.before, self.now):
                box.addItems([entry.words for entry in self._entries])
            earlier = present.parent if present.parent is not None else present.id
            self.before.setCurrentIndex(numbers.index(earlier if first is None else first))
            self.now.setCurrentIndex(numbers.index(present.id if second is None else second))
        self.compare()

    def _entry(self, one: Revision, present: bool) -> Entry:
        words = f"{one.id}  {one.when[:10]} {clock(one.when)}  {one.why}"
        mark = self.tr("  (present)") if present else ""
        return Entry(words + mark, lambda: plan_of(self._operations, one.steps))

    def compare(self) -> None:
        """Show what distinguishes the chosen plans."""
        self.problem.hide()
        cases = [self._desk.session.case, *self._others]
        try:
            before, now = (self._entries[box.currentIndex()].plan() for box in (self.before, self.now))
            found = between(before, now, *(figures_kept(plan, cases) for plan in (before, now)))
        except SurgiplanError as problem:
            self.page.clear()
            self.problem.tell(str(problem), theme.ERROR)
            return
        self.page.setHtml(page_of(found))

    def _ask_other(self) -> None:
        folder = str(self._desk.path.parent)
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Compare with"), folder, _FILTER)
        if chosen:
            self.add(Path(chosen))

    def add(self, path: Path) -> None:
        """Let another case or a plan file join the lists, and compare with it."""
        try:
            plan = self._plan_of(path)
        except SurgiplanError as problem:
            self.problem.tell(str(problem), theme.ERROR)
            return
        self._entries.append(Entry(path.name, lambda: plan))
        with quiet(self.before, self.now):
            for box in (self.before, self.now):
                box.addItem(path.name)
        self.now.setCurrentIndex(len(self._entries) - 1)

    def _plan_of(self, path: Path) -> Plan:
        if path.suffix != self._desk.path.suffix:
            return plan_of(self._operations, (json.dumps(step) for step in steps_of(path)))
        if path.resolve() == self._desk.path.resolve():  # a second handle would drop the lock of the first
            raise Usage(f"{path.name} is the open case: its revisions are in the lists already")
        case = CaseFile.open(path, read_only=True)
        self._others.append(case)
        return plan_of(self._operations, case.head().steps)

    def _let_go(self) -> None:
        for case in self._others:
            case.close()
        self._others = []


def page_of(found: Difference) -> str:
    """What distinguishes two plans as a page: a step in bold, its changes below, what came of it in green."""
    if not found.steps:
        return f"<p>{escape(found.lines[0])}</p>"
    parts = []
    for step in found.steps:
        changes = [f"{escape(one.what)} {escape(one.text)}" for one in step.changes]
        results = [_result(f"{one.what} {one.text}") for one in step.results]
        items = "".join(f"<li>{text}</li>" for text in (*changes, *results))
        parts.append(f"<p><b>{escape(step.title)}</b></p>" + (f"<ul>{items}</ul>" if items else ""))
    if found.unknown:
        parts.append(f'<p style="color:{theme.SECONDARY}">{escape(found.lines[-1])}</p>')
    return "".join(parts)


def _result(text: str) -> str:
    return f'<span style="color:{theme.STATUS_COLOURS["ready"]}">→ {escape(text)}</span>'


def chosen_revisions(case: CaseFile, numbers: Sequence[int]) -> tuple[int | None, int | None]:
    """The revisions of two lines of the history; of one line and the present one; or none at all.

    numbers: places in the history, 0 for the first change
    """
    ids = [one.id for one in case.history() if one.parent is not None]
    chosen = sorted(numbers)
    if not chosen:
        return None, None
    return ids[chosen[0]], ids[chosen[-1]] if len(chosen) > 1 else None
