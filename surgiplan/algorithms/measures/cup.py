"""The two angles of a cup, by the three definitions of Murray, and how they become each other."""

from dataclasses import dataclass
from math import acos, asin, atan2, cos, degrees, radians, sin
from typing import Literal

import numpy as np

from ...values import FloatArray

Method = Literal["radiographic", "operative", "anatomical"]
METHODS: tuple[Method, ...] = ("radiographic", "operative", "anatomical")
SOURCE = "Murray, J Bone Joint Surg Br 1993;75-B:228"


@dataclass(frozen=True)
class Angles:
    """Inclination and anteversion of a cup in degrees, by one of the definitions."""

    inclination_deg: float
    anteversion_deg: float
    method: Method

    @property
    def axis(self) -> FloatArray:
        """(3,) unit axis out of the cup: lateral, anterior, cranial."""
        i, a = radians(self.inclination_deg), radians(self.anteversion_deg)
        if self.method == "radiographic":
            axis = (sin(i) * cos(a), sin(a), -cos(i) * cos(a))
        elif self.method == "operative":
            axis = (sin(i), cos(i) * sin(a), -cos(i) * cos(a))
        else:
            axis = (sin(i) * cos(a), sin(i) * sin(a), -cos(i))
        return np.array(axis)

    def told(self, method: Method) -> "Angles":
        """The angles of the same cup by another definition."""
        return angles(self.axis, method)


def angles(axis: FloatArray, method: Method) -> Angles:
    """The angles of a cup.

    axis: (3,) unit vector out of the cup: lateral, anterior, cranial in the pelvic frame
    method: radiographic: inclination seen from the front, anteversion against the coronal plane;
        operative: inclination against the sagittal plane, anteversion seen from the side;
        anatomical: inclination against the long axis, anteversion seen from above
    """
    x, y, z = (float(one) for one in axis)
    found = {
        "radiographic": (atan2(x, -z), _asin(y)),
        "operative": (_asin(x), atan2(y, -z)),
        "anatomical": (acos(min(max(-z, -1.0), 1.0)), atan2(y, x)),
    }[method]
    return Angles(degrees(found[0]), degrees(found[1]), method)


def _asin(sine: float) -> float:
    return asin(min(max(sine, -1.0), 1.0))
