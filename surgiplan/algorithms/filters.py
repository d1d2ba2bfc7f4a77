"""VTK and ITK filters, and other long work, that say how far they are and that can be stopped."""

import atexit
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from math import inf
from threading import Event, Thread
from time import monotonic
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from SimpleITK import GetArrayViewFromImage

from ..progress import Report

_LOOK_EVERY_S = 0.05
_LAST_S = 10.0
_MOST_AT_A_TIME = 4  # threads: more of them wait for the memory
Item = TypeVar("Item")
Made = TypeVar("Made")
_running = set[Thread]()


def run_vtk(vtk_filter: Any, report: Report, text: str) -> None:
    """Bring a VTK filter up to date so that its progress is seen and a stop is heard.

    The filter runs in a thread of its own (VTK lets the interpreter go meanwhile), since not every
    filter sends progress events; an abort is repeated until the filter has ended.

    vtk_filter: a vtkAlgorithm with its input and settings
    report: told the filter's progress; what it raises is raised here once the filter has stopped
    text: what is being done
    Raises RuntimeError with VTK's words when the filter reports an error, else what report raises.
    """
    complaints: list[str] = []

    def complain(_caller: Any, _event: str, message: str) -> None:
        complaints.append(message.strip())

    complain.CallDataType = "string0"  # type: ignore[attr-defined]  # how VTK's wrapping asks for the text
    observer = vtk_filter.AddObserver("ErrorEvent", complain)

    def abort() -> None:
        vtk_filter.SetAbortExecute(1)

    try:
        _run_watched(vtk_filter.Update, vtk_filter.GetProgress, abort, report, text, patience_s=inf)
    finally:
        vtk_filter.SetAbortExecute(0)  # else a later run would end at once, empty
        vtk_filter.RemoveObserver(observer)
    if complaints:
        raise RuntimeError(complaints[0])


def run_itk(itk_filter: Any, report: Report, text: str, *inputs: Any) -> Any:
    """Execute a SimpleITK filter so that its progress is seen and a stop is heard.

    itk_filter: a SimpleITK filter object with its settings
    report: told the filter's progress; what it raises is raised here once the filter has stopped, or after
        0.3 seconds: some filters look up rarely, they end in the background and their result is dropped
    text: what is being done
    inputs: the images given to Execute
    Raises what the filter or report raises.
    """
    results: list[Any] = []

    def execute() -> None:
        results.append(itk_filter.Execute(*inputs))

    _run_watched(execute, itk_filter.GetProgress, itk_filter.Abort, report, text, patience_s=0.3)
    return results[0]


def run_apart(work: Callable[[], Made], report: Report, text: str) -> Made:
    """Do work that looks up nowhere, such as that of numpy on large arrays, so that a stop is heard.

    work: changes nothing that is used after a stop: it ends in the background and its result is dropped
    report: told twenty times a second that the work goes on; what it raises is raised here at once
    text: what is being done
    Raises what the work or report raises.
    """
    made: list[Made] = []
    _run_watched(lambda: made.append(work()), lambda: 0.0, lambda: None, report, text, patience_s=0.0)
    return made[0]


def run_side_by_side(
    work: Callable[[Item], Made], items: Sequence[Item], report: Report, text: str
) -> list[Made]:
    """Do a piece of work for each of some items, several at a time, so that a stop is heard.

    work: lets the interpreter go, as compiled loops do, and changes nothing that is used after a stop
    items: what it is given, one after the other
    report: told the progress after each piece, and twenty times a second; what it raises is raised at once
    text: what is being done
    Returns what the work made of each item. Raises what the work or report raises.
    """
    pool, made = ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_AT_A_TIME)), list[Made]()
    try:
        for one in [pool.submit(work, item) for item in items]:
            report(len(made) / len(items), text)
            while not wait([one], _LOOK_EVERY_S).done:
                report(len(made) / len(items), text)
            made.append(one.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return made


def voxels_of(image: Any) -> NDArray[Any]:
    """Look at the voxels of a SimpleITK image without a copy; the image lives as long as they do.

    image: that nobody else uses
    """
    return np.asarray(_Held(image))


class _Held:
    """The memory of an image, for numpy."""

    def __init__(self, image: Any) -> None:
        self._image = image
        self.__array_interface__ = GetArrayViewFromImage(image).__array_interface__


def _run_watched(
    work: Callable[[], None],
    progress: Callable[[], float],
    abort: Callable[[], None],
    report: Report,
    text: str,
    patience_s: float,
) -> None:
    report(0.0, text)
    done, failures = Event(), list[BaseException]()

    def run() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
        finally:
            _running.discard(thread)
            done.set()

    thread = Thread(target=run, name=text, daemon=True)
    _running.add(thread)
    thread.start()
    while not done.wait(_LOOK_EVERY_S):
        try:
            report(min(max(progress(), 0.0), 1.0), text)
        except BaseException:
            abort()
            latest = monotonic() + patience_s
            while not done.wait(_LOOK_EVERY_S) and monotonic() < latest:
                abort()
            raise
    if failures:
        raise failures[0]
    report(1.0, text)


@atexit.register
def _let_end() -> None:
    """Wait for what was stopped and still ends in the background: a library that is left there aborts us."""
    latest = monotonic() + _LAST_S
    for thread in tuple(_running):
        thread.join(max(latest - monotonic(), 0.0))
