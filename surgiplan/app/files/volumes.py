"""The question of a volume file: what its numbers are, and on which scan a label map lies."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QGroupBox, QLabel, QRadioButton, QVBoxLayout, QWidget

from .. import theme
from .dialogs import ImportDialog

LABELS = "labels"


class VolumeDialog(ImportDialog):
    """A NIfTI, NRRD or MetaImage file seldom says whether it is CT, MR or a label map: the person does.

    name: of the file
    segments: whether it is a file of segments, so that nothing else can be chosen
    scans: names of the scans of the open case
    """

    def __init__(
        self,
        parent: QWidget,
        name: str,
        segments: bool,
        scans: Sequence[str],
        open_case: str,
        known_side: str,
    ) -> None:
        super().__init__(parent, f"Import {name}", open_case, known_side, Path(name).name.split(".")[0], "")
        self.setObjectName("volume_dialog")
        self._kinds: dict[str, QRadioButton] = {}
        self.on = QComboBox()
        self.on.setObjectName("volume_on")
        box = QGroupBox(self.tr("What is it?"))
        column = QVBoxLayout(box)
        for key, words in (
            ("CT", self.tr("CT: the numbers are Hounsfield units")),
            ("MR", self.tr("MR")),
            ("", self.tr("Something else, or not known: the numbers have no unit")),
            (LABELS, self.tr("A label map: each label becomes a mask")),
        ):
            button = QRadioButton(words)
            button.setObjectName(f"kind_{key or 'other'}")
            button.setChecked(segments and key == LABELS)
            button.setEnabled(not segments or key == LABELS)
            button.toggled.connect(lambda _: self.check())
            theme.ticked(button)
            self._kinds[key] = button
            column.addWidget(button)
        self.on.addItem(self.tr("on voxels of its own"), "")
        for scan in scans:
            self.on.addItem(self.tr("on the voxels of {0}").format(scan), scan)
        self._on_words = QLabel(self.tr("The masks lie"))
        column.addWidget(self._on_words)
        column.addWidget(self.on)
        self.column.addWidget(box)
        self._finish()

    def _missing(self) -> str:
        labels = self._kinds[LABELS].isChecked()
        for widget in (self.on, self._on_words):
            widget.setVisible(labels and self.on.count() > 1)
        picked = any(button.isChecked() for button in self._kinds.values())
        return "" if picked else self.tr("say what it is")

    @property
    def kind(self) -> str:
        """ "CT", "MR", "" or "labels"."""
        return next(key for key, button in self._kinds.items() if button.isChecked())

    @property
    def scan(self) -> str:
        """The scan on whose voxels the masks lie; "" for none of the open case."""
        here = self.place.place.path is None
        return str(self.on.currentData()) if self.kind == LABELS and here else ""
