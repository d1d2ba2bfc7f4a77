"""All that can be measured: the definitions by id, from which forms, manual and refusals come."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from ...errors import NeedsHand, StepFailed
from ...values import Measurement, Part, Plane, Profile, Volume
from . import bodies, grey, lines, paths, spots
from .definition import Definition, Given, Measured, difference
from .femur import FEMUR
from .head import SKULL
from .hip import HIP
from .leg import LEG

_GREY = {
    "mean": Measurement,
    "deviation": Measurement,
    "lowest": Measurement,
    "highest": Measurement,
}


def _part(given: Given) -> Part:
    if given.part is None:
        raise StepFailed("This measurement needs a part: choose the body to measure")
    return given.part


def _volume(given: Given) -> Volume:
    if given.volume is None:
        raise StepFailed("This measurement needs a scan: choose the one whose grey values are read")
    return given.volume


def _plane(given: Given) -> Plane:
    if given.plane_a is None:
        raise NeedsHand("the plane must be placed")
    return given.plane_a


def _from_points(rule: Callable[..., Measurement]) -> Callable[[Given], Measured]:
    return lambda given: rule(*given.points, frame_uid=given.frame_uid, landmark_sd_mm=given.landmark_sd_mm)


def _between_planes(given: Given) -> Measured:
    if given.plane_a is None or given.plane_b is None:
        raise NeedsHand("both planes must be placed")
    return lines.angle_between_planes(given.plane_a, given.plane_b, given.frame_uid)


def _contact(given: Given) -> Measured:
    if given.other is None:
        raise StepFailed("This measurement needs a second part: choose the body that is touched")
    return bodies.contact_area(_part(given), given.other, given.gap_mm, given.report)


def _difference(given: Given) -> Measured:
    if given.first is None or given.second is None:
        raise StepFailed("A difference needs two measurements: choose both")
    return difference(given.first, given.second)


def _curvature(kind: Literal["mean", "gauss"]) -> Callable[[Given], Measured]:
    return lambda given: spots.curvature(_part(given), given.points[0], given.radius_mm, kind)


def _plain(
    name: str,
    title: str,
    unit: str,
    words: str,
    needs: str,
    measure: Callable[[Given], Measured],
    **more: Any,
) -> Definition:
    return Definition(name, title, "General", unit, words, measure, tuple(needs.split()), **more)


_BENT: tuple[tuple[Literal["mean", "gauss"], str, str, str], ...] = (
    ("mean", "Mean curvature", "1/mm", "positive where the surface bulges out"),
    ("gauss", "Gaussian curvature", "1/mm2", "positive like a ball, negative like a saddle"),
)
_POINTS = "points landmarks names landmark_sd part"
_GENERAL = (
    _plain(
        "distance",
        "Distance",
        "mm",
        "straight, between two points",
        _POINTS,
        _from_points(lines.distance),
        points=2,
        most=2,
    ),
    _plain(
        "path",
        "Path along a surface",
        "mm",
        "along the surface of the part, from point to point (two or more)",
        _POINTS,
        lambda g: paths.path(_part(g), *g.points, landmark_sd_mm=g.landmark_sd_mm, report=g.report),
        points=2,
        source="Sharp and Crane, ACM Trans. Graph. 2020;39(6)",
    ),
    _plain(
        "angle",
        "Angle of three points",
        "deg",
        "at the second of three points",
        _POINTS,
        _from_points(lines.angle_at),
        points=3,
        most=3,
    ),
    _plain(
        "line-angle",
        "Angle of two lines",
        "deg",
        "between the lines 1-2 and 3-4, directed",
        _POINTS,
        _from_points(lines.angle_between_lines),
        points=4,
        most=4,
    ),
    _plain(
        "projected-angle",
        "Torsion about an axis",
        "deg",
        "of the line 3-4 against the line 1-2, seen along the axis 5-6",
        _POINTS,
        _from_points(lines.angle_projected),
        points=6,
        most=6,
        sign="positive by the right-hand rule about the axis",
    ),
    _plain(
        "plane-angle",
        "Angle of two planes",
        "deg",
        "between the normals of both planes",
        "plane_a plane_b part",
        _between_planes,
    ),
    _plain(
        "line-plane-angle",
        "Angle of a line and a plane",
        "deg",
        "between the line 1-2 and the first plane",
        f"{_POINTS} plane_a",
        lambda g: lines.angle_to_plane(g.points[0], g.points[1], _plane(g), g.frame_uid, g.landmark_sd_mm),
        points=2,
        most=2,
        sign="positive when the line leaves on the side the normal points to",
    ),
    _plain("volume", "Volume", "mm3", "enclosed by the part", "part", lambda g: bodies.volume(_part(g))),
    _plain("area", "Surface area", "mm2", "of the part", "part", lambda g: bodies.area(_part(g))),
    _plain(
        "section-area",
        "Area of a section",
        "mm2",
        "in which the first plane cuts the part; holes are taken off",
        "part plane_a",
        lambda g: bodies.section_area(_part(g), _plane(g)),
    ),
    _plain(
        "section-perimeter",
        "Perimeter of a section",
        "mm",
        "outline in which the first plane cuts the part, holes included",
        "part plane_a",
        lambda g: bodies.section_perimeter(_part(g), _plane(g)),
    ),
    *(
        _plain(
            f"curvature-{kind}",
            title,
            unit,
            "of the surface of the part at a point, from a patch fitted within the radius",
            f"{_POINTS} radius".replace("landmark_sd ", ""),
            _curvature(kind),
            points=1,
            most=1,
            sign=sign,
        )
        for kind, title, unit, sign in _BENT
    ),
    _plain(
        "wall",
        "Wall thickness",
        "mm",
        "of the part under a point of its surface, by the ball that touches both sides",
        f"{_POINTS} reach".replace("landmark_sd ", ""),
        lambda g: spots.wall(_part(g), g.points[0], g.reach_mm, g.report),
        points=1,
        most=1,
    ),
    _plain(
        "contact-area",
        "Contact area",
        "mm2",
        "of the part, within the gap of the other part",
        "part other gap",
        _contact,
    ),
    _plain(
        "hu-line",
        "Grey values along a line",
        "HU",
        "of the scan between two points: profile, mean, deviation, lowest, highest",
        "points landmarks names volume",
        lambda g: grey.along_line(_volume(g), g.points[0], g.points[1]),
        points=2,
        most=2,
        outputs={**_GREY, "profile": Profile},
    ),
    _plain(
        "hu-cylinder",
        "Grey values in a cylinder",
        "HU",
        "of the scan within the radius of the line between two points: mean, deviation, lowest, highest",
        "points landmarks names volume radius",
        lambda g: grey.in_cylinder(_volume(g), g.points[0], g.points[1], g.radius_mm),
        points=2,
        most=2,
        outputs=_GREY,
    ),
    _plain(
        "difference",
        "Difference of two measurements",
        "",
        "the first minus the second; only numbers of one definition, unit and frame are compared",
        "first second",
        _difference,
    ),
)


def _side_by_side(
    name: str, title: str, words: str, members: tuple[Definition, ...], stem: str
) -> Definition:
    """Several definitions measured on the same landmarks at once."""
    names = {one.id.removeprefix(stem).replace(".", "_"): one for one in members}

    def measure(given: Given) -> Measured:
        return {name: one.measure(given) for name, one in names.items()}

    return Definition(
        name,
        title,
        members[0].group,
        members[0].unit,
        words,
        measure,
        members[0].needs,
        landmarks=tuple(dict.fromkeys(name for one in members for name in one.landmarks)),
        frames=members[0].frames,
        source=members[0].source,
        outputs=dict.fromkeys(names, Measurement),
    )


_SETS = (
    _side_by_side(
        "leg.axes",
        "Axes of the leg, all",
        "HKA, mLDFA, MPTA, JLCA, MAD and WBL side by side",
        tuple(one for one in LEG if one.id.startswith("leg.")),
        "leg.",
    ),
    _side_by_side(
        "femur.version",
        "Femoral version, all methods",
        "Lee, Reikeras, Tomczak and Murphy side by side",
        tuple(one for one in FEMUR if one.id.startswith("femur.version.")),
        "femur.version.",
    ),
    _side_by_side(
        "cup",
        "Cup angles, all of Murray",
        "inclination and anteversion, radiographic, operative and anatomical, side by side",
        tuple(one for one in HIP if one.id.startswith("cup.")),
        "cup.",
    ),
    _side_by_side("skull", "SNA, SNB and ANB", "side by side", SKULL[:3], "skull."),
)

GROUPS = ("General", "Leg", "Femur", "Hip", "Skull")
_ALL = (*_GENERAL, *_SETS, *LEG, *FEMUR, *HIP, *SKULL)
DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {one.id: one for group in GROUPS for one in _ALL if one.group == group}
)
"""Every definition by its id, group by group."""

FRAMES: Mapping[str, str] = MappingProxyType(
    {
        "condyles": "through the posterior condyles",
        "plateau": "through the edges of the plateau",
        "mechanical": "mechanical axis",
        "shaft": "axis of the shaft",
        "app": "anterior pelvic plane",
        "patient": "planes of the scan",
        "space": "in space",
        "fh-sella": "midsagittal, through sella",
        "fh-basion": "midsagittal, through basion",
        "fh-opisthion": "midsagittal, through opisthion",
        "rim-plane": "plane of the rim",
    }
)
"""The frames that definitions have, by name, with what each is called."""


def page() -> str:
    """The page of all definitions, in Markdown: docs/measurements.md."""
    lines = [
        "# What can be measured, and how it is defined",
        "",
        "Written by `surgiplan ops measure --markdown`; a test holds it. Each number carries its definition,",
        "frame, sign, landmarks and expected error; two of unlike definition, unit or frame are never",
        "compared. What is usual in the healthy helps to read a number; it is never a rule of the program.",
    ]
    for group in GROUPS:
        lines += ["", f"## {group}"]
        for one in DEFINITIONS.values():
            if one.group == group:
                lines += ["", *_entry(one)]
    return "\n".join(lines) + "\n"


def _entry(one: Definition) -> list[str]:
    unit = f" ({one.unit})" if one.unit else ""
    lines = [f"### `{one.id}` {one.title}{unit}", "", f"{one.words[:1].upper()}{one.words[1:]}."]
    told = {"Sign": one.sign, "Usual": one.usual, "Source": one.source}
    many = "s" if one.points > 1 else ""
    points = [f"{one.points} point{many}, or as many landmarks by name"] if one.points else []
    facts = [f"{word}: {text}" for word, text in told.items() if text]
    facts += [f"Landmarks: {', '.join(one.landmarks)}"] if one.landmarks else [f"Takes: {t}" for t in points]
    facts += [
        f"Frame `{name}`: {frame.words}"
        + (f" (landmarks: {', '.join(frame.landmarks)})" if frame.landmarks else "")
        for name, frame in one.frames.items()
    ]
    if one.outputs:
        facts.append(f"Gives: {', '.join(one.outputs)}")
    return [*lines, *([""] if facts else []), *(f"- {fact}" for fact in facts)]
