"""One promise, how it is measured, and what came out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .bench import Bench


@dataclass(frozen=True)
class Figure:
    """A measured number beside what it may be at most.

    name: what was measured, on what
    value: the number
    limit: the largest value that is good
    unit: "mm", "%", "HU" or "" for a count or a ratio
    """

    name: str
    value: float
    limit: float
    unit: str = "mm"

    @property
    def holds(self) -> bool:
        """Whether the promise is kept; a number that is none keeps nothing."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Row:
    """One promise.

    key: number of the row, with a letter where a row has several parts
    name: what is measured
    goal: what is promised, in words
    anchor: what others have published or measured, to compare with
    measure: gives the figures; None where this version has nothing to measure
    absent: why there is nothing to measure
    """

    key: str
    name: str
    goal: str
    anchor: str
    measure: Callable[[Bench], Iterable[Figure]] | None
    absent: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came out for a row.

    figures: what was measured
    seconds: how long that took
    trouble: what stopped the measuring; "" when nothing did
    """

    row: Row
    figures: tuple[Figure, ...] = ()
    seconds: float = 0.0
    trouble: str = ""

    @property
    def verdict(self) -> str:
        """PASS, FAIL, or ABSENT for what this version does not have."""
        if self.row.measure is None:
            return "ABSENT"
        return "PASS" if self.figures and not self.trouble and all(f.holds for f in self.figures) else "FAIL"
