"""Run the tests: all rooms but the window in parallel, then the real window under a virtual display.

Extra words go to pytest, such as: -m "not slow".
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WINDOW = "tests/app"


def main() -> int:
    """Run both groups even when the first fails; gives the worse exit code."""
    words = sys.argv[1:]
    environment = os.environ | {"QT_API": "pyside6", "LIBGL_ALWAYS_SOFTWARE": "1", "PYTHONFAULTHANDLER": "1"}
    for name in ("QT_SCALE_FACTOR", "QT_QPA_PLATFORM", "VTK_DEFAULT_OPENGL_WINDOW"):
        environment.pop(name, None)
    pytest = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", *words]
    workers = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]
    print("== all rooms but the window", flush=True)
    rooms = subprocess.run([*pytest, *workers, "tests", f"--ignore={WINDOW}"], cwd=ROOT, env=environment)
    display: list[str] = []
    if shutil.which("xvfb-run"):
        display = ["xvfb-run", "-a", "-s", "-screen 0 1920x1200x24"]
    else:
        environment["QT_QPA_PLATFORM"] = "offscreen"
    print(f"== the window, {'under Xvfb' if display else 'off-screen'}", flush=True)
    window = subprocess.run([*display, *pytest, WINDOW], cwd=ROOT, env=environment)
    return max(rooms.returncode, window.returncode)


if __name__ == "__main__":
    sys.exit(main())
