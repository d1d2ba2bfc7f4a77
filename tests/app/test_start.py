"""Starting the program as a person does, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, QSettings

from surgiplan import __version__
from surgiplan.app.start import Guard, prepare_loops
from tests.app.conftest import has_display

pytestmark = pytest.mark.window
_OPEN_AND_CLOSE = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from surgiplan.app import start
from surgiplan.app.window import Window

on_opened = Window._on_opened

def then_close(self, one):
    on_opened(self, one)
    QTimer.singleShot(200, self.close)

Window._on_opened = then_close
sys.exit(start.open_window(Path(sys.argv[1]), safe_graphics=sys.argv[2] == "safe"))
"""


def started(case: Path, home: Path, graphics: str) -> subprocess.CompletedProcess:
    surroundings = os.environ | {"XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _OPEN_AND_CLOSE, str(case), graphics],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("graphics", ["safe", "best"])
def test_open_a_case_and_close_the_window(qapp, small_case: Path, tmp_path: Path, graphics: str) -> None:
    told = started(small_case, tmp_path / "home", graphics)
    assert told.returncode == 0, told.stderr
    assert "Traceback" not in told.stderr
    kept = QSettings(str(tmp_path / "home/surgiplan/surgiplan.conf"), QSettings.Format.NativeFormat)
    assert kept.value("graphics/proven") == __version__
    assert str(small_case) in str(kept.value("recent/cases"))


@pytest.mark.skipif(sys.platform != "linux", reason="the variables of X and Wayland")
def test_without_a_display_the_window_still_runs(qapp, small_case: Path, tmp_path: Path, monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "VTK_DEFAULT_OPENGL_WINDOW"):
        monkeypatch.delenv(name, raising=False)
    if has_display():
        pytest.skip("one such start is enough, in the run without a display")
    told = started(small_case, tmp_path / "home", "best")
    assert told.returncode == 0, told.stderr


def test_after_graphics_that_crashed_the_next_start_is_a_safe_one(qapp, tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    assert not Guard(settings).crashed
    Guard(settings).__enter__()  # and then the process dies
    after = Guard(settings)
    assert after.crashed
    assert not after.proven
    with after:
        pass
    assert not Guard(settings).crashed
    assert Guard(settings).proven


def test_loops_are_compiled_once_beside_the_first_window(qapp, qtbot, tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    prepare_loops(qapp, settings)
    (beside,) = qapp.findChildren(QProcess)
    qtbot.waitUntil(lambda: settings.value("loops/compiled") is not None, timeout=120_000)
    assert beside.exitCode() == 0
    beside.setParent(None)
    prepare_loops(qapp, settings)
    assert qapp.findChildren(QProcess) == []
