"""The series browser: patients, studies and series of a folder, and which of them come into the case."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLabel,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ...formats.dicom.candidates import accepted
from ...formats.dicom.issues import CHOICES
from ...formats.dicom.patients import told_apart_by
from ...formats.dicom.pixels import known_name
from ...formats.dicom.series import Scan, Series
from .. import theme
from ..jobs import Jobs
from ..strips import Strip
from .dialogs import ImportDialog
from .listing import SeriesTree, middle_of, voxel_words
from .previews import Look, Looker, Picture


class SeriesBrowser(ImportDialog):
    """What a scan found, as patients with their studies and series; the person ticks what to import.

    found: what the scan found
    open_case, known_side: name and side of the case that is open, "" for none
    looking: the worker that makes the pictures
    """

    def __init__(
        self, parent: QWidget, found: Scan, looking: Jobs, open_case: str = "", known_side: str = ""
    ) -> None:
        super().__init__(parent, "Import DICOM", open_case, known_side, "case", "")
        self.setObjectName("series_browser")
        self._found = found
        self.tree = SeriesTree(found)
        self.panel = SeriesPanel(found)
        self.nameless = QCheckBox(self.tr("Keep no identity in the case"))
        self.nameless.setObjectName("nameless")
        self.nameless.setToolTip(
            self.tr(
                "Name, ID, birth date, dates and UIDs stay out of the case. Text that is burned into the"
                " pictures, and the face in a scan of the head, come in all the same."
            )
        )
        self._looker = Looker(looking, self._wanted, self)
        self._lay_out(found)
        self._connect()
        self._finish()
        self._on_ticked()
        self.resize(self.fontMetrics().averageCharWidth() * 190, self.fontMetrics().height() * 50)
        self.tree.choose_first()

    def _lay_out(self, found: Scan) -> None:
        usable = sum(one.usable for one in found.series)
        told = self.tr("{0} series in {1}, {2} can be used.").format(
            len(found.series), found.path.name, usable
        )
        others = self.tr(" {0} other files.").format(found.skipped) if found.skipped else ""
        self.column.addWidget(QLabel(told + others))
        notes = Strip("scan_notes")
        notes.tell("\n".join(found.notes[:3]), theme.WARNING)
        self.column.addWidget(notes)
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(self.tree)
        halves.addWidget(self.panel)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        halves.setChildrenCollapsible(False)
        self.column.addWidget(halves, 1)
        self.remarks = Strip("series_remarks")
        self.column.addWidget(self.remarks)
        self.accept_box = QCheckBox()
        self.accept_box.setObjectName("accept")
        for box in (self.accept_box, self.nameless):
            theme.ticked(box)
        self.place.column.addWidget(self.nameless)
        self.column.addWidget(self.accept_box)

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda *_: self._on_current())
        self.tree.itemChanged.connect(lambda *_: self._on_ticked())
        self.tree.verticalScrollBar().valueChanged.connect(lambda _: self._look_soon())
        self.tree.itemExpanded.connect(lambda _: self._look_soon())
        self.panel.slider.valueChanged.connect(lambda _: self._show_picture())
        self._looker.made.connect(self._on_made)
        self.accept_box.clicked.connect(self._on_accept)
        self.nameless.toggled.connect(lambda _: self._on_ticked())

    # --- what is chosen

    @property
    def chosen(self) -> list[Series]:
        """The ticked series, those of the older study first."""
        return sorted(self.tree.ticked(), key=lambda one: one.identity.study_date)

    def _missing(self) -> str:
        chosen = self.chosen
        self._tell_remarks(self.tree.current())
        count = len(chosen)
        self.ok.setText(self.tr("Import") if count < 2 else self.tr("Import {0} series").format(count))
        if not any(series.usable or series.choices for series in self._found.series):
            return self.tr("choose another folder: none of these series can be used")
        if not chosen:
            return self.tr("tick the series to import")
        if told_apart_by([series.slices[0] for series in chosen]):
            return self.tr("tick series of one patient only")
        return ""

    def _tell_remarks(self, one: Series | None) -> None:
        """What is to be known of a series; and where that is all it needs, a box to accept it."""
        choices = one.choices if one is not None else ()
        self.accept_box.setVisible(bool(choices))
        if one is None:
            self.remarks.tell("", theme.WARNING)
            return
        used = self.tree.as_used(one)
        self.panel.tell_facts(used)
        self.accept_box.setChecked(used.usable)
        do = self.tr(" and ").join(CHOICES[choice] for choice in choices)
        self.accept_box.setText(self.tr("Use it all the same: {0}").format(do))
        told = [*([used.reason] if used.reason else []), *used.warnings]
        self.remarks.tell("\n".join(told), theme.WARNING if used.usable else theme.ERROR)

    def _on_accept(self, on: bool) -> None:
        one = self.tree.current()
        if one is not None:
            self.tree.use(one, accepted(one, one.choices) if on else one)

    def _on_ticked(self) -> None:
        """Name the new case after the first series, and tell which side it states."""
        chosen = self.chosen
        told = chosen and not self.nameless.isChecked()  # a description may hold a name
        self.place.propose((chosen[0].description or chosen[0].modality) if told else "case")
        stated = {one.identity.laterality for one in chosen}
        self.side.tell_stated(stated.pop() if len(stated) == 1 else "")
        self.check()

    # --- pictures

    def _on_current(self) -> None:
        self.panel.show_series(self.tree.current())
        self._show_picture()
        self.check()

    def _show_picture(self) -> None:
        one = self.panel.series
        if one is not None:
            self.panel.show_look(self._looker.look(one, self.panel.slider.value()))
        self._looker.wake()

    def _on_made(self, series: Series, k: int) -> None:
        if k == middle_of(series):
            self.tree.show_thumbnail(series, self._looker)
        if series is self.panel.series and k == self.panel.slider.value():
            self.panel.show_look(self._looker.look(series, k))

    def _wanted(self) -> Iterator[tuple[Series, int]]:
        one = self.panel.series
        if one is not None:
            yield one, middle_of(one)  # it says how grey the others are
            yield one, self.panel.slider.value()
        for series in self.tree.visible():
            yield series, middle_of(series)

    def _look_soon(self) -> None:
        QTimer.singleShot(0, self._looker, self._looker.wake)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows may have come into sight."""
        super().resizeEvent(event)
        self._look_soon()

    def done(self, result: int) -> None:
        """Close; no picture is waited for."""
        self._looker.rest()
        super().done(result)


class SeriesPanel(QWidget):
    """The current series: a large picture, a slider through its slices, and what is known of it."""

    def __init__(self, found: Scan) -> None:
        super().__init__()
        self._found = found
        self.series: Series | None = None
        self.picture = Picture()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("series_slider")
        self.slider.setAccessibleName(self.tr("Slice"))
        self._place = QLabel()
        self._facts = QFormLayout()
        self._facts.setContentsMargins(0, 0, 0, 0)
        self._facts.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._labels: dict[str, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picture, 1)
        column.addWidget(self.slider)
        column.addWidget(self._place)
        column.addLayout(self._facts)
        self.picture.stepped.connect(lambda steps: self.slider.setValue(self.slider.value() + steps))
        self.slider.valueChanged.connect(lambda _: self._tell_place())

    def show_series(self, one: Series | None) -> None:
        """Show another series, its middle slice first; None for none."""
        self.series = one
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(one.slices) - 1 if one is not None else 0)
        self.slider.setValue(middle_of(one) if one is not None else 0)
        self.slider.setEnabled(one is not None and len(one.slices) > 1)
        self.slider.blockSignals(False)
        self._tell_place()
        if one is None:
            self.picture.show_look(None, self.tr("Choose a series to look at it"))
        self.tell_facts(one)

    def tell_facts(self, one: Series | None) -> None:
        """Show what is known of a series, or of what was accepted in its place."""
        facts = facts_of(one, self._found.series) if one is not None else []
        for name, _ in facts:
            if name not in self._labels:
                label = self._labels[name] = QLabel()
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setWordWrap(True)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._facts.addRow(f"{name}:", label)
        for name, label in self._labels.items():
            self._facts.setRowVisible(label, name in dict(facts))
            label.setText(dict(facts).get(name, ""))

    def _tell_place(self) -> None:
        count = len(self.series.slices) if self.series is not None else 0
        text = self.tr("Slice {0} of {1}").format(self.slider.value() + 1, count) if count else ""
        self._place.setText(text)

    def show_look(self, look: Look | None) -> None:
        """Show the picture of the slice; None while it is being made."""
        if look is not None:
            words = look.problem and self.tr("No picture: {0}").format(look.problem)
            self.picture.show_look(look, words or self._place.text())
        elif self.picture.shown is None or self.picture.shown.problem:
            self.picture.show_look(None, "…")


def facts_of(one: Series, among: Iterable[Series]) -> list[tuple[str, str]]:
    """What is known of a series, as names and words; nothing where nothing is known."""
    header = one.slices[0].header
    archive = f" in {Path(one.files[0].path).name}" if one.files and one.files[0].entry >= 0 else ""
    extent = ""
    if one.usable:
        c, b, a = (n * mm for n, mm in zip(one.shape_kji, one.spacing_kji, strict=True))
        extent = f", {a:.0f} × {b:.0f} × {c:.0f} mm in all"
    shared = [
        other.description or other.modality
        for other in among
        if other.uid != one.uid and other.usable and header.frame_uid and other.frame_uid == one.frame_uid
    ]
    facts = [
        ("Voxels", f"{voxel_words(one)}{extent}"),
        ("Patient position", header.patient_position),
        ("Stored as", known_name(one.transfer_syntax)),
        ("Files", f"{len(one.files)}{archive}"),
        ("Shares its space with", ", ".join(shared)),
    ]
    return [(name, text) for name, text in facts if text]
