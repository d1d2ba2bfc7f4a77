"""The window: banner, welcome or bench, job bar, menus; and what each action does."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ..acts import intake, outlet
from ..ops import OPERATIONS
from ..plan.operation import Ref
from ..plan.plan import Operations
from ..stage.stage import offscreen_window
from ..values import Vec3
from . import keys, theme
from .banner import Banner
from .bench import Bench
from .desk import Desk
from .faults import Faults, tell
from .files.dialogs import CASE_FILTER, Place, free_case_path
from .files.doors import Doors, Opened
from .files.leaving import SideDialog, ask_export, file_name
from .files.outgoing import Outgoing
from .forms.adding import by_group, lacking
from .inputs import seen_value
from .jobs import JobBar, Jobs
from .panels.locking import follow_lock
from .recent import Recent
from .strips import Strip
from .views.eye import place_words
from .views.slices import PRESETS
from .views.surfaces import interactor
from .welcome import Welcome
from .words import about_text, label_of

_FILES = f"Scans and meshes ({' '.join(f'*{s}' for s in intake.OPEN_SUFFIXES)});;All files (*)"


class Window(QMainWindow):
    """The main window. It opens empty; `bring` opens whatever is given.

    painted: let Qt paint the 3D view, which needs no graphics driver (`--safe-graphics`)
    operations: what a plan may hold
    settings: where recent cases are kept; the user's own when None
    """

    def __init__(
        self,
        painted: bool = True,
        operations: Operations = OPERATIONS,
        settings: QSettings | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("surgiplan")
        self.setAcceptDrops(True)
        self._painted, self._operations = painted, operations
        if painted:
            offscreen_window()  # the first one takes long: not when a case opens
        else:
            interactor()
        self.recent = Recent(settings)
        self.faults = Faults(self, lambda: self.bench.desk.path.name if self.bench else "")
        self.jobs = Jobs(self)
        self.doors = Doors(self, self.jobs, operations)
        self.bench: Bench | None = None
        self.actions_by_name: dict[str, QAction] = dict(keys.actions_for(self))
        self.outgoing = Outgoing(self, self.jobs)
        self._lay_out()
        self._fill_menus()
        self._connect()
        self._follow()

    def _lay_out(self) -> None:
        named = self.actions_by_name
        self.banner, self.caution = Banner(), Strip("scan_caution")
        self.welcome = Welcome(self.recent, (named["open_dicom"], named["open_case"], named["new"]))
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.job_bar = JobBar()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.caution)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        self._under_cursor = QLabel()
        self._under_cursor.setObjectName("under_cursor")
        wide = self.fontMetrics().horizontalAdvance("-1000 HU    L 100.0  P 100.0  S 1000.0 mm ")
        self._under_cursor.setMinimumWidth(wide)
        self._under_cursor.setContentsMargins(0, 0, 8, 0)
        self._under_cursor.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.statusBar().addPermanentWidget(self.job_bar)
        self.statusBar().addPermanentWidget(self._under_cursor)
        self.statusBar().setSizeGripEnabled(False)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 230, metrics.height() * 60)

    def _fill_menus(self) -> None:
        self._recent_menu = QMenu(self.tr("Open &recent"), self)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        for title, names in keys.MENUS:
            menu = self.menuBar().addMenu(self.tr(title))
            for name in names:
                if name == "-":
                    menu.addSeparator()
                elif name == "*recent":
                    menu.addMenu(self._recent_menu)
                elif name == "*presets":
                    self._fill_presets(menu.addMenu(self.tr("&Grey values")))
                elif name == "*operations":
                    self._fill_operations(menu)
                else:
                    menu.addAction(self.actions_by_name[name])
        for name in ("neurological", "stop_at_contact"):
            self.actions_by_name[name].setCheckable(True)

    def _fill_operations(self, menu: QMenu) -> None:
        self._add_actions: dict[str, QAction] = {}
        for group, operations in by_group(self._operations):
            below = menu.addMenu(group)
            below.setToolTipsVisible(True)
            below.aboutToShow.connect(self._follow_operations)
            for operation in operations:
                name = operation.spec.name
                action = below.addAction(label_of(name))
                action.setObjectName(f"add_{name}")
                action.triggered.connect(partial(self._add_step, name))
                self._add_actions[name] = action

    def _follow_operations(self) -> None:
        """An operation that cannot be added says what it needs."""
        for name, action in self._add_actions.items():
            operation = self._operations[name]
            missing = lacking(self.bench.desk.kept, operation) if self.bench else "open a case first"
            if self.bench and not self.bench.desk.writable:
                missing = "the plan cannot be changed"
            action.setEnabled(not missing)
            action.setToolTip(missing or operation.spec.summary)
            action.setStatusTip(missing or operation.spec.summary)

    def _fill_presets(self, menu: QMenu) -> None:
        for name, window, level in PRESETS:
            action = menu.addAction(f"{name}  ({window:g} / {level:g})")
            action.triggered.connect(partial(self._set_greys, window, level))

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for path in self.recent.paths:
            self._recent_menu.addAction(path.stem).triggered.connect(partial(self._bring_recent, path))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction(self.tr("(none)")).setEnabled(False)

    def _connect(self) -> None:
        for name, action in self.actions_by_name.items():
            action.triggered.connect(partial(self._on_action, name))
        self.welcome.chosen.connect(self.bring)
        self.doors.opened.connect(self._on_opened)
        self.doors.refused.connect(self.faults.take)
        self.doors.told.connect(self.say)
        self.outgoing.told.connect(self.say)
        self.outgoing.refused.connect(self.faults.take)
        self.jobs.progressed.connect(self.job_bar.tell)
        self.jobs.idle.connect(self.job_bar.rest)
        self.job_bar.stopped.connect(self._stop)

    def _on_action(self, name: str, _checked: bool = False) -> None:
        self.act(name)

    def _add_step(self, name: str, _checked: bool = False) -> None:
        if self.bench is not None:
            self.bench.add_step(name)

    def _set_greys(self, window: float, level: float, _checked: bool = False) -> None:
        if self.bench is not None:
            desk = self.bench.desk
            desk.look(replace(desk.view, window=window, level=level))

    def _bring_recent(self, path: Path, _checked: bool = False) -> None:
        self.bring(path)

    def act(self, name: str) -> None:
        """Do what an action stands for."""
        own: dict[str, Callable[[], object]] = {
            "new": self._new,
            "open_dicom": self._open_dicom,
            "open_file": lambda: self._open(self.tr("Open file"), _FILES),
            "open_case": lambda: self._open(self.tr("Open case"), CASE_FILTER),
            "close_case": self.close_case,
            "quit": self.close,
            "full_screen": lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen),
            "help_keys": lambda: keys.KeysDialog(self).open(),
            "selftest": self._show_selftest,
            "about": lambda: tell(self, self.tr("About surgiplan"), about_text(), "info"),
        }
        if self.bench is not None:
            folder = self.recent
            own |= {
                "export": self._export,
                "side": self._ask_side,
                "report": partial(self.outgoing.ask_report, self.bench, folder),
                "screenshot": partial(self.outgoing.ask_picture, self.bench, self.banner, folder),
                **self.bench.acts(),
            }
        if (act := own.get(name)) is not None:
            act()

    # --- coming in

    def bring(self, path: Path) -> None:
        """Open a case, or import a DICOM folder, a file, a zip or a mesh."""
        self.recent.folder = path.parent
        self.doors.bring(path)

    def _on_opened(self, one: Opened) -> None:
        self._shut_bench()
        desk = Desk(one.session, one.done)
        bench = Bench(desk, self.jobs, self._operations, self.actions_by_name, self._painted)
        self.bench, self.doors.desk = bench, desk
        self.pages.addWidget(bench)
        self.pages.setCurrentWidget(bench)
        desk.changed.connect(self._follow)
        desk.refused.connect(self.faults.take)
        desk.computing.connect(self._on_computing)
        desk.rested.connect(self._on_rested)
        bench.told.connect(self.say)
        bench.hand.nearness.jobs.progressed.connect(self._on_computing_beside)
        bench.hand.nearness.jobs.idle.connect(lambda: self._on_rested(""))
        bench.hovered.connect(self._on_hovered)
        QTimer.singleShot(0, bench, lambda: self._begin(bench, one.session.case.read_only))

    def _begin(self, bench: Bench, read_only: bool) -> None:
        """Fill a bench that was laid out one turn before, so that the window breathes in between."""
        if bench is not self.bench:
            return  # closed again
        desk = bench.desk
        self.recent.add(desk.path)
        desk.read_facts()
        if desk.plan.steps:
            desk.choose(desk.plan.steps[-1].name)
        desk.pursue()
        if read_only:
            self.say(self.tr("The case is open read-only: nothing can be changed."))
        self._follow()

    def _shut_bench(self) -> None:
        if self.bench is None:
            return
        bench, self.bench, self.doors.desk = self.bench, None, None
        self.pages.setCurrentWidget(self.welcome)
        bench.shut()
        self.pages.removeWidget(bench)
        bench.deleteLater()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            QTimer.singleShot(0, lambda: self.bring(paths[0]))

    # --- what is told

    def say(self, text: str) -> None:
        """Show a sentence in the status bar."""
        self.statusBar().showMessage(text)

    def _on_computing(self, step: str, fraction: float, text: str) -> None:
        if not self.jobs.busy:
            self.job_bar.tell(self.tr("Computing {0}").format(step), fraction, text)

    def _on_computing_beside(self, what: str, fraction: float, text: str) -> None:
        if not self.jobs.busy:
            self.job_bar.tell(what, fraction, text)

    def _on_rested(self, text: str) -> None:
        if not self.jobs.busy:
            self.job_bar.rest(text)

    def _on_hovered(self, point: Vec3 | None) -> None:
        if point is None or self.bench is None:
            self._under_cursor.clear()
            return
        self._under_cursor.setText(f"{self.bench.desk.grey_at(point)}    {place_words(point)}")

    def _follow(self) -> None:
        """Let the banner and the actions follow the case."""
        desk = self.bench.desk if self.bench else None
        chosen = desk.view.chosen if desk else None
        writable = desk is not None and desk.writable
        for name, action in self.actions_by_name.items():
            able = desk is not None or name not in keys.NEED_CASE
            able = able and (chosen is not None or name not in keys.NEED_STEP)
            action.setEnabled(able and (writable or name not in keys.CHANGES))
        self.caution.tell("\n".join(desk.cautions) if desk else "", theme.WARNING)
        if desk is None:
            self.banner.show_case("", None, "")
            self.setWindowTitle("surgiplan")
            return
        note = follow_lock(desk, self.actions_by_name)
        self.banner.show_case(desk.path.stem + note, desk.patient, desk.side)
        self.setWindowTitle(f"{desk.path.stem} - surgiplan")
        undo, redo = desk.undo_name, desk.redo_name
        for name, what in (("undo", undo), ("redo", redo)):
            action = self.actions_by_name[name]
            action.setEnabled(writable and what is not None)
            action.setText(f"&{name.capitalize()}{': ' + what if what else ''}")

    # --- what the actions do

    def _new(self) -> None:
        proposed = str(free_case_path("case"))
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("New case"), proposed, CASE_FILTER)
        if chosen:
            path = Path(chosen)
            self.doors.new_case(Place(path if path.suffix else path.with_suffix(".surgiplan")))

    def _open_dicom(self) -> None:
        title = self.tr("Open DICOM folder")
        if chosen := QFileDialog.getExistingDirectory(self, title, str(self.recent.folder)):
            self.bring(Path(chosen))

    def _open(self, title: str, kinds: str) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, title, str(self.recent.folder), kinds)
        if chosen:
            self.bring(Path(chosen))

    def _export(self) -> None:
        if self.bench is None or (name := self.bench.steps.chosen_result) is None:
            return
        desk = self.bench.desk
        value = seen_value(desk.results, Ref.of(name))
        suffixes = outlet.suffixes(value)
        proposed = file_name(desk.path.stem, name, desk.side, suffixes[0])
        if path := ask_export(self, self.recent.folder, proposed, suffixes):
            self.recent.folder = path.parent
            self.doors.export(desk, name, path)

    def _ask_side(self) -> None:
        if self.bench is not None:
            desk = self.bench.desk
            dialog = SideDialog(self, desk.side)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.accepted.connect(lambda: desk.set_side(dialog.choice.side))
            dialog.open()

    def _show_selftest(self) -> None:
        from .panels.selftest import SelftestDialog  # the phantoms are loaded when they are wanted

        dialog = self.findChild(SelftestDialog) or SelftestDialog(self)
        dialog.show()
        dialog.raise_()

    def _stop(self) -> None:
        self.jobs.cancel()
        if self.bench is not None:
            self.bench.desk.stop()
            self.bench.hand.nearness.jobs.cancel()

    def close_case(self) -> None:
        """Go back to the welcome screen; all is kept already."""
        self.jobs.cancel()
        self._shut_bench()
        self.welcome.refresh()
        self._follow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the work, let go of the graphics and the case, then close."""
        if (selftest := self.findChild(QDialog, "selftest_dialog")) is not None:
            selftest.close()
        self.jobs.close()
        self.doors.close()
        self._shut_bench()
        self.faults.release()
        super().closeEvent(event)
