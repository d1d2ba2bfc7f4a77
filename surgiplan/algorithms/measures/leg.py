"""The axes of the leg: HKA, joint angles, mechanical axis deviation, weight-bearing line, slope."""

import math
from collections.abc import Callable

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray
from .definition import Definition, Frame, Reading, Spot, from_landmarks
from .vectors import across, line, turn, unit

GROUP = "Leg"
_FRONTAL = {
    "condyles": Frame(
        "frontal plane through the line from ankle to head and along the posterior condylar line",
        ("head_centre", "ankle_centre", "medial_condyle_posterior", "lateral_condyle_posterior"),
    ),
    "plateau": Frame(
        "frontal plane through the line from ankle to head, along the line between the edges of the plateau",
        ("head_centre", "ankle_centre", "medial_plateau_edge", "lateral_plateau_edge"),
    ),
    "patient": Frame("coronal plane of the scan"),
}
_SAGITTAL = {
    "mechanical": Frame(
        "against the mechanical axis of the tibia, in the plane at right angles to the line between the "
        "edges of the plateau",
        ("tibial_spine_centre", "ankle_centre", "medial_plateau_edge", "lateral_plateau_edge"),
    ),
    "shaft": Frame(
        "against the axis of the tibial shaft, in the plane at right angles to the line between the edges of "
        "the plateau",
        ("tibial_shaft_proximal", "tibial_shaft_distal", "medial_plateau_edge", "lateral_plateau_edge"),
    ),
}
_FEMUR, _TIBIA = ("knee_centre", "head_centre"), ("tibial_spine_centre", "ankle_centre")
_DISTAL = ("medial_condyle_distal", "lateral_condyle_distal")
_PLATEAU = ("medial_plateau", "lateral_plateau")
_EDGES = ("medial_plateau_edge", "lateral_plateau_edge")
_WAY = {
    _FEMUR: "mechanical axis of the femur",
    _TIBIA: "mechanical axis of the tibia",
    _DISTAL: "distal joint line of the femur",
    _PLATEAU: "joint line of the tibia",
    _EDGES: "line between the edges of the plateau",
}


class _Front:
    """The frontal plane of a leg: outwards to its lateral side, and up."""

    def __init__(self, spot: Spot) -> None:
        self._at = spot.at
        if spot.frame == "patient":
            self.up = np.array([0.0, 0.0, 1.0])
            self.outwards = np.array([1.0 if spot.side == "left" else -1.0, 0.0, 0.0])
            return
        head, ankle, medial, lateral = (spot.at[name] for name in _FRONTAL[spot.frame].landmarks)
        self.up = unit(ankle, head, "weight-bearing line")
        self.outwards = across(line(medial, lateral, "line across the knee"), self.up, "line across the knee")

    def seen(self, ends: tuple[str, str]) -> FloatArray:
        """(2,) the line between two landmarks, outwards and up."""
        what = _WAY.get(ends) or _WAY[ends[::-1]]
        way = line(self._at[ends[0]], self._at[ends[1]], what)
        flat = np.array([way @ self.outwards, way @ self.up])
        if np.linalg.norm(flat) < 1e-6:
            raise StepFailed(f"The {what} cannot be seen from the front: it points forwards.")
        return flat

    def place(self, point: FloatArray) -> FloatArray:
        """(2,) a point, outwards and up."""
        return np.array([point @ self.outwards, point @ self.up])


def _turned(first: FloatArray, second: FloatArray) -> float:
    """Degrees from one line to another, counter-clockwise with outwards to the right."""
    across_, along = first[0] * second[1] - first[1] * second[0], float(first @ second)
    return math.degrees(math.atan2(float(across_), along))


def _lines(spot: Spot, *ends: tuple[str, str]) -> tuple[FloatArray, ...]:
    return tuple(np.stack([spot.at[a], spot.at[b]]) for a, b in ends)


def _hka(spot: Spot) -> Reading:
    """Valgus turns the tibia outwards: counter-clockwise, seen with outwards to the right."""
    front = _Front(spot)
    down = -front.seen(_FEMUR)
    return Reading(_turned(down, front.seen(_TIBIA)), _lines(spot, _FEMUR[::-1], _TIBIA))


def _angle(first: tuple[str, str], second: tuple[str, str]) -> Callable[[Spot], Reading]:
    def read(spot: Spot) -> Reading:
        front = _Front(spot)
        value = abs(_turned(front.seen(first), front.seen(second)))
        return Reading(value, _lines(spot, first, second))

    return read


def _jlca(spot: Spot) -> Reading:
    """The gap opens laterally where the femoral line rises outwards against the tibial one."""
    front = _Front(spot)
    return Reading(_turned(front.seen(_PLATEAU), front.seen(_DISTAL)), _lines(spot, _PLATEAU, _DISTAL))


def _mad(spot: Spot) -> Reading:
    front = _Front(spot)
    head, ankle, knee = (
        front.place(spot.at[n]) for n in ("head_centre", "ankle_centre", "tibial_spine_centre")
    )
    share = (knee[1] - ankle[1]) / (head[1] - ankle[1])
    way = (head - ankle) / np.linalg.norm(head - ankle)
    away = knee - ankle
    value = float(away[0] * way[1] - away[1] * way[0])  # of the knee, outwards from the line
    on_line = spot.at["ankle_centre"] + share * (spot.at["head_centre"] - spot.at["ankle_centre"])
    lines = _lines(spot, ("head_centre", "ankle_centre"))
    return Reading(value, (*lines, np.stack([spot.at["tibial_spine_centre"], on_line])))


def wbl_percent(spot: Spot) -> Reading:
    """Where the line from head to ankle crosses the plateau: 0 % at its medial edge, 100 % at the lateral."""
    front = _Front(spot)
    head, ankle, medial, lateral = (
        front.place(spot.at[name]) for name in ("head_centre", "ankle_centre", *_EDGES)
    )
    way, plateau = head - ankle, lateral - medial
    crossing = way[0] * plateau[1] - way[1] * plateau[0]
    if abs(crossing) < 1e-9 * np.linalg.norm(way) * np.linalg.norm(plateau):
        raise StepFailed("The weight-bearing line runs along the plateau: the landmarks cannot be right.")
    away = ankle - medial
    share = float((way[0] * away[1] - way[1] * away[0]) / crossing)
    at = spot.at[_EDGES[0]] + share * (spot.at[_EDGES[1]] - spot.at[_EDGES[0]])
    bearing = np.stack([spot.at["head_centre"], at, spot.at["ankle_centre"]])
    return Reading(100 * share, (bearing, *_lines(spot, _EDGES)))


def _slope(spot: Spot) -> Reading:
    """Positive where the plateau falls to the back."""
    at = spot.at
    low, high = {
        "mechanical": ("ankle_centre", "tibial_spine_centre"),
        "shaft": ("tibial_shaft_distal", "tibial_shaft_proximal"),
    }[spot.frame]
    up = unit(at[low], at[high], "axis of the tibia")
    aside = across(line(at[_EDGES[0]], at[_EDGES[1]], _WAY[_EDGES]), up, _WAY[_EDGES])
    front, back = at["medial_plateau_anterior"], at["medial_plateau_posterior"]
    rim = line(front, back, "rim of the plateau")
    backwards = np.cross(aside, up) if spot.side == "right" else np.cross(up, aside)
    if float(rim @ backwards) < 0:
        raise StepFailed(
            f"The anterior rim of the plateau lies {-float(rim @ backwards):.1f} mm behind the posterior one "
            f"on a {spot.side} leg: exchange the two, or choose the other side."
        )
    value = math.degrees(math.atan2(-float(rim @ up), float(rim @ backwards)))
    return Reading(value, (np.stack([front, back]), np.stack([at[low], at[high]])))


def _torsion(spot: Spot) -> Reading:
    """Outwards is clockwise on the right leg, seen from above."""
    at = spot.at
    up = unit(at["ankle_centre"], at["tibial_spine_centre"], "mechanical axis of the tibia")
    upper = across(
        line(
            at["medial_plateau_posterior"], at["lateral_plateau_posterior"], "posterior line of the plateau"
        ),
        up,
        "posterior line of the plateau",
    )
    lower = across(
        line(at["medial_malleolus"], at["lateral_malleolus"], "line between the malleoli"),
        up,
        "line between the malleoli",
    )
    value = math.degrees(turn(upper, lower, up))
    ends = (
        ("medial_plateau_posterior", "lateral_plateau_posterior"),
        ("medial_malleolus", "lateral_malleolus"),
    )
    return Reading(value if spot.side == "left" else -value, _lines(spot, *ends))


def _frontal(
    name: str,
    title: str,
    unit_: str,
    words: str,
    landmarks: tuple[str, ...],
    read: Callable[[Spot], Reading],
    sign: str = "",
    usual: str = "",
    source: str = "",
) -> Definition:
    return from_landmarks(
        f"leg.{name}",
        title,
        GROUP,
        unit_,
        f"{words}, seen from the front",
        landmarks,
        read,
        frames=_FRONTAL,
        sided=True,
        sign=sign,
        usual=usual,
        source=source,
    )


_PALEY = "Paley, Principles of Deformity Correction"

LEG = (
    _frontal(
        "hka",
        "HKA, hip-knee-ankle angle",
        "deg",
        "deviation from straight of the mechanical axis of the tibia (tibial spines to ankle centre) against "
        "that of the femur (head centre to notch centre)",
        (*_FEMUR, *_TIBIA),
        _hka,
        "positive for valgus, negative for varus, 0 when straight",
        "about 1 to 1.5 degrees of varus",
    ),
    _frontal(
        "mldfa",
        "mLDFA, lateral distal femoral angle",
        "deg",
        "lateral angle between the mechanical axis of the femur and the line of the most distal points of "
        "both condyles",
        (*_FEMUR, *_DISTAL),
        _angle(_FEMUR, _DISTAL),
        usual="85 to 90 degrees",
        source=_PALEY,
    ),
    _frontal(
        "mpta",
        "MPTA, medial proximal tibial angle",
        "deg",
        "medial angle between the mechanical axis of the tibia and the line of the centres of both plateaus",
        (*_TIBIA, *_PLATEAU),
        _angle(_TIBIA, _PLATEAU[::-1]),
        usual="85 to 90 degrees",
        source=_PALEY,
    ),
    _frontal(
        "jlca",
        "JLCA, joint line convergence angle",
        "deg",
        "angle between the distal joint line of the femur and that of the tibia",
        (*_DISTAL, *_PLATEAU),
        _jlca,
        "positive when the joint opens to lateral",
        "0 to 2 degrees",
        _PALEY,
    ),
    _frontal(
        "mad",
        "MAD, mechanical axis deviation",
        "mm",
        "distance of the knee (centre of the tibial spines) from the line from head centre to ankle centre",
        ("tibial_spine_centre", "head_centre", "ankle_centre"),
        _mad,
        "positive when the line passes medial of the knee",
        "8 mm medial, give or take 7 mm",
        _PALEY,
    ),
    _frontal(
        "wbl",
        "WBL, weight-bearing line",
        "%",
        "where the line from head centre to ankle centre crosses the plateau: 0 % at its medial edge, 100 % "
        "at its lateral edge",
        ("head_centre", "ankle_centre", *_EDGES),
        wbl_percent,
        usual="62.5 % is a usual target of a high tibial osteotomy",
        source="Kobayashi et al., BMC Musculoskelet Disord 2022",
    ),
    from_landmarks(
        "tibia.slope",
        "Posterior slope of the tibia",
        GROUP,
        "deg",
        "angle between the medial plateau, from its anterior to its posterior rim, and a right angle to the "
        "axis of the tibia, seen from the side",
        ("medial_plateau_anterior", "medial_plateau_posterior"),
        _slope,
        frames=_SAGITTAL,
        sided=True,
        sign="positive when the plateau falls to the back",
    ),
    from_landmarks(
        "tibia.torsion",
        "Tibial torsion",
        GROUP,
        "deg",
        "angle from the posterior line of the plateau to the line between the malleoli, seen along the "
        "mechanical axis of the tibia",
        (
            "medial_plateau_posterior",
            "lateral_plateau_posterior",
            "medial_malleolus",
            "lateral_malleolus",
            *_TIBIA,
        ),
        _torsion,
        sided=True,
        sign="positive when the foot is turned outwards",
    ),
)
