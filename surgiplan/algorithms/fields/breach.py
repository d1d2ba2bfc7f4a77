"""How a screw that leaves its bone is graded."""

from typing import Literal

Grade = Literal["A", "B", "C", "D", "E"]
_LIMITS: tuple[tuple[float, Grade], ...] = ((2.0, "B"), (4.0, "C"), (6.0, "D"))


def gertzbein(breach_mm: float) -> Grade:
    """The grade of a pedicle screw: A without a breach, B below 2 mm, C below 4, D below 6, else E.

    After Gertzbein and Robbins (Spine 15:11, 1990).

    breach_mm: how far it reaches out of the pedicle, or into the canal; 0 for not at all
    """
    if breach_mm <= 0:
        return "A"
    return next((grade for limit, grade in _LIMITS if breach_mm < limit), "E")
