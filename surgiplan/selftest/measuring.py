"""Row by row, in a temporary folder."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Cancelled, SurgiplanError
from ..progress import Report, silent
from .bench import Bench
from .row import Figure, Outcome, Row
from .rows import ROWS


def run(quick: bool = False, report: Report = silent, rows: Sequence[Row] = ROWS) -> Iterator[Outcome]:
    """Measure row by row, in a temporary folder that is gone afterwards.

    quick: fewer shapes and fewer random cases
    report: told which row is being measured; may raise Cancelled
    rows: which promises
    A row whose measuring stops with an error fails; the others go on.
    """
    with tempfile.TemporaryDirectory(prefix="surgiplan-selftest-") as folder:
        bench = Bench(Path(folder), quick)
        for n, row in enumerate(rows):
            report(n / len(rows), row.name)
            yield _measured(row, bench)
    report(1.0, "the selftest is done")


def _measured(row: Row, bench: Bench) -> Outcome:
    if row.measure is None:
        return Outcome(row)
    started, figures, trouble = time.perf_counter(), list[Figure](), ""
    try:
        for figure in row.measure(bench):
            figures.append(figure)
    except Cancelled:
        raise
    except SurgiplanError as problem:
        trouble = str(problem)
    return Outcome(row, tuple(figures), time.perf_counter() - started, trouble)
