"""Operations on whole numbers: all the engine needs to be tested."""

import os
import time
from typing import Annotated, Any

from surgiplan.errors import StepFailed
from surgiplan.plan.operation import Hand, Number, Operation, Ref, operation
from surgiplan.plan.work import Work
from surgiplan.values import Plane

Small = Annotated[int, Number("apples", 0, 1000, 1)]
RUNS: list[str] = []


@operation("number", runs="here")
class Given(Operation[int]):
    """Give a number.

    value: the number
        that is given
    """

    value: Small = 1

    def run(self, work: Work) -> int:
        return self.value


@operation("sum", version=2)
class Sum(Operation[int]):
    """Add numbers up.

    terms: what is added
    """

    terms: tuple[Ref[int], ...] = ()

    @classmethod
    def upgrade(cls, version: int, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"terms": [parameters["a"], parameters["b"]]}

    def run(self, work: Work, terms: tuple[int, ...]) -> int:
        RUNS.append("sum")
        return sum(terms)


@operation("divide", outputs={"quotient": int, "rest": int})
class Divide(Operation[dict[str, int]]):
    """Divide with rest.

    a: the number to divide
    by: the divisor
    """

    a: Ref[int]
    by: Small = 2

    def run(self, work: Work, a: int) -> dict[str, int]:
        RUNS.append("divide")
        if self.by == 0:
            raise StepFailed("there is no division by 0: choose another divisor")
        return {"quotient": a // self.by, "rest": a % self.by}


@operation("slow")
class Slow(Operation[int]):
    """Take a while, saying how far it is.

    a: what is given back
    seconds: how long it takes
    """

    a: Ref[int]
    seconds: float = 0.2

    def run(self, work: Work, a: int) -> int:
        RUNS.append("slow")
        for n in range(100):
            work.report(n / 100, "slowly")
            time.sleep(self.seconds / 100)
        return a


@operation("apart", runs="process")
class Apart(Operation[int]):
    """Do it in a child process.

    a: what is doubled
    how: what happens there
    """

    a: Ref[int]
    how: str = "fine"

    def run(self, work: Work, a: int) -> int:
        work.report(0.3, "apart")
        if self.how == "hang":
            time.sleep(60)
        if self.how == "die":
            os._exit(9)
        if self.how == "fail":
            raise StepFailed("it cannot be doubled")
        if self.how == "bug":
            raise ZeroDivisionError("a bug")
        return 2 * a


@operation("placed")
class Placed(Operation[int]):
    """Need a plane that somebody places.

    plane: where it is
    a: what is given back
    """

    a: Ref[int]
    plane: Annotated[Plane | None, Hand("lay the plane")] = None

    def run(self, work: Work, a: int) -> int:
        return a


@operation("words")
class Words(Operation[str]):
    """Give back a text.

    text: what is given
    """

    text: str = ""

    def run(self, work: Work) -> str:
        return self.text


INTEGERS = {cls.spec.name: cls for cls in (Given, Sum, Divide, Slow, Apart, Placed, Words)}
