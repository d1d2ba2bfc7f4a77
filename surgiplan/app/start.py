"""Starting the window: what the machine can draw with, the look, and the loop of events."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QProcess, QSettings, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLVersionFunctionsFactory, QOpenGLVersionProfile
from PySide6.QtWidgets import QApplication

from .. import __version__
from . import theme

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "gdi generic")
_RENDERER = 0x1F01  # GL_RENDERER
_PROBE = "from surgiplan.stage.stage import Stage; Stage().image((32, 32))"
_NO_DRAWING = (
    "surgiplan: nothing to draw with was found on this machine (OpenGL or EGL). On Debian or Ubuntu:"
    " apt-get install libegl1 libgl1"
)


def open_window(path: Path | None = None, safe_graphics: bool = False) -> int:
    """Show the window until it is closed; gives the exit code of the program.

    path: a case file, a DICOM folder, file or zip, or a mesh; None for the welcome screen
    safe_graphics: let Qt paint the 3D view, for machines with bad graphics drivers or far away
    """
    _prepare_platform()
    application = application_of(sys.argv[:1])
    settings = QSettings("surgiplan", "surgiplan")
    guard = Guard(settings)
    if not guard.proven and not can_draw():
        print(_NO_DRAWING, file=sys.stderr)
        return 1
    from .window import Window  # after the platform is prepared: this loads the drawing libraries

    sys.setswitchinterval(0.001)  # the window's thread gets its turn sooner while others compute
    with guard:
        window = Window(painted=safe_graphics or guard.crashed or not real_opengl(), settings=settings)
        window.faults.catch()
        window.show()
        if guard.crashed and not safe_graphics:
            window.say("The graphics failed at the last start: safe graphics are used this time.")
        if path is not None:
            QTimer.singleShot(0, lambda: window.bring(path))
        QTimer.singleShot(5000, guard.survived)
        prepare_loops(application, settings)
        return int(application.exec())


def application_of(arguments: list[str]) -> QApplication:
    """The application with its name and look; the one that is there already, if any."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(arguments)
    QCoreApplication.setOrganizationName("surgiplan")
    QCoreApplication.setApplicationName("surgiplan")
    theme.dress(application)
    return application


def prepare_loops(application: QApplication, settings: QSettings) -> None:
    """At the first start of an installation, compile in a process beside what would be compiled at first use.

    settings: where it is noted that this has been done
    """
    here = f"{__version__} {sys.prefix}"
    if str(settings.value("loops/compiled", "")) == here:
        return

    def note(code: int) -> None:
        if code == 0:
            settings.setValue("loops/compiled", here)

    beside = QProcess(application)
    beside.finished.connect(note)
    application.aboutToQuit.connect(beside.kill)
    beside.start(sys.executable, ["-P", "-m", "surgiplan.algorithms.rehearsal"])  # nothing from this folder


def _prepare_platform() -> None:
    """What must be said before Qt and the drawing library start."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    os.environ.setdefault("QT_API", "pyside6")
    if sys.platform.startswith("linux"):
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def can_draw() -> bool:
    """Whether a first picture can be drawn at all, tried in a child: without OpenGL it would crash us."""
    tried = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=120, check=False)
    return tried.returncode == 0


def real_opengl() -> bool:
    """Whether the display has OpenGL from a graphics card, which the window can then draw with."""
    if QGuiApplication.platformName() in ("offscreen", "minimal"):
        return False
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.setFormat(QSurfaceFormat.defaultFormat())
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return False
    profile = QOpenGLVersionProfile()
    profile.setVersion(2, 0)
    functions: Any = QOpenGLVersionFunctionsFactory.get(profile, context)
    name = str(functions.glGetString(_RENDERER)) if functions is not None else "software"
    context.doneCurrent()
    return not any(word in name.lower() for word in _SOFTWARE)


class Guard:
    """Remembers when the program died while its graphics started, so that the next start is a safe one.

    settings: where that is kept
    """

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings
        self.crashed = str(settings.value("graphics/starting", "")) == "yes"
        self.proven = str(settings.value("graphics/proven", "")) == __version__ and not self.crashed

    def __enter__(self) -> "Guard":
        self._settings.setValue("graphics/starting", "yes")
        self._settings.sync()
        return self

    def survived(self) -> None:
        """The window has been drawn for a while."""
        self._settings.setValue("graphics/starting", "")
        self._settings.setValue("graphics/proven", __version__)
        self._settings.sync()

    def __exit__(self, *_: object) -> None:
        self.survived()
