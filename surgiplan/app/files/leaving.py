"""The questions before something leaves the case: pictures, reports and exports."""

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QFileDialog, QLabel, QVBoxLayout, QWidget

from .. import theme
from .dialogs import SideChoice, ok_cancel

EXPORT_FILTERS = {
    ".stl": "STL, for printing (*.stl)",
    ".ply": "PLY (*.ply)",
    ".obj": "OBJ (*.obj)",
    ".3mf": "3MF, with unit and name (*.3mf)",
    ".glb": "GLB, for pictures and the web (*.glb)",
    ".seg.nrrd": "Segmentation of 3D Slicer (*.seg.nrrd)",
    ".nii.gz": "NIfTI (*.nii.gz)",
    ".nrrd": "NRRD (*.nrrd)",
    ".mha": "MetaImage (*.mha)",
    ".json": "Figures as JSON (*.json)",
}
_SIDES = {"R": "RIGHT", "L": "LEFT"}


def file_name(case: str, part: str, side: str, suffix: str) -> str:
    """A name that says case, what it is and the side, such as "knee_cut-a_RIGHT.stl"."""
    words = [re.sub(r"[^\w-]+", "-", word) for word in (case, part.replace(".", "-"), _SIDES.get(side, ""))]
    return "_".join(word for word in words if word) + suffix


def ask_export(parent: QWidget, folder: Path, name: str, suffixes: Sequence[str]) -> Path | None:
    """Ask where to write a result; None when the person thinks better of it.

    name: proposed, with its suffix
    suffixes: of the files it can be written to
    """
    kinds = [EXPORT_FILTERS[suffix] for suffix in suffixes]
    chosen, kind = QFileDialog.getSaveFileName(
        parent, parent.tr("Export"), str(folder / name), ";;".join(kinds), kinds[0]
    )
    if not chosen:
        return None
    path = Path(chosen)
    if path.name.lower().endswith(tuple(suffixes)):
        return path
    suffix = next((s for s in suffixes if EXPORT_FILTERS[s] == kind), suffixes[0])
    return path.with_name(path.name + suffix)


class PictureDialog(QDialog):
    """What a picture shows, and whether the patient's name may be on it; not unless it is ticked.

    views: keys and words of what can be pictured
    """

    def __init__(self, parent: QWidget, title: str, views: dict[str, str], encrypted: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.what = QComboBox()
        self.what.setObjectName("picture_what")
        for key, words in views.items():
            self.what.addItem(words, key)
        self.what.setVisible(bool(views))
        self.identify = QCheckBox(self.tr("Show the patient's name"))
        self.identify.setObjectName("picture_identify")
        theme.ticked(self.identify)
        buttons = ok_cancel()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.what)
        column.addWidget(self.identify)
        column.addWidget(QLabel(self.tr("The planned side and the safety line are always on it.")))
        if encrypted:
            column.addWidget(QLabel(self.tr("The case is encrypted; what you write now is not.")))
        column.addWidget(buttons)


class SideDialog(QDialog):
    """Asks for the planned side of the case."""

    def __init__(self, parent: QWidget, known: str) -> None:
        super().__init__(parent)
        self.setObjectName("side_dialog")
        self.setWindowTitle(self.tr("Planned side"))
        self.choice = SideChoice(lambda: None, known)
        buttons = ok_cancel()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(self.tr("Which side of the patient is planned?")))
        column.addWidget(self.choice)
        column.addWidget(buttons)
