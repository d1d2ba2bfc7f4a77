"""The femur: version by its named methods, neck-shaft angle, offset."""

import math
from collections.abc import Callable

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray
from .definition import Definition, Frame, Reading, Spot, from_landmarks
from .vectors import across, between, line, unit

GROUP = "Femur"
_SEEN = {
    "mechanical": Frame(
        "seen along the mechanical axis of the femur, from the knee centre to the head centre",
        ("knee_centre", "head_centre"),
    ),
    "shaft": Frame("seen along the axis of the femoral shaft", ("shaft_distal", "shaft_proximal")),
    "patient": Frame("seen in the axial plane of the scan"),
}
_CONDYLES = ("lateral_condyle_posterior", "medial_condyle_posterior")
_BJO = "compared in Bone Joint Open 2022;3-10:759"
_WARNED = "methods differ by up to 18 degrees: compare like with like"


def _up(spot: Spot) -> FloatArray:
    if spot.frame == "patient":
        return np.array([0.0, 0.0, 1.0])
    low, high = _SEEN[spot.frame].landmarks
    return unit(spot.at[low], spot.at[high], "long axis of the femur")


def version(base: str) -> Callable[[Spot], Reading]:
    """The reader of the turn of the neck against the posterior condylar line, positive to anterior.

    base: the landmark from which the neck line goes to the centre of the head
    """

    def read(spot: Spot) -> Reading:
        at, up = spot.at, _up(spot)
        lateral, medial = (at[name] for name in _CONDYLES)
        inwards = across(line(lateral, medial, "posterior condylar line"), up, "posterior condylar line")
        forward = np.cross(inwards, up) if spot.side == "right" else np.cross(up, inwards)
        if spot.frame != "patient":
            _require_side(at[_SEEN[spot.frame].landmarks[0]] - (lateral + medial) / 2, forward, spot.side)
        neck = across(line(at[base], at["head_centre"], "neck line"), up, "neck line")
        value = math.degrees(math.atan2(float(neck @ forward), float(neck @ inwards)))
        return Reading(value, (np.stack([lateral, medial]), np.stack([at[base], at["head_centre"]])))

    return read


def _require_side(from_condyles: FloatArray, forward: FloatArray, side: str) -> None:
    """Refuse a femur of the other side: the posterior condyles lie behind its long axis."""
    behind = float(from_condyles @ forward)
    if behind < 0:
        other = "left" if side == "right" else "right"
        raise StepFailed(
            f"The landmarks are those of a {other} femur, not of a {side} one: the posterior condyles lie "
            f"{-behind:.1f} mm in front of the long axis. Choose the other side, or exchange medial and "
            "lateral."
        )


def _neck_shaft(spot: Spot) -> Reading:
    at = spot.at
    neck = line(at["neck_centre"], at["head_centre"], "neck axis")
    down = line(at["shaft_proximal"], at["shaft_distal"], "shaft axis")
    lines = [
        np.stack([at[a], at[b]])
        for a, b in (("neck_centre", "head_centre"), ("shaft_proximal", "shaft_distal"))
    ]
    return Reading(math.degrees(between(neck, down)), tuple(lines))


def offset(head: FloatArray, proximal: FloatArray, distal: FloatArray) -> Reading:
    """The distance of the centre of the head from the axis of the shaft, mm."""
    axis = unit(distal, proximal, "shaft axis")
    foot = distal + axis * float((head - distal) @ axis)
    return Reading(float(np.linalg.norm(head - foot)), (np.stack([head, foot]), np.stack([distal, foot])))


def _version(method: str, base: str, where: str, source: str) -> Definition:
    return from_landmarks(
        f"femur.version.{method.lower()}",
        f"Femoral version, {method}",
        GROUP,
        "deg",
        f"angle from the posterior condylar line to the line from {where} to the centre of the femoral head, "
        "both projected on one plane",
        (base, "head_centre", *_CONDYLES),
        version(base),
        frames=_SEEN,
        sided=True,
        sign="positive for anteversion",
        source=f"{source}; {_BJO}",
        usual=_WARNED,
    )


FEMUR = (
    _version(
        "Lee", "neck_trochanter_junction", "the cranial junction of neck and greater trochanter", "Lee et al."
    ),
    _version("Reikeras", "neck_centre", "the centre of the femoral neck", "Reikeras et al."),
    _version(
        "Tomczak",
        "trochanter_base_centre",
        "the centre of the base of the greater trochanter",
        "Tomczak et al.",
    ),
    _version(
        "Murphy",
        "shaft_base_centre",
        "the centre of the femoral base directly above the lesser trochanter",
        "Murphy et al.",
    ),
    from_landmarks(
        "femur.neck_shaft",
        "Neck-shaft angle (CCD)",
        GROUP,
        "deg",
        "angle in space between the axis of the neck, towards the head, and that of the shaft, towards "
        "the knee",
        ("neck_centre", "head_centre", "shaft_proximal", "shaft_distal"),
        _neck_shaft,
        usual="about 125 to 135 degrees",
    ),
    from_landmarks(
        "femur.offset",
        "Femoral offset",
        GROUP,
        "mm",
        "distance of the centre of the femoral head from the axis of the shaft, which is that in the plane "
        "of the neck",
        ("head_centre", "shaft_proximal", "shaft_distal"),
        lambda spot: offset(*(spot.at[n] for n in ("head_centre", "shaft_proximal", "shaft_distal"))),
    ),
)
