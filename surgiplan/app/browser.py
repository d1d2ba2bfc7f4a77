"""The series browser: patients, studies and series of a folder, and which of them come into the case."""

from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QIcon, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHeaderView,
    QLabel,
    QSlider,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..formats.headers import Identity
from ..formats.patients import told_apart_by
from ..formats.pixels import known_name
from ..formats.series import Scan, Series
from . import theme
from .dialogs import ImportDialog
from .jobs import Jobs
from .previews import Look, Looker, Picture, thumbnail
from .strips import Strip
from .words import date_words

WHAT, KIND, VOXELS, SPACING, REMARKS = range(5)
_SERIES = Qt.ItemDataRole.UserRole
_LINES_HIGH = 4


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

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda *_: self._on_current())
        self.tree.itemChanged.connect(lambda *_: self._on_ticked())
        self.tree.verticalScrollBar().valueChanged.connect(lambda _: self._look_soon())
        self.tree.itemExpanded.connect(lambda _: self._look_soon())
        self.panel.slider.valueChanged.connect(lambda _: self._show_picture())
        self._looker.made.connect(self._on_made)

    # --- what is chosen

    @property
    def chosen(self) -> list[Series]:
        """The ticked series, those of the older study first."""
        return sorted(self.tree.ticked(), key=lambda one: one.identity.study_date)

    def _missing(self) -> str:
        one, chosen = self.tree.current(), self.chosen
        remarks = "" if one is None else "\n".join([*([one.reason] if one.reason else []), *one.warnings])
        self.remarks.tell(remarks, theme.ERROR if one is not None and not one.usable else theme.WARNING)
        count = len(chosen)
        self.ok.setText(self.tr("Import") if count < 2 else self.tr("Import {0} series").format(count))
        if not any(series.usable for series in self._found.series):
            return self.tr("choose another folder: none of these series can be used")
        if not chosen:
            return self.tr("tick the series to import")
        if told_apart_by([series.slices[0] for series in chosen]):
            return self.tr("tick series of one patient only")
        return ""

    def _on_ticked(self) -> None:
        """Name the new case after the first series, and tell which side it states."""
        chosen = self.chosen
        self.place.propose((chosen[0].description or chosen[0].modality) if chosen else "case")
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


class SeriesTree(QTreeWidget):
    """Patients, their studies by date, and the series with a tick each; what cannot be used has none."""

    def __init__(self, found: Scan) -> None:
        super().__init__()
        self.setObjectName("series_list")
        self.setAccessibleName(self.tr("Patients, studies and series"))
        self.setHeaderLabels(
            [
                self.tr("Series"),
                self.tr("Type"),
                self.tr("Voxels"),
                self.tr("Spacing, mm"),
                self.tr("Remarks"),
            ]
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        side = self.fontMetrics().height() * _LINES_HIGH
        self.setIconSize(QSize(side, side))
        self._items: dict[Series, QTreeWidgetItem] = {}
        for person, studies in by_patient(found.series):
            self._add_patient(person, studies)
        self.expandAll()
        alone = [one for one in found.series if one.usable]
        if len(alone) == 1:
            self.item(alone[0]).setCheckState(WHAT, Qt.CheckState.Checked)
        self.setItemDelegate(_Row(self))
        self.itemDoubleClicked.connect(lambda item, _: _turn(item))
        self._size_columns()

    def _size_columns(self) -> None:
        for column in range(REMARKS):
            self.resizeColumnToContents(column)
        widest = self.fontMetrics().averageCharWidth() * 44
        self.setColumnWidth(WHAT, min(self.columnWidth(WHAT), widest))
        self.header().setSectionResizeMode(REMARKS, QHeaderView.ResizeMode.Stretch)

    def _heading(self, text: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([text])
        item.setSizeHint(WHAT, QSize(0, round(self.fontMetrics().height() * 1.6)))
        font = item.font(WHAT)
        font.setBold(True)
        item.setFont(WHAT, font)
        return item

    def _add_patient(self, person: Identity, studies: Sequence[tuple[str, list[Series]]]) -> None:
        patient = self._heading(patient_words(person))
        self.addTopLevelItem(patient)
        patient.setFirstColumnSpanned(True)
        for title, series in studies:
            study = self._heading(title)
            patient.addChild(study)
            study.setFirstColumnSpanned(True)
            for one in series:
                self._items[one] = self._series_item(one)
                study.addChild(self._items[one])

    def _series_item(self, one: Series) -> QTreeWidgetItem:
        item = QTreeWidgetItem([one.description or self.tr("(no description)"), one.modality])
        item.setText(VOXELS, voxel_words(one))
        item.setText(SPACING, spacing_words(one))
        item.setData(WHAT, _SERIES, one)
        item.setIcon(WHAT, self._icon(None))
        item.setToolTip(WHAT, one.uid)
        remarks = [one.reason] if one.reason else list(one.warnings)
        item.setText(REMARKS, remarks[0] if len(remarks) == 1 else "; ".join(remarks))
        item.setToolTip(REMARKS, "\n".join(remarks))
        if one.usable:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(WHAT, Qt.CheckState.Unchecked)
        if remarks:
            item.setIcon(
                REMARKS, theme.severity_icon("warning") if one.usable else theme.status_icon("failed")
            )
        if not one.usable:
            for column in range(self.columnCount()):
                item.setForeground(column, QColor(theme.SECONDARY))
        return item

    def _icon(self, look: Look | None) -> QIcon:
        picture = thumbnail(look, self.iconSize(), self.devicePixelRatioF())
        icon = QIcon(picture)
        icon.addPixmap(picture, QIcon.Mode.Selected)  # it keeps its greys there
        return icon

    def item(self, one: Series) -> QTreeWidgetItem:
        """The row of a series."""
        return self._items[one]

    def choose_first(self) -> None:
        """Show the best series."""
        if self._items:
            self.setCurrentItem(min(self._items.items(), key=lambda pair: not pair[0].usable)[1])

    def current(self) -> Series | None:
        """The series of the current row; None on a heading."""
        item = self.currentItem()
        found = item.data(WHAT, _SERIES) if item is not None else None
        return found if isinstance(found, Series) else None

    def ticked(self) -> list[Series]:
        """The ticked series."""
        return [s for s, i in self._items.items() if i.checkState(WHAT) == Qt.CheckState.Checked]

    def visible(self) -> Iterator[Series]:
        """The series whose rows are in sight."""
        item = self.itemAt(1, 1)
        height = self.viewport().height()
        while item is not None and self.visualItemRect(item).top() < height:
            if isinstance(one := item.data(WHAT, _SERIES), Series):
                yield one
            item = self.itemBelow(item)

    def show_thumbnail(self, one: Series, looker: Looker) -> None:
        """Show the picture of the middle slice in the row of a series."""
        look = looker.look(one, middle_of(one))
        self.blockSignals(True)
        self.item(one).setIcon(WHAT, self._icon(look))
        self.blockSignals(False)
        self.viewport().update()


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


class _Row(QStyledItemDelegate):
    """Small signs beside the remarks, and boxes for ticks that stand out from the list."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """As the view would draw the row, but for these two."""
        super().initStyleOption(option, index)
        if index.column() == REMARKS:
            side = option.fontMetrics.height()
            option.decorationSize = QSize(side, side)
        option.palette.setColor(QPalette.ColorRole.Base, QColor(theme.TICKED))
        option.palette.setColor(QPalette.ColorRole.Window, QColor(theme.RIM))


def _turn(item: QTreeWidgetItem) -> None:
    """Tick a row that can be ticked, or take the tick off."""
    if item.flags() & Qt.ItemFlag.ItemIsUserCheckable and item.data(WHAT, _SERIES) is not None:
        ticked = item.checkState(WHAT) == Qt.CheckState.Checked
        item.setCheckState(WHAT, Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked)


def middle_of(one: Series) -> int:
    """Which picture stands for a series."""
    return len(one.slices) // 2


def by_patient(series: Iterable[Series]) -> list[tuple[Identity, list[tuple[str, list[Series]]]]]:
    """Patients, each with the titles and series of the studies, the older study first."""
    people: dict[tuple[str, str, str], list[Series]] = {}
    for one in series:
        who = one.identity
        people.setdefault((who.patient_id, who.patient_name, who.birth_date), []).append(one)
    return [(found[0].identity, _by_study(found)) for found in people.values()]


def _by_study(series: Iterable[Series]) -> list[tuple[str, list[Series]]]:
    studies: dict[str, list[Series]] = {}
    for one in series:
        studies.setdefault(one.identity.study_uid or one.identity.study_date, []).append(one)
    ordered = sorted(studies.values(), key=lambda found: found[0].identity.study_date)
    return [(study_words(found), found) for found in ordered]


def patient_words(who: Identity) -> str:
    """A patient in one line."""
    name = who.patient_name.replace("^", ", ").strip(", ")
    born = f"born {date_words(who.birth_date)}" if who.birth_date else ""
    parts = [name or "(no patient named)", who.patient_id, born, who.sex]
    return "   ".join(part for part in parts if part)


def study_words(series: Sequence[Series]) -> str:
    """A study in one line: its date and what it is called."""
    told = next((d for one in series if (d := one.slices[0].header.study_description)), "")
    return "   ".join([date_words(series[0].identity.study_date) or "(no date)", *([told] if told else [])])


def voxel_words(one: Series) -> str:
    """Columns, rows and slices of what would be read."""
    k, j, i = one.shape_kji
    return f"{i} × {j} × {k}" if j else ""


def spacing_words(one: Series) -> str:
    """Spacing along i, j and k in mm; empty when it is not known."""
    c, b, a = one.spacing_kji
    return f"{a:.2f} × {b:.2f} × {c:.2f}" if one.usable else ""


def facts_of(one: Series, among: Iterable[Series]) -> list[tuple[str, str]]:
    """What is known of a series, as names and words; nothing where nothing is known."""
    header = one.slices[0].header
    archive = f" in {one.files[0].path.name}" if one.files and one.files[0].entry >= 0 else ""
    extent = ""
    if one.usable:
        c, b, a = (n * mm for n, mm in zip(one.shape_kji, one.spacing_kji, strict=True))
        extent = f", {a:.0f} × {b:.0f} × {c:.0f} mm in all"
    shared = [
        other.description or other.modality
        for other in among
        if other is not one and other.usable and header.frame_uid and other.frame_uid == one.frame_uid
    ]
    facts = [
        ("Voxels", f"{voxel_words(one)}{extent}"),
        ("Patient position", header.patient_position),
        ("Stored as", known_name(one.transfer_syntax)),
        ("Files", f"{len(one.files)}{archive}"),
        ("Shares its space with", ", ".join(shared)),
    ]
    return [(name, text) for name, text in facts if text]
