"""The selftest in a process of its own, so that a window breathes beside it and can stop it at once."""

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from ..errors import StepFailed
from ..progress import Report, silent
from .measuring import run
from .row import Outcome, Row
from .rows import ROWS

_HEAR_SECONDS = 0.05


def run_apart(quick: bool = False, report: Report = silent, rows: Sequence[Row] = ROWS) -> Iterator[Outcome]:
    """Measure row by row, as `run` does, in a child that is ended when the report raises Cancelled.

    quick: fewer shapes and fewer random cases
    report: told every 50 ms which row is being measured
    rows: which promises; they must be picklable
    Raises StepFailed when the child ends without an answer.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="surgiplan-selftest-", ignore_cleanup_errors=True) as folder:
        child = context.Process(target=_measure, args=(theirs, folder, quick, tuple(rows)))
        child.start()
        theirs.close()
        try:
            yield from _heard(ours, report)
        finally:
            child.kill()
            child.join()
            ours.close()


def _heard(pipe: Connection, report: Report) -> Iterator[Outcome]:
    told: tuple[float, str] = (0.0, "starting")
    while True:
        try:
            while not pipe.poll(_HEAR_SECONDS):
                report(*told)
            kind, content = pipe.recv()
        except (EOFError, OSError):
            raise StepFailed(
                "the selftest ended without an answer: run surgiplan selftest to see why"
            ) from None
        if kind == "outcome":
            yield content
        elif kind == "report":
            told = content
            report(*told)
        else:
            return


def _measure(pipe: Connection, folder: str, quick: bool, rows: tuple[Row, ...]) -> None:
    """The life of the child."""
    tempfile.tempdir = folder  # of the parent, who removes it whatever becomes of us

    def send(kind: str, content: Any) -> None:
        pipe.send((kind, content))

    for outcome in run(quick, lambda *told: send("report", told), rows):
        send("outcome", outcome)
    send("done", None)
