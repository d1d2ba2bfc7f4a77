"""How a long piece of work says how far it is, and hears that it should stop."""

from collections.abc import Callable
from time import monotonic

Report = Callable[[float, str], None]
"""Takes the share that is done (0 to 1) and what is being done; raises Cancelled when a stop was asked."""


def silent(fraction: float, text: str) -> None:
    """Report to nobody and never stop.

    fraction: share of the work that is done, 0 to 1
    text: what is being done
    """


def paced(report: Report, every_s: float = 0.05) -> Report:
    """Let a report through at most every so often, so that thousands of files do not flood it.

    report: who is told
    every_s: least time between two calls, in seconds; the first and the last (1.0) always pass
    """
    last = float("-inf")

    def told(fraction: float, text: str) -> None:
        nonlocal last
        if fraction >= 1.0 or monotonic() - last >= every_s:
            last = monotonic()
            report(fraction, text)

    return told


def part_of(report: Report, low: float, high: float) -> Report:
    """Report a stretch of a longer work: 0 to 1 in the stretch is `low` to `high` in the whole.

    report: the report of the whole
    low, high: shares of the whole at which the stretch begins and ends
    """

    def stretch(fraction: float, text: str) -> None:
        report(low + fraction * (high - low), text)

    return stretch
