"""All actions of the window: one object each for menu, shortcut, tests and translation."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

# objectName, text, shortcuts, what it does in words
ACTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("new", "&New case...", "Ctrl+N", "Start an empty case file"),
    ("open_dicom", "Open &DICOM folder...", "Ctrl+D", "Read a series into a case"),
    (
        "open_file",
        "Open &file...",
        "Ctrl+Shift+O",
        "Read a DICOM file, a zip or a mesh (STL, PLY, OBJ, 3MF)",
    ),
    ("open_case", "&Open case...", "Ctrl+O", "Open a case file"),
    ("export", "&Export selected...", "Ctrl+E", "Write the chosen result to a file (STL, PLY, OBJ, 3MF)"),
    ("report", "&Report...", "Ctrl+R", "Write a one-page report of the case"),
    ("screenshot", "&Screenshot...", "Ctrl+P", "Write a picture of the window or of one view"),
    ("side", "Planned s&ide...", "", "Set the planned side of the case: right or left"),
    ("close_case", "&Close case", "Ctrl+W", "Close the case; everything is kept already"),
    ("quit", "&Quit", "Ctrl+Q", "Close the program"),
    ("undo", "&Undo", "Ctrl+Z", "Take back the last change"),
    ("redo", "&Redo", "Ctrl+Shift+Z; Ctrl+Y", "Bring back what was undone"),
    ("remove", "Re&move step", "Del", "Remove the chosen step"),
    ("compare_plans", "&Compare plans...", "", "Tell what distinguishes two revisions, cases or plan files"),
    ("lock", "&Lock plan...", "", "Let nothing change the plan until it is unlocked"),
    ("unlock", "&Unlock plan...", "", "Let the plan be changed again; voids an approval"),
    ("approve", "A&pprove plan...", "", "Compute everything, freeze it as approved and lock the plan"),
    ("note", "&Note...", "Ctrl+T", "Write a note beside the chosen step"),
    ("view_all", "All &four views", "1", "Show axial, 3D, coronal and sagittal"),
    ("view_3d", "&3D alone", "2", "Show the 3D view alone"),
    ("view_axial", "&Axial alone", "3", "Show the axial view alone"),
    ("view_coronal", "&Coronal alone", "4", "Show the coronal view alone"),
    ("view_sagittal", "&Sagittal alone", "5", "Show the sagittal view alone"),
    ("reset_views", "&Reset views", "R", "Show everything in all views"),
    ("look_anterior", "From &anterior", "F", "3D: look the patient in the face"),
    ("look_posterior", "From &posterior", "Shift+F", "3D: look from behind"),
    ("look_left", "From &left", "L", "3D: look from the patient's left"),
    ("look_right", "From &right", "Shift+L", "3D: look from the patient's right"),
    ("look_superior", "From &superior", "S", "3D: look from the head, nose up"),
    ("look_inferior", "From &inferior", "Shift+S", "3D: look from the feet, nose up"),
    ("neurological", "&Neurological convention", "", "Patient's left on the left of axial and coronal views"),
    ("full_screen", "F&ull screen", "F11", "Use the whole screen, or no longer"),
    (
        "procedure",
        "&Procedure...",
        "Ctrl+G",
        "Walk through a procedure: landmarks to place, a solution, checks",
    ),
    ("add_step", "&Add step...", "Ctrl+K", "Search all operations and add one"),
    ("hide", "&Show or hide", "H", "Show or hide the chosen step in the views"),
    ("apply", "A&pply the form", "Ctrl+Return", "Keep the parameters in the form"),
    (
        "stop_at_contact",
        "Stop drags at c&ontact",
        "Ctrl+J",
        "A dragged body stops before it touches another; those it overlaps already do not hold it up",
    ),
    ("compute", "&Compute", "F5", "Compute what is missing"),
    ("retry", "&Try again", "Shift+F5", "Compute failed steps again"),
    ("stop", "S&top", "Ctrl+.", "Stop what is being computed"),
    ("help_keys", "&Keys and mouse", "F1", "The list of gestures and keys"),
    ("selftest", "&Selftest...", "", "Measure this installation on phantoms, beside the goals"),
    ("about", "&About surgiplan", "", "What this program is, and what it is not"),
)
_SIDES = ("look_anterior", "look_posterior", "look_left", "look_right", "look_superior", "look_inferior")
_ALONE = ("view_all", "view_3d", "view_axial", "view_coronal", "view_sagittal")
_LOCKS = ("lock", "unlock", "approve")
_FILE = ("new", "open_dicom", "open_file", "open_case", "*recent", "-", "side", "export", "report")
MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("&File", (*_FILE, "screenshot", "-", "close_case", "quit")),
    ("&Edit", ("undo", "redo", "-", "note", "remove")),
    (
        "&View",
        (*_ALONE, "-", "reset_views", "-", *_SIDES, "-", "*presets", "neurological", "full_screen"),
    ),
    (
        "&Step",
        (
            *("add_step", "procedure", "*operations", "-", "apply", "hide", "stop_at_contact"),
            *("-", "compute", "retry", "stop"),
        ),
    ),
    ("&Plan", ("compare_plans", "-", *_LOCKS)),
    ("&Help", ("help_keys", "selftest", "about")),
)
NEED_CASE = frozenset(
    (*_ALONE, *_SIDES, "reset_views", "neurological", "export", "report", "screenshot", "side", "close_case")
) | {
    "undo",
    "redo",
    "remove",
    "note",
    "add_step",
    "procedure",
    "hide",
    "compare_plans",
    "apply",
    "compute",
    "retry",
    "stop",
    *_LOCKS,
    "stop_at_contact",
}
CHANGES = frozenset(("side", "undo", "redo", "remove", "note", "add_step", "procedure", "apply"))
NEED_STEP = frozenset(("export", "remove", "note", "hide", "apply"))
GESTURES: tuple[tuple[str, str, str], ...] = (
    ("Left button", "crosshair; drags a handle while one is held", "turns; drags a handle while one is held"),
    ("Right drag", "window and level", "zoom"),
    ("Right click", "grey value presets", "sides to look from"),
    ("Middle drag, Shift+left drag", "moves the picture", "moves the picture"),
    ("Wheel", "slices", "zoom at the cursor"),
    ("Ctrl+wheel", "zoom at the cursor", ""),
    ("Shift+move", "crosshair follows", "crosshair follows on the surface"),
    ("Double click, Space", "this view alone, or all four", "this view alone, or all four"),
    ("Arrow keys, Page up and down", "1 or 10 slices", "turn by 5 degrees"),
    ("Ctrl while dragging a handle", "whole mm and degrees", "whole mm and degrees"),
    ("Arrow keys, Page up and down, while a part is held", "a step in the view", "a step in the view"),
    ("Ctrl while painting", "erases where it would paint, and the other way round", "the same"),
    ("Shift+wheel, [ and ]", "size of the brush, while painting", "the same"),
    ("Enter, double click", "uses the outline of scissors and live wire", "cuts along the line of sight"),
    ("Backspace", "takes the last corner of an outline back", "the same"),
    ("Esc while dragging", "takes the drag or the outline back", "takes the drag or the outline back"),
)


def actions_for(window: QWidget) -> Iterator[tuple[str, QAction]]:
    """The actions, each with its objectName, shortcuts and status tip, not yet connected."""
    for name, text, shortcuts, tip in ACTIONS:
        action = QAction(window.tr(text), window)
        action.setObjectName(name)
        action.setShortcuts([QKeySequence(keys.strip()) for keys in shortcuts.split(";") if keys.strip()])
        action.setStatusTip(window.tr(tip))
        action.setToolTip(window.tr(tip))
        yield name, action


class KeysDialog(QDialog):
    """The list of gestures and keys, to be left open beside the work."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("keys_dialog")
        self.setWindowTitle(self.tr("Keys and mouse"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.page = QTextBrowser()
        self.page.setHtml(keys_page())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.page)
        column.addWidget(buttons)
        self.resize(self.fontMetrics().averageCharWidth() * 120, self.fontMetrics().height() * 40)


def keys_page() -> str:
    """The list of gestures and keys, as HTML for a message."""
    rows = "".join(_row(f"<b>{button}</b>", slices, space) for button, slices, space in GESTURES)
    keys = "".join(
        _row(f"<b>{shortcuts.replace(';', ',')}</b>", tip) for _, _, shortcuts, tip in ACTIONS if shortcuts
    )
    head = _row("<u>Mouse</u>", "<u>Slice</u>", "<u>3D</u>")
    return f"<table>{head}{rows}</table><br><table>{_row('<u>Keys</u>')}{keys}</table>"


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}&nbsp;&nbsp;</td>" for cell in cells) + "</tr>"
