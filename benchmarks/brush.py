"""What a frame of a brush stroke costs, and keeping the stroke, in the real window on 512 x 512 x 400 voxels.

    .venv/bin/python -m benchmarks.brush [--frames N] [--size WIDTH HEIGHT]

A frame is the cursor's way of a few pixels, the voxels it adds, and the whole view painted anew. CPU
milliseconds of the window's thread alone: they do not depend on what else the machine does. The case lies in
memory where the system has such a place, so that no disk is measured.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if sys.platform.startswith("linux"):  # no display is needed; before Qt and VTK are loaded
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from benchmarks.series import head
from surgiplan.app import start
from surgiplan.app.window import Window
from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.values import encode

TRIALS = [("brush", 3.0), ("brush", 10.0), ("brush", 25.0), ("ball", 5.0), ("ball", 10.0), ("ball", 25.0)]
_STEP = 3  # pixels a frame


def made_case(folder: Path) -> Path:
    """A head of 512 x 512 x 400 voxels, as a case."""
    path = folder / "head.surgiplan"
    case = CaseFile.create(path)
    plan = Plan().add("ct", OPERATIONS["source"](digest=case.put_blob(encode(head(400))), kind="volume"))
    case.commit([step.text for step in plan.steps], "made for a benchmark")
    case.close()
    return path


def wait(until: Callable[[], object]) -> None:
    """Let the window work until something holds."""
    latest = time.monotonic() + 120
    while not until():
        if time.monotonic() > latest:
            raise TimeoutError("the window did not get so far in two minutes")
        QApplication.processEvents()
        time.sleep(0.002)


def at_work(folder: Path, size: tuple[int, int]) -> Window:
    """A window with the case open, bone chosen, and the brush in the hand."""
    start.application_of([])
    window = Window(settings=QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    window.resize(*size)
    window.show()
    window.bring(made_case(folder))
    wait(lambda: window.bench)
    wait(lambda: ready(window, "ct"))
    window.bench.add_step("threshold")
    wait(lambda: ready(window, "threshold"))
    window.bench.add_step("paint")
    QApplication.processEvents()
    window.bench.paint_bar.tools["brush"].click()
    wait(lambda: window.bench.hand.painting)
    return window


def ready(window: Window, name: str) -> bool:
    """Whether a step is computed."""
    result = window.bench.desk.results.get(name)
    return result is not None and result.status == "ready"


def stroke(window: Window, frames: int) -> tuple[list[float], float]:
    """Draw one across the middle of the axial slice: CPU ms of each frame, and of keeping it."""
    view, hand = window.bench.slices["axial"], window.bench.hand
    x, y = view.width() * 0.3, view.height() * 0.45
    assert hand.press(view, x, y)
    cost = []
    for n in range(1, frames + 1):
        begun = time.thread_time()
        hand.move(x + _STEP * n, y + 20 * np.sin(n / 6))
        view.grab()
        cost.append(1000 * (time.thread_time() - begun))
    begun = time.thread_time()
    hand.release()
    return cost, 1000 * (time.thread_time() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080))
    given = parser.parse_args()
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        window = at_work(Path(folder), (given.size[0], given.size[1]))
        view = window.bench.slices["axial"]
        print(f"view of {view.width()} x {view.height()} pixels, {given.frames} frames a stroke")
        print("| tool, radius mm | frame: median ms | 95 of 100 below | keeping the stroke: ms |")
        print("|---|---|---|---|")
        for tool, radius in TRIALS:
            window.bench.hand.easel.alter(tool=tool, radius_mm=radius)
            kept = []
            for _ in range(3):
                frames, keeping = stroke(window, given.frames)
                kept.append(keeping)
                wait(lambda: ready(window, "paint"))
            row = f"{np.median(frames):.1f} | {np.percentile(frames, 95):.1f} | {min(kept):.1f}"
            print(f"| {tool}, {radius:g} | {row} |", flush=True)
        window.close()


if __name__ == "__main__":
    main()
