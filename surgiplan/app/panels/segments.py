"""The masks of a plan as segments: what each is, its colour, whether it is seen and whether it is locked."""

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...algorithms.statistics import SegmentFigures, segment_figures
from ...errors import Cancelled, SurgiplanError
from ...formats.volumes.terminology import Term, terms
from ...ops.logic import Logic
from ...ops.paint import Paint
from ...plan.operation import Ref
from ...plan.plan import Plan, Step
from ...scene.shapes import PALETTE, shown_volume
from ...scene.slices import MASK_COLOUR
from ...session import Ready
from ...values import NO_LABEL, Label, Mask, Volume
from .. import theme
from ..desk import Desk
from ..inputs import free_name, seen_value
from ..jobs import Jobs

NAME, LOCK, SEEN = range(3)
COLOUR_WORDS = ("sky blue", "orange", "green", "pink", "yellow", "blue", "vermilion")


def segments_of(plan: Plan) -> list[Step]:
    """The steps that give a mask."""
    return [
        step
        for step in plan.steps
        if any(issubclass(kind, Mask) for kind in step.operation.outputs().values())
    ]


def other_segments(desk: Desk, step: str) -> Iterator[Mask]:
    """The masks of the other segments: those that have a label of their own."""
    for one in segments_of(desk.kept):
        value = getattr(desk.results.get(one.name), "value", None)
        if one.name != step and one.label.colour and isinstance(value, Mask):
            yield value


def title_of(step: Step) -> str:
    """What a segment is called: its title, else the name of its step."""
    return step.label.title or step.name


def volumes_of(step: Step) -> Iterator[Ref[Volume]]:
    """References to the scans that a step gives."""
    for output, kind in step.operation.outputs().items():
        if issubclass(kind, Volume):
            yield Ref(step.name, output)


def taken_out(plan: Plan, name: str, other: str) -> Plan:
    """The plan with a step that gives one segment less another; the label goes over to that step."""
    made = free_name(plan, f"{other}_less_{name}"[:60])
    label = plan[other].label
    rest = Logic(a=Ref(other), b=Ref(name), kind="subtract")
    return plan.add(made, rest).annotate(made, label=label).annotate(other, label=NO_LABEL)


class SegmentsPanel(QWidget):
    """Lists the masks of the plan: a click chooses one, or turns its lock or eye; a right click its colour.

    desk: the open case
    jobs: measures beside the window

    told: a sentence for the status bar
    begun: the name of a step that was made to paint a new segment
    """

    told = Signal(str)
    begun = Signal(str)

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        super().__init__()
        self._desk, self._jobs = desk, jobs
        self._measured: dict[str, SegmentFigures] = {}
        self.setObjectName("segments")
        self.list = QTreeWidget()
        self.list.setObjectName("segment_list")
        self.list.setAccessibleName(self.tr("Segments"))
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(3)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (LOCK, SEEN):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, self.fontMetrics().horizontalAdvance("MM") + 8)
        self._empty = QLabel(self.tr("No mask yet: add a threshold, or begin a new segment with nothing."))
        self._empty.setWordWrap(True)
        self._empty.setMargin(8)
        self.figures = QLabel()
        self.figures.setObjectName("segment_figures")
        self.figures.setWordWrap(True)
        self.figures.setContentsMargins(8, 0, 8, 0)
        self.figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.new_button = QPushButton(self.tr("New"))
        self.new_button.setObjectName("new_segment")
        self.new_button.setToolTip(self.tr("Begin a segment with nothing, and paint it"))
        self.name_button = QPushButton(self.tr("Name..."))
        self.name_button.setToolTip(self.tr("Say what the chosen segment is: words, standard term, colour"))
        self.measure_button = QPushButton(self.tr("Measure"))
        self.measure_button.setToolTip(self.tr("Volume, grey values and surface area of the chosen segment"))
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 6, 4)
        row.addWidget(self.new_button)
        row.addWidget(self.name_button)
        row.addWidget(self.measure_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widget in (self._empty, self.list, self.figures):
            column.addWidget(widget, 1 if widget is self.list else 0)
        column.addLayout(row)

    def _connect(self) -> None:
        self.list.itemClicked.connect(self._on_clicked)
        self.list.itemDoubleClicked.connect(lambda _, column: self.ask_label() if column == NAME else None)
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.new_button.clicked.connect(lambda _=False: self.begin())
        self.name_button.clicked.connect(lambda _=False: self.ask_label())
        self.measure_button.clicked.connect(lambda _=False: self.measure())
        self._desk.changed.connect(self.refresh)

    # --- what is shown

    @property
    def chosen(self) -> Step | None:
        """The segment that is chosen in the plan."""
        name = self._desk.view.chosen
        return next((step for step in segments_of(self._desk.plan) if step.name == name), None)

    def item(self, name: str) -> QTreeWidgetItem:
        """The row of a step."""
        steps = [step.name for step in segments_of(self._desk.plan)]
        row = self.list.topLevelItem(steps.index(name))
        assert row is not None
        return row

    def refresh(self) -> None:
        """Show the segments as they stand now."""
        steps, chosen = segments_of(self._desk.plan), self.chosen
        while self.list.topLevelItemCount() > len(steps):
            self.list.takeTopLevelItem(self.list.topLevelItemCount() - 1)
        while self.list.topLevelItemCount() < len(steps):
            self.list.addTopLevelItem(QTreeWidgetItem())
        for step in steps:
            self._tell(self.item(step.name), step)
        self.list.clearSelection()
        if chosen is not None:
            self.item(chosen.name).setSelected(True)
        self.list.setVisible(bool(steps))
        self._empty.setVisible(not steps)
        writable = self._desk.writable
        self.new_button.setEnabled(writable and self._scan is not None)
        self.name_button.setEnabled(chosen is not None and writable)
        ready = chosen is not None and isinstance(self._desk.results.get(chosen.name), Ready)
        self.measure_button.setEnabled(ready)
        found = self._measured.get(self._desk.plan.keys()[chosen.name]) if chosen is not None else None
        self.figures.setText(figure_words(found, self._unit) if found else "")
        self.figures.setVisible(found is not None)

    def _tell(self, row: QTreeWidgetItem, step: Step) -> None:
        label, seen = step.label, not self._desk.view.hides(step.name)
        row.setData(NAME, Qt.ItemDataRole.UserRole, step.name)
        row.setText(NAME, title_of(step))
        row.setIcon(NAME, theme.swatch(label.colour or MASK_COLOUR, bool(label.colour)))
        named = next((one.meaning for one in terms() if one.code == label.code), "")
        lines = (step.name, f"{named} ({label.code})" if named else label.code)
        row.setToolTip(NAME, "\n".join(filter(None, lines)))
        row.setIcon(LOCK, theme.lock_icon(label.locked))
        row.setToolTip(
            LOCK, self.tr("Unlock it") if label.locked else self.tr("Lock it: no hand can paint on it")
        )
        row.setIcon(SEEN, theme.eye_icon(seen))
        row.setToolTip(SEEN, self.tr("Hide it in the slices") if seen else self.tr("Show it in the slices"))
        told = (
            (self.tr("locked") if label.locked else self.tr("not locked")),
            (self.tr("shown") if seen else self.tr("hidden")),
        )
        for column, words in zip((LOCK, SEEN), told, strict=True):
            row.setData(column, Qt.ItemDataRole.AccessibleTextRole, words)

    @property
    def _scan(self) -> Ref[Volume] | None:
        """The scan that is seen, as a step refers to it; else the first of the plan."""
        seen = shown_volume(self._desk.kept, self._desk.results, self._desk.view)
        refs = [ref for step in self._desk.kept.steps for ref in volumes_of(step)]
        same = (ref for ref in refs if seen is not None and seen_value(self._desk.results, ref) is seen)
        return next(same, refs[0] if refs else None)

    @property
    def _unit(self) -> str:
        volume = shown_volume(self._desk.plan, self._desk.results, self._desk.view)
        return volume.unit if volume is not None else ""

    # --- what the person does

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        name = str(item.data(NAME, Qt.ItemDataRole.UserRole))
        label = self._desk.kept[name].label
        if column == SEEN:
            self._desk.hide(name, not self._desk.view.hides(name))
        elif column == LOCK and self._desk.writable:
            self.relabel(name, replace(label, locked=not label.locked), "unlock" if label.locked else "lock")
        else:
            self._desk.choose(name)

    def begin(self) -> None:
        """Add a step that begins with nothing on the scan that is seen, in a colour of its own."""
        scan = self._scan
        if scan is None or not self._desk.writable:
            return
        name = free_name(self._desk.kept, "segment")
        made = self._desk.kept.add(name, Paint(volume=scan))
        made = made.annotate(name, label=Label(colour=self._spare_colour))
        if self._desk.commit(made, f"begin {name}"):
            self.begun.emit(name)

    def relabel(self, name: str, label: Label, why: str) -> None:
        """Give a segment another label."""
        self._desk.commit(self._desk.kept.annotate(name, label=label), f"{why} {name}")

    def _open_menu(self, place: QPoint) -> None:
        """The colours to choose from."""
        item = self.list.itemAt(place)
        if item is None or not self._desk.writable:
            return
        name = str(item.data(NAME, Qt.ItemDataRole.UserRole))
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for colour, words in zip(PALETTE, COLOUR_WORDS, strict=True):
            action = menu.addAction(theme.swatch(colour, True), words.capitalize())
            action.triggered.connect(
                lambda _=False, c=colour: self.relabel(
                    name, replace(self._desk.kept[name].label, colour=c), "colour"
                )
            )
        menu.addSeparator()
        for other in segments_of(self._desk.kept):
            if other.name != name and other.label.colour:
                words = self.tr("Take this out of {0}").format(title_of(other))
                action = menu.addAction(words)
                action.triggered.connect(lambda _=False, o=other.name: self.take_out(name, o))
                action.setEnabled(not other.label.locked)
        menu.popup(self.list.viewport().mapToGlobal(place))

    def take_out(self, name: str, other: str) -> None:
        """Add a step that takes one segment out of another, so that they do not overlap."""
        self._desk.commit(taken_out(self._desk.kept, name, other), f"take {name} out of {other}")

    def ask_label(self) -> None:
        """Ask what the chosen segment is."""
        step = self.chosen
        if step is None or not self._desk.writable:
            return
        dialog = LabelDialog(self, step, self._spare_colour)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.relabel(step.name, dialog.label, "name"))
        dialog.open()

    @property
    def _spare_colour(self) -> str:
        used = {step.label.colour for step in segments_of(self._desk.kept)}
        return next((colour for colour in PALETTE if colour not in used), PALETTE[0])

    def measure(self) -> None:
        """Measure the chosen segment in a worker."""
        step, volume = self.chosen, shown_volume(self._desk.plan, self._desk.results, self._desk.view)
        value = getattr(self._desk.results.get(step.name), "value", None) if step is not None else None
        if step is None or volume is None or not isinstance(value, Mask):
            self.told.emit(self.tr("There is no scan to measure the segment on."))
            return
        key = self._desk.plan.keys()[step.name]
        self._jobs.start(
            self.tr("Measuring {0}").format(step.name),
            lambda report: segment_figures(volume, value, report),
            lambda found: self._on_measured(key, found),
            self._on_failed,
        )

    def _on_measured(self, key: str, found: SegmentFigures) -> None:
        self._measured[key] = found
        self.refresh()

    def _on_failed(self, problem: Exception) -> None:
        if not isinstance(problem, SurgiplanError):
            raise problem
        if not isinstance(problem, Cancelled):
            self.told.emit(str(problem))


def figure_words(found: SegmentFigures, unit: str) -> str:
    """The figures of a segment in one sentence."""
    grey = f"mean {found.mean:.0f} ± {found.deviation:.0f} {unit}".rstrip()
    return f"volume {found.volume_mm3 / 1000:.2f} cm³, {grey}, area {found.area_mm2 / 100:.1f} cm²"


class LabelDialog(QDialog):
    """Asks what a segment is: words, standard term, colour.

    step: the step that gives it
    spare: the colour it gets when it has none
    """

    def __init__(self, parent: QWidget, step: Step, spare: str) -> None:
        super().__init__(parent)
        self.setObjectName("label_dialog")
        self.setWindowTitle(self.tr("What is {0}?").format(step.name))
        self._before = step.label
        self.title = QLineEdit(step.label.title)
        self.title.setPlaceholderText(step.name)
        self.term = QComboBox()
        self.term.addItem(self.tr("(no standard term)"), None)
        for one in terms():
            self.term.addItem(one.meaning, one)
        at = next((n for n, one in enumerate(terms(), 1) if one.code == step.label.code), 0)
        if not at and step.label.code:
            self.term.addItem(step.label.code, Term("", step.label.code))
            at = self.term.count() - 1
        self.term.setCurrentIndex(at)
        self.colour = QComboBox()
        for colour, words in zip(PALETTE, COLOUR_WORDS, strict=True):
            self.colour.addItem(theme.swatch(colour, True), words.capitalize(), colour)
        held = step.label.colour or spare
        if held not in PALETTE:
            self.colour.addItem(theme.swatch(held, True), held, held)
        self.colour.setCurrentIndex(self.colour.findData(held))
        self.term.activated.connect(self._on_term)
        rows = QFormLayout(self)
        rows.addRow(self.tr("Words"), self.title)
        rows.addRow(self.tr("Standard term (SNOMED CT)"), self.term)
        rows.addRow(self.tr("Colour"), self.colour)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        rows.addRow(buttons)

    def _on_term(self) -> None:
        """A term fills in words where there are none."""
        term = self.term.currentData()
        if term is not None and term.meaning and self.title.text() in ("", *(one.meaning for one in terms())):
            self.title.setText(term.meaning)

    @property
    def label(self) -> Label:
        """What was answered."""
        term = self.term.currentData()
        code = term.code if term is not None else ""
        title, colour = self.title.text().strip(), str(self.colour.currentData())
        return replace(self._before, title=title, code=code, colour=colour)
