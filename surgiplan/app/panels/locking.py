"""Locking, unlocking and approving the plan: the bar that says so, and the questions that are asked."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...acts.approval import approve
from ...casefile import Lock
from ...errors import Cancelled, SurgiplanError
from .. import theme
from ..desk import Desk
from ..files.dialogs import ok_cancel
from ..jobs import Jobs


class LockBar(QFrame):
    """Says who locked or approved the plan, and how it can be changed again; hidden while it can be.

    desk: the open case

    unlock: the person wants to unlock the plan
    """

    unlock = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.setObjectName("lock_bar")
        self.setAutoFillBackground(True)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        font = self.words.font()
        font.setBold(True)
        self.words.setFont(font)
        self.button = QPushButton(self.tr("Unlock..."))
        self.button.setObjectName("lock_bar_unlock")
        self.button.clicked.connect(lambda _=False: self.unlock.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.addWidget(self.words)
        row.addWidget(self.button)
        desk.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how the plan stands now."""
        lock = self._desk.lock
        self.setVisible(lock is not None)
        if lock is None:
            return
        ground = theme.APPROVED if lock.approved else theme.LOCKED
        palette = theme.painted(self.palette(), ground, theme.BANNER_TEXT)
        self.setPalette(palette)
        self.words.setPalette(palette)
        self.words.setText(self._said(lock))
        self.button.setVisible(not self._desk.session.case.read_only)

    def _said(self, lock: Lock) -> str:
        void = self.tr(" (this voids the approval)") if lock.approved else ""
        way = self.tr("To change the plan: Plan > Unlock plan{0}.").format(void)
        return f"{lock.words}.  {way}"


def follow_lock(desk: Desk, actions: Mapping[str, QAction]) -> str:
    """Let the actions lock, unlock and approve fit the case; gives the words beside its name."""
    read_only, lock = desk.session.case.read_only, desk.lock
    actions["lock"].setEnabled(not read_only and lock is None)
    actions["unlock"].setEnabled(not read_only and lock is not None)
    actions["approve"].setEnabled(not read_only and not (lock and lock.approved))
    notes = ["read-only"] if read_only else []
    notes += ["approved" if lock.approved else "locked"] if lock else []
    return f"  ({', '.join(notes)})" if notes else ""


class Locking(QObject):
    """Asks what has to be said, then locks, unlocks or approves.

    desk: the open case
    jobs: computes what is to be approved, beside the window
    window: the parent of the questions
    settle: keeps what is being changed before a lock; gives False when it cannot be kept

    told: a sentence for the status bar
    """

    told = Signal(str)

    def __init__(self, desk: Desk, jobs: Jobs, window: QWidget, settle: Callable[[], bool]) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._window, self._settle = desk, jobs, window, settle

    def ask_lock(self) -> None:
        """Ask for the reason, then lock the plan."""
        text = self.tr("Nothing of the plan can be changed until it is unlocked, by no program.")
        dialog = SayingDialog(self._window, self.tr("Lock the plan"), text, self.tr("Lock"), why=True)
        dialog.accepted.connect(lambda: self.lock(dialog.why, dialog.by))
        dialog.open()

    def lock(self, why: str, by: str = "") -> None:
        """Lock the plan."""
        if self._settle():
            self._do(lambda: self._desk.session.case.put_lock(why, by), self.tr("The plan is locked."))

    def ask_unlock(self) -> None:
        """Ask for the reason, then unlock the plan."""
        approved = self._desk.lock is not None and self._desk.lock.approved
        text = self.tr("The reason is kept in the journal.")
        if approved:
            text = self.tr("Unlocking voids the approval: the plan must then be approved anew. {0}").format(
                text
            )
        dialog = SayingDialog(self._window, self.tr("Unlock the plan"), text, self.tr("Unlock"), why=True)
        dialog.accepted.connect(lambda: self.unlock(dialog.why, dialog.by))
        dialog.open()

    def unlock(self, why: str, by: str = "") -> None:
        """Unlock the plan."""
        self._do(lambda: self._desk.session.case.unlock(why, by), self.tr("The plan can be changed again."))

    def ask_approve(self) -> None:
        """Ask who approves, then compute everything and approve it."""
        grave = sum(one.severity == "danger" for one in self._desk.findings)
        text = self.tr(
            "Everything is computed, kept as what was approved, and the plan is locked.\n"
            "Findings: {0}, of which {1} marked as danger."
        ).format(len(self._desk.findings), grave)
        dialog = SayingDialog(self._window, self.tr("Approve the plan"), text, self.tr("Approve"), why=False)
        dialog.accepted.connect(lambda: self.approve(dialog.by))
        dialog.open()

    def approve(self, by: str) -> None:
        """Compute all results in a worker, freeze them and lock the plan as approved."""
        if not self._settle():
            return
        session = self._desk.session
        self._jobs.start(
            self.tr("Computing what is approved"),
            lambda report: approve(session.case, session.values(lambda step, f, _: report(f, step)), by),
            lambda lock: self._ended(lock.words),
            self._failed,
        )

    def _do(self, act: Callable[[], object], words: str) -> None:
        try:
            act()
        except SurgiplanError as problem:
            self._failed(problem)
        else:
            self._ended(words)

    def _ended(self, words: str) -> None:
        self._desk.refresh()
        self._desk.pursue()
        self.told.emit(words)

    def _failed(self, problem: Exception) -> None:
        self._desk.refresh()
        if isinstance(problem, Cancelled):
            self.told.emit(self.tr("Stopped. The plan is not approved."))
        else:
            self._desk.refused.emit(problem)


class SayingDialog(QDialog):
    """Asks who does it, and why; the button waits until what is needed is said.

    text: what it means
    verb: the word on the button
    why: whether a reason is needed, instead of a name
    """

    def __init__(self, parent: QWidget, title: str, text: str, verb: str, why: bool) -> None:
        super().__init__(parent)
        self.setObjectName("saying_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.by_box, self.why_box = QLineEdit(), QLineEdit()
        self.by_box.setObjectName("saying_by")
        self.why_box.setObjectName("saying_why")
        for box in (self.by_box, self.why_box):
            box.setMinimumWidth(self.fontMetrics().averageCharWidth() * 50)
            box.textChanged.connect(self._check)
        self._needed = self.why_box if why else self.by_box
        about = QLabel(text)
        about.setWordWrap(True)
        rows = QFormLayout()
        if why:
            rows.addRow(self.tr("Reason"), self.why_box)
        rows.addRow(self.tr("Name (may stay empty)") if why else self.tr("Approved by"), self.by_box)
        buttons = ok_cancel()
        self.ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(verb)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(about)
        column.addLayout(rows)
        column.addWidget(buttons)
        self._needed.setFocus()
        self._check()

    def _check(self) -> None:
        self.ok.setEnabled(bool(self._needed.text().strip()))

    @property
    def by(self) -> str:
        """Who does it."""
        return self.by_box.text().strip()

    @property
    def why(self) -> str:
        """The reason."""
        return self.why_box.text().strip()
