"""Progress is seen and a stop is heard, also inside the filters of VTK and SimpleITK."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import SimpleITK
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkContourFilter, vtkFlyingEdges3D
from vtkmodules.vtkFiltersSources import vtkSphereSource
from vtkmodules.vtkIOLegacy import vtkPolyDataReader

from surgiplan.algorithms.filters import run_apart, run_itk, run_side_by_side, run_vtk
from surgiplan.errors import Cancelled
from surgiplan.progress import part_of, silent


class Listener:
    """Keeps what is reported; raises Cancelled from the report with this number on."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.said: list[tuple[float, str]] = []
        self.stopped_at = 0.0
        self._stop_at = stop_at

    def __call__(self, fraction: float, text: str) -> None:
        self.said.append((fraction, text))
        if self._stop_at is not None and len(self.said) >= self._stop_at:
            self.stopped_at = self.stopped_at or time.perf_counter()
            raise Cancelled("stopped")


def waves(n: int) -> np.ndarray:
    """A field with so much surface that contouring it takes a while."""
    x = np.sin(np.arange(n, dtype=np.float32) / 2)
    return x[:, None, None] + x[None, :, None] + x[None, None, :]


def contouring(kind: type, field: np.ndarray):
    image = vtkImageData()
    image.SetDimensions(*field.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(field.ravel(), deep=True))
    contour = kind()
    contour.SetInputData(image)
    contour.SetValue(0, 0.01)
    return contour


def test_silent_says_nothing_and_never_stops() -> None:
    assert silent(0.5, "anything") is None


def test_a_part_of_a_work_reports_its_stretch_of_the_whole() -> None:
    listener = Listener()
    inner = part_of(part_of(listener, 0.5, 1.0), 0.0, 0.5)
    for fraction in (0.0, 0.5, 1.0):
        inner(fraction, "x")
    assert [fraction for fraction, _ in listener.said] == pytest.approx([0.5, 0.625, 0.75])


def test_vtk_runs_to_its_end_and_reports() -> None:
    listener = Listener()
    ball = vtkSphereSource()
    run_vtk(ball, listener, "making a ball")
    assert ball.GetOutput().GetNumberOfPolys() > 0
    assert listener.said[0] == (0.0, "making a ball")
    assert listener.said[-1] == (1.0, "making a ball")


@pytest.mark.parametrize("kind", [vtkFlyingEdges3D, vtkContourFilter])
def test_a_stop_is_heard_inside_vtk(kind: type) -> None:
    contour = contouring(kind, waves(170))
    contour.ComputeNormalsOff()
    listener = Listener(stop_at=2)
    with pytest.raises(Cancelled):
        run_vtk(contour, listener, "contouring")
    assert time.perf_counter() - listener.stopped_at < 1.0
    assert len(listener.said) == 2


def test_a_stop_asked_before_the_start_starts_nothing() -> None:
    ball = vtkSphereSource()
    with pytest.raises(Cancelled):
        run_vtk(ball, Listener(stop_at=1), "making a ball")
    assert ball.GetOutput().GetNumberOfPolys() == 0


def test_a_filter_that_was_stopped_can_run_again() -> None:
    contour = contouring(vtkFlyingEdges3D, waves(120))
    with pytest.raises(Cancelled):
        run_vtk(contour, Listener(stop_at=2), "contouring")
    contour.Modified()
    run_vtk(contour, silent, "contouring")
    assert contour.GetOutput().GetNumberOfPolys() > 100_000


def test_an_error_of_vtk_is_raised_in_its_words(tmp_path) -> None:
    reader = vtkPolyDataReader()
    reader.SetFileName(str(tmp_path / "absent.vtk"))
    with pytest.raises(RuntimeError, match=r"absent\.vtk"):
        run_vtk(reader, silent, "reading")


def test_itk_gives_its_result_and_reports() -> None:
    listener = Listener()
    image = SimpleITK.GetImageFromArray(np.ones((4, 5, 6), np.uint8))
    result = run_itk(SimpleITK.InvertIntensityImageFilter(), listener, "inverting", image)
    assert (SimpleITK.GetArrayFromImage(result) == 254).all()
    assert [listener.said[0][0], listener.said[-1][0]] == [0.0, 1.0]


def test_a_stop_is_heard_inside_itk() -> None:
    image = SimpleITK.GetImageFromArray((waves(170) > 0).astype(np.uint8))
    listener = Listener(stop_at=3)
    with pytest.raises(Cancelled):
        run_itk(SimpleITK.SignedMaurerDistanceMapImageFilter(), listener, "distances", image)
    assert time.perf_counter() - listener.stopped_at < 1.0


def test_an_error_of_itk_is_raised() -> None:
    small, large = (
        SimpleITK.Image(n, n, n, kind) for n, kind in ((3, SimpleITK.sitkUInt8), (4, SimpleITK.sitkInt16))
    )
    with pytest.raises(RuntimeError, match="type"):
        run_itk(SimpleITK.AddImageFilter(), silent, "adding", small, large)


def test_filters_run_from_a_worker_thread() -> None:
    contour = contouring(vtkFlyingEdges3D, waves(60))
    worker = Thread(target=run_vtk, args=(contour, silent, "contouring"))
    worker.start()
    worker.join()
    assert contour.GetOutput().GetNumberOfPolys() > 0


def test_work_that_looks_up_nowhere_is_left_at_once_on_a_stop() -> None:
    began, told = time.monotonic(), []

    def stop(share: float, text: str) -> None:
        told.append(text)
        if len(told) > 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run_apart(lambda: time.sleep(5), stop, "Sleeping")
    assert time.monotonic() - began < 2
    assert set(told) == {"Sleeping"}


def test_what_work_apart_makes_or_raises_comes_back() -> None:
    told = []
    assert run_apart(lambda: 7, lambda share, text: told.append(share), "Counting") == 7
    assert told[0] == 0
    assert told[-1] == 1
    with pytest.raises(ZeroDivisionError):
        run_apart(lambda: 1 / 0, lambda share, text: None, "Dividing")


def test_what_was_stopped_has_ended_before_the_program_does(tmp_path: Path) -> None:
    program = tmp_path / "stopped.py"
    program.write_text(
        "import pathlib, time\n"
        "from surgiplan.algorithms.filters import run_apart\n"
        "def work():\n"
        "    time.sleep(0.6)\n"
        f"    pathlib.Path({str(tmp_path / 'ended')!r}).touch()\n"
        "def stop(fraction, text):\n"
        "    if time.monotonic() > start + 0.1:\n"
        "        raise KeyboardInterrupt\n"
        "start = time.monotonic()\n"
        "try:\n"
        "    run_apart(work, stop, 'working')\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped')\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "stopped\n"
    assert (tmp_path / "ended").exists()


def test_pieces_of_work_side_by_side_come_back_in_order_and_report() -> None:
    said: list[float] = []
    made = run_side_by_side(lambda n: n * n, range(20), lambda share, _: said.append(share), "Squaring")
    assert made == [n * n for n in range(20)]
    assert said == sorted(said)
    assert len(said) >= 20


def test_a_stop_is_heard_between_and_while_pieces_of_work_take_long() -> None:
    begun: list[int] = []
    let_go = Event()

    def work(n: int) -> None:
        begun.append(n)
        let_go.wait(10)

    def stop(_share: float, _text: str) -> None:
        if begun:
            raise Cancelled("stopped")

    started = time.monotonic()
    with pytest.raises(Cancelled):
        run_side_by_side(work, range(1000), stop, "Waiting")
    assert time.monotonic() - started < 5
    let_go.set()
    assert len(begun) <= 4


def test_what_a_piece_of_work_raises_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        run_side_by_side(lambda n: 1 / n, [2, 1, 0, 1], silent, "Dividing")
