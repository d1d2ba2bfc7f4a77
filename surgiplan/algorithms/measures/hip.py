"""The hip: angles of a cup, leg length and offset against the pelvis."""

from collections.abc import Callable

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray
from .cup import METHODS, SOURCE, Method, angles
from .definition import Definition, Frame, Reading, Spot, from_landmarks
from .femur import offset
from .vectors import across, line, unit

GROUP = "Hip"
_APP = ("left_asis", "right_asis", "left_pubic_tubercle", "right_pubic_tubercle")
_PELVIC = {
    "app": Frame(
        "anterior pelvic plane, through both anterior superior iliac spines and pubic tubercles", _APP
    ),
    "patient": Frame("planes of the scan: the pelvis as it lay"),
}
_RIM = ("cup_rim_superior", "cup_rim_anterior", "cup_rim_posterior")
_TEARDROPS = ("left_teardrop", "right_teardrop")
_SHOWN_MM = 40.0  # how long the axis of a cup is drawn


def pelvic_axes(spot: Spot) -> FloatArray:
    """(3, 3) rows: left, anterior and cranial of the pelvis in LPS."""
    if spot.frame == "patient":
        return np.diag([1.0, -1.0, 1.0])
    left, right, left_pubis, right_pubis = (spot.at[name] for name in _APP)
    aside = unit(right, left, "line between the iliac spines")
    upwards = line((left_pubis + right_pubis) / 2, (left + right) / 2, "anterior pelvic plane")
    up = across(upwards, aside, "anterior pelvic plane")
    return np.stack([aside, np.cross(aside, up), up])


def cup_axis(spot: Spot) -> tuple[FloatArray, FloatArray]:
    """(3,) unit axis out of the cup (lateral, anterior, cranial), and its two drawn ends, LPS mm."""
    axes = pelvic_axes(spot)
    axes[0] *= 1.0 if spot.side == "left" else -1.0
    rim = np.array([spot.at[name] for name in _RIM])
    normal = np.cross(rim[1] - rim[0], rim[2] - rim[0])
    area = float(np.linalg.norm(normal))
    if area < 1.0:  # mm²
        raise StepFailed(
            "The three points of the rim of the cup lie on one line, so they span no plane: place them apart."
        )
    outwards = normal / area
    if outwards @ (axes[0] - axes[2]) < 0:  # it leaves the pelvis to lateral and distal
        outwards = -outwards
    middle = circle_centre(rim)
    return axes @ outwards, np.stack([middle, middle + _SHOWN_MM * outwards])


def circle_centre(rim: FloatArray) -> FloatArray:
    """(3,) centre of the circle through three points (3, 3)."""
    a, b = rim[0] - rim[2], rim[1] - rim[2]
    normal = np.cross(a, b)
    centre: FloatArray = rim[2] + np.cross((a @ a) * b - (b @ b) * a, normal) / (2 * float(normal @ normal))
    return centre


def _cup(method: Method, which: str) -> Callable[[Spot], Reading]:
    def read(spot: Spot) -> Reading:
        axis, drawn = cup_axis(spot)
        found = angles(axis, method)
        value = found.inclination_deg if which == "inclination" else found.anteversion_deg
        rim = np.array([spot.at[name] for name in (*_RIM, _RIM[0])])
        return Reading(value, (rim, drawn))

    return read


_TOLD = {
    ("radiographic", "inclination"): "angle between the long axis and the cup axis seen from the front",
    ("radiographic", "anteversion"): "angle between the cup axis and the coronal plane",
    ("operative", "inclination"): "angle between the cup axis and the sagittal plane",
    ("operative", "anteversion"): "angle between the long axis and the cup axis seen from the side",
    ("anatomical", "inclination"): "angle between the cup axis and the long axis",
    ("anatomical", "anteversion"): "angle between the transverse axis and the cup axis seen from above",
}


def _cup_definition(method: Method, which: str) -> Definition:
    return from_landmarks(
        f"cup.{which}.{method}",
        f"Cup {which}, {method}",
        GROUP,
        "deg",
        f"{_TOLD[method, which]}; the cup axis stands on the plane of three points of the rim",
        _RIM,
        _cup(method, which),
        frames=_PELVIC,
        sided=True,
        sign="positive to anterior" if which == "anteversion" else "",
        source=SOURCE,
        usual="shown, never passed or failed: there is no universal safe zone",
    )


def _height(spot: Spot, point: FloatArray) -> tuple[float, FloatArray]:
    """How far a point lies below the line between the teardrops, seen from the front, and the foot there."""
    axes = pelvic_axes(spot)
    left, right = (spot.at[name] for name in _TEARDROPS)
    way = line(right, left, "line between the teardrops")
    aside = across(way, axes[1], "line between the teardrops")
    down = -np.cross(axes[1], aside)
    below = float((point - right) @ down)
    return below, point - below * down


def _length(reference: str) -> Callable[[Spot], Reading]:
    def read(spot: Spot) -> Reading:
        point = spot.at[f"own_{reference}"]
        below, foot = _height(spot, point)
        return Reading(below, (np.stack([spot.at[n] for n in _TEARDROPS]), np.stack([foot, point])))

    return read


def _length_difference(reference: str) -> Callable[[Spot], Reading]:
    def read(spot: Spot) -> Reading:
        points = [spot.at[f"{side}_{reference}"] for side in ("left", "right")]
        found = [_height(spot, point) for point in points]
        lines = [np.stack([foot, point]) for (_, foot), point in zip(found, points, strict=True)]
        teardrops = np.stack([spot.at[n] for n in _TEARDROPS])
        return Reading(found[1][0] - found[0][0], (teardrops, *lines))

    return read


_OFFSET = ("own_head_centre", "own_shaft_proximal", "own_shaft_distal")


def _femoral(spot: Spot) -> Reading:
    return offset(*(spot.at[name] for name in _OFFSET))


def _acetabular(spot: Spot) -> Reading:
    axes = pelvic_axes(spot)
    left, right = (spot.at[name] for name in _TEARDROPS)
    aside = across(line(right, left, "line between the teardrops"), axes[1], "line between the teardrops")
    outwards = aside if spot.side == "left" else -aside
    teardrop, head = spot.at[f"{spot.side}_teardrop"], spot.at["own_head_centre"]
    away = float((head - teardrop) @ outwards)
    return Reading(away, (np.stack([teardrop, teardrop + away * outwards, head]),))


def _global(spot: Spot) -> Reading:
    inner, outer = _acetabular(spot), _femoral(spot)
    return Reading(inner.value + outer.value, (*inner.lines, *outer.lines))


def _of_pelvis(
    name: str,
    title: str,
    words: str,
    landmarks: tuple[str, ...],
    read: Callable[[Spot], Reading],
    sign: str = "",
    source: str = "",
    sided: bool = True,
) -> Definition:
    return from_landmarks(
        f"hip.{name}",
        title,
        GROUP,
        "mm",
        words,
        landmarks,
        read,
        frames=_PELVIC,
        sided=sided,
        sign=sign,
        source=source,
    )


_LENGTH_SOURCE = "Clin Orthop Relat Res, PMC3094616: teardrops, not ischia"
_OFFSET_SOURCE = "PMC3018189"
_REFERENCES = {"head_centre": "centre of the femoral head", "lesser_trochanter": "lesser trochanter"}

HIP = (
    *(_cup_definition(method, which) for method in METHODS for which in ("inclination", "anteversion")),
    *(
        _of_pelvis(
            f"length.{reference}",
            f"Leg length at the {words}",
            f"distance of the {words} from the line between the teardrops, at right angles to it, seen from "
            "the front",
            (*_TEARDROPS, f"own_{reference}"),
            _length(reference),
            "positive below the line",
            _LENGTH_SOURCE,
        )
        for reference, words in _REFERENCES.items()
    ),
    *(
        _of_pelvis(
            f"length_difference.{reference}",
            f"Leg length difference at the {words}",
            f"leg length of the right side minus that of the left, each from the line between the teardrops "
            f"to the {words}, seen from the front",
            (*_TEARDROPS, f"left_{reference}", f"right_{reference}"),
            _length_difference(reference),
            "positive when the right leg is longer",
            _LENGTH_SOURCE,
            False,
        )
        for reference, words in _REFERENCES.items()
    ),
    from_landmarks(
        "hip.offset.femoral",
        "Femoral offset, from the pelvis",
        GROUP,
        "mm",
        "distance of the centre of the femoral head from the axis of the shaft, which is that in the plane "
        "of the neck",
        _OFFSET,
        _femoral,
        sided=True,
        source=_OFFSET_SOURCE,
    ),
    _of_pelvis(
        "offset.acetabular",
        "Acetabular offset",
        "distance of the centre of the femoral head from the teardrop along the line between the teardrops, "
        "seen from the front",
        (*_TEARDROPS, "own_head_centre"),
        _acetabular,
        "positive lateral of the teardrop",
        _OFFSET_SOURCE,
    ),
    _of_pelvis(
        "offset.global",
        "Global hip offset",
        "femoral offset (head centre to shaft axis) plus acetabular offset (teardrop to head centre)",
        (*_TEARDROPS, *_OFFSET),
        _global,
        "",
        _OFFSET_SOURCE,
    ),
)
