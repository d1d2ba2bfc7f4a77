"""The list of what a scan found: patients, their studies by date, and series with a picture each."""

from collections.abc import Iterable, Iterator, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from ...acts.intake import day_words
from ...formats.dicom.headers import Identity
from ...formats.dicom.series import Scan, Series
from .. import theme
from .previews import Look, Looker, thumbnail

WHAT, KIND, VOXELS, SPACING, REMARKS = range(5)
_SERIES = Qt.ItemDataRole.UserRole
_LINES_HIGH = 4


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
        self._blank = self._icon(None)
        self._signs = {True: theme.severity_icon("warning"), False: theme.status_icon("failed")}
        self._items: dict[Series, QTreeWidgetItem] = {}
        self._accepted: dict[Series, Series] = {}
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
        item.setData(WHAT, _SERIES, one)
        item.setIcon(WHAT, self._blank)
        item.setToolTip(WHAT, one.uid)
        self._tell(item, one)
        return item

    def _tell(self, item: QTreeWidgetItem, one: Series) -> None:
        """What a row says of the series as it would be used."""
        item.setText(VOXELS, voxel_words(one))
        item.setText(SPACING, spacing_words(one))
        remarks = [one.reason] if one.reason else list(one.warnings)
        item.setText(REMARKS, "; ".join(remarks))
        item.setToolTip(REMARKS, "\n".join(remarks))
        item.setIcon(REMARKS, self._signs[one.usable] if remarks else QIcon())
        able = Qt.ItemFlag.ItemIsUserCheckable
        item.setFlags(item.flags() | able if one.usable else item.flags() & ~able)
        item.setData(WHAT, Qt.ItemDataRole.CheckStateRole, Qt.CheckState.Unchecked if one.usable else None)
        for column in range(self.columnCount()):
            item.setForeground(column, QColor(theme.TEXT if one.usable else theme.SECONDARY))

    def as_used(self, one: Series) -> Series:
        """The series as it would be imported: with what was accepted of it."""
        return self._accepted.get(one, one)

    def use(self, one: Series, used: Series) -> None:
        """Let a series be used as this one, which a person accepted, and tick it; or as itself again."""
        self._accepted[one] = used
        self._tell(self.item(one), used)
        if used.usable:
            self.item(one).setCheckState(WHAT, Qt.CheckState.Checked)

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
        return [
            self.as_used(s) for s, i in self._items.items() if i.checkState(WHAT) == Qt.CheckState.Checked
        ]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the current row in sight."""
        super().resizeEvent(event)
        if (item := self.currentItem()) is not None:
            self.scrollToItem(item)

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
    born = f"born {day_words(who.birth_date)}" if who.birth_date else ""
    parts = [name or "(no patient named)", who.patient_id, born, who.sex]
    return "   ".join(part for part in parts if part)


def study_words(series: Sequence[Series]) -> str:
    """A study in one line: its date and what it is called."""
    told = next((d for one in series if (d := one.slices[0].header.study_description)), "")
    return "   ".join([day_words(series[0].identity.study_date) or "(no date)", *([told] if told else [])])


def voxel_words(one: Series) -> str:
    """Columns, rows and slices of what would be read."""
    k, j, i = one.shape_kji
    return f"{i} × {j} × {k}" if j else ""


def spacing_words(one: Series) -> str:
    """Spacing along i, j and k in mm; empty when it is not known."""
    c, b, a = one.spacing_kji
    return f"{a:.2f} × {b:.2f} × {c:.2f}" if one.usable else ""
