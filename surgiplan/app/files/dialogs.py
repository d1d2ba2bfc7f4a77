"""The questions of an import: which unit, which side, and into which case."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from ...values import Mesh
from .. import theme
from ..strips import Strip

CASE_FILTER = "Cases (*.surgiplan)"
UNITS: tuple[tuple[str, str, float], ...] = (
    ("mm", "millimetres", 1.0),
    ("cm", "centimetres", 10.0),
    ("m", "metres", 1000.0),
    ("inch", "inches", 25.4),
)


@dataclass(frozen=True)
class Place:
    """Where something is imported to.

    path: of a new case file; None for the case that is open
    passphrase: encrypts the new file; None for none
    """

    path: Path | None = None
    passphrase: str | None = None


def ok_cancel() -> QDialogButtonBox:
    """The two buttons at the foot of a dialog."""
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    for button in box.buttons():
        button.setIcon(QIcon())  # some desktops put bright pictures there
    return box


def free_case_path(stem: str) -> Path:
    """A path in the user's documents where no case is yet."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folder = Path(documents or Path.home()) / "surgiplan"
    name = re.sub(r"[^\w-]+", "-", stem).strip("-")[:40] or "case"
    stamp = datetime.now().strftime("%Y-%m-%d")
    paths = [folder / f"{name}-{stamp}.surgiplan"]
    paths += [folder / f"{name}-{stamp}-{n}.surgiplan" for n in range(2, 1000)]
    return next(path for path in paths if not path.exists())


class SideChoice(QGroupBox):
    """Right, left or not set: none is picked beforehand unless the case has one.

    changed: called when it is picked
    """

    def __init__(self, changed: Callable[[], None], known: str = "", stated: str = "") -> None:
        super().__init__()
        self.setTitle(self.tr("Planned side"))
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        for n, (letter, text) in enumerate(
            (("R", self.tr("Right")), ("L", self.tr("Left")), ("", self.tr("Not set")))
        ):
            button = QRadioButton(text)
            button.setObjectName(f"side_{letter or 'none'}")
            button.setChecked(bool(known) and letter == known)
            theme.ticked(button)
            self._group.addButton(button, n)
            row.addWidget(button)
        row.addStretch(1)
        self._stated = QLabel()
        row.addWidget(self._stated)
        self.tell_stated(stated)
        self._group.idToggled.connect(lambda *_: changed())

    def tell_stated(self, stated: str) -> None:
        """Show which side the images themselves state; nothing when it is neither "R" nor "L"."""
        side = {"R": self.tr("right"), "L": self.tr("left")}.get(stated)
        self._stated.setText(self.tr("the images state: {0}").format(side) if side else "")

    @property
    def picked(self) -> bool:
        """Whether the person has said anything."""
        return self._group.checkedId() >= 0

    @property
    def side(self) -> str:
        """ "R", "L" or ""."""
        return ("R", "L", "")[max(self._group.checkedId(), 0)] if self.picked else ""


class PlaceChoice(QGroupBox):
    """The case that is open, or a new one with its path and, if wanted, a passphrase.

    open_case: name of the case that is open, "" for none
    """

    def __init__(self, changed: Callable[[], None], open_case: str, stem: str) -> None:
        super().__init__()
        self.setTitle(self.tr("Case"))
        self._changed = changed
        self.here = QRadioButton(self.tr("Add to the open case, {0}").format(open_case))
        self.here.setObjectName("place_here")
        self.new = QRadioButton(self.tr("New case file:"))
        self.new.setObjectName("place_new")
        self.here.setVisible(bool(open_case))
        (self.here if open_case else self.new).setChecked(True)
        self._proposed = str(free_case_path(stem))
        self.path = QLineEdit(self._proposed)
        self.path.setObjectName("case_path")
        self.path.setMinimumWidth(self.fontMetrics().averageCharWidth() * 60)
        browse = QPushButton(self.tr("Browse..."))
        browse.clicked.connect(self._browse)
        self.protect = QCheckBox(self.tr("Protect with a passphrase; without it nothing can be recovered"))
        self.protect.setObjectName("protect")
        for button in (self.here, self.new, self.protect):
            theme.ticked(button)
        self.first, self.second = QLineEdit(), QLineEdit()
        self._lay_out(browse)
        for signal in (self.new.toggled, self.protect.toggled):
            signal.connect(self._follow)
        for box in (self.path, self.first, self.second):
            box.textChanged.connect(lambda _: changed())
        self._follow()

    def propose(self, stem: str) -> None:
        """Name the new case file after this, unless the person has named it."""
        if self.path.text() == self._proposed:
            self._proposed = str(free_case_path(stem))
            self.path.setText(self._proposed)

    def _lay_out(self, browse: QPushButton) -> None:
        self.column = column = QVBoxLayout(self)
        column.addWidget(self.here)
        row = QHBoxLayout()
        for widget in (self.new, self.path, browse):
            row.addWidget(widget)
        column.addLayout(row)
        column.addWidget(self.protect)
        words = QHBoxLayout()
        for box, text in ((self.first, self.tr("passphrase")), (self.second, self.tr("the same again"))):
            box.setEchoMode(QLineEdit.EchoMode.Password)
            box.setPlaceholderText(text)
            words.addWidget(box)
        column.addLayout(words)

    def _follow(self) -> None:
        new, protected = self.new.isChecked(), self.protect.isChecked()
        self.path.setEnabled(new)
        self.protect.setEnabled(new)
        for box in (self.first, self.second):
            box.setVisible(new and protected)
        self._changed()

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("New case"), self.path.text(), CASE_FILTER)
        if chosen:
            self.path.setText(chosen if chosen.endswith(".surgiplan") else f"{chosen}.surgiplan")

    @property
    def problem(self) -> str:
        """What is still missing; empty when the place can be used."""
        if not self.new.isChecked():
            return ""
        path = Path(self.path.text())
        if not self.path.text().strip() or path.exists():
            return (
                self.tr("choose a file name that is not taken")
                if path.name
                else self.tr("choose a file name for the case")
            )
        if self.protect.isChecked() and not self.first.text():
            return self.tr("type a passphrase")
        if self.protect.isChecked() and self.first.text() != self.second.text():
            return self.tr("both passphrases must be the same")
        return ""

    @property
    def place(self) -> Place:
        """What was chosen."""
        if not self.new.isChecked():
            return Place()
        return Place(Path(self.path.text()), self.first.text() if self.protect.isChecked() else None)


class ImportDialog(QDialog):
    """What all import questions share: side, case, and an OK button that says what it waits for."""

    def __init__(
        self, parent: QWidget, title: str, open_case: str, side: str, stem: str, stated: str
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.side = SideChoice(self.check, side, stated)
        self.place = PlaceChoice(self.check, open_case, stem)
        self.hint = QLabel()
        self.hint.setObjectName("import_hint")
        self.buttons = ok_cancel()
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(self.tr("Import"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.column = QVBoxLayout(self)

    def _finish(self) -> None:
        self.column.addWidget(self.side)
        self.column.addWidget(self.place)
        row = QHBoxLayout()
        row.addWidget(self.hint, 1)
        row.addWidget(self.buttons)
        self.column.addLayout(row)
        self.check()

    def _missing(self) -> str:
        return ""

    def check(self) -> None:
        """Let OK be pressed only when nothing is missing, and say what is."""
        if not hasattr(self, "column"):
            return  # still being made
        missing = self._missing() or ("" if self.side.picked else self.tr("pick the planned side"))
        missing = missing or self.place.problem
        self.ok.setEnabled(not missing)
        self.hint.setText(self.tr("First: {0}").format(missing) if missing else "")


class MeshDialog(ImportDialog):
    """The unit of a mesh file, which none of them states: shown by the size the shape would have."""

    def __init__(
        self,
        parent: QWidget,
        name: str,
        mesh: Mesh,
        warnings: tuple[str, ...],
        open_case: str,
        known_side: str,
    ) -> None:
        super().__init__(parent, f"Import {name}", open_case, known_side, Path(name).stem, "")
        self.setObjectName("mesh_dialog")
        box = QGroupBox(self.tr("Unit: a mesh file does not say. How large is the shape?"))
        column = QVBoxLayout(box)
        size = mesh.bounds[1] - mesh.bounds[0]
        self._units: list[QRadioButton] = []
        for key, word, factor in UNITS:
            x, y, z = size * factor
            button = QRadioButton(
                f"{x:.1f} × {y:.1f} × {z:.1f} mm  " + self.tr("(the file is in {0})").format(word)
            )
            button.setObjectName(f"unit_{key}")
            button.setChecked(key == "mm")
            theme.ticked(button)
            self._units.append(button)
            column.addWidget(button)
        remarks = Strip("mesh_remarks")
        remarks.tell("\n".join(warnings), theme.WARNING)
        self.column.addWidget(box)
        self.column.addWidget(remarks)
        self._finish()

    @property
    def unit(self) -> tuple[str, float]:
        """The unit and how many mm it has."""
        key, _, factor = next(u for u, b in zip(UNITS, self._units, strict=True) if b.isChecked())
        return key, factor


class PassphraseDialog(QDialog):
    """Asks for the passphrase of an encrypted case.

    again: what was wrong with the one before, "" for the first time
    """

    def __init__(self, parent: QWidget, name: str, again: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("passphrase_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Open {0}").format(name))
        self.box = QLineEdit()
        self.box.setObjectName("passphrase")
        self.box.setEchoMode(QLineEdit.EchoMode.Password)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self.tr("{0} is encrypted. Its passphrase:").format(name)))
        column.addWidget(self.box)
        problem = Strip("passphrase_problem")
        problem.tell(again, theme.ERROR)
        column.addWidget(problem)
        column.addWidget(buttons)

    @property
    def passphrase(self) -> str:
        """What was typed."""
        return self.box.text()
