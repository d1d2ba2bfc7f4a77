"""The skull: SNA, SNB and ANB, and the volume of the orbit."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from ...errors import StepFailed
from ...values import FloatArray, Plane, vec3
from .bodies import require_volume, volume_behind
from .definition import Definition, Frame, Reading, Spot, from_landmarks
from .vectors import across, between, line

GROUP = "Skull"
_FRANKFORT = ("left_orbitale", "right_orbitale", "left_porion", "right_porion")
_SECOND = {"fh-sella": "sella", "fh-basion": "basion", "fh-opisthion": "opisthion"}
_MIDSAGITTAL = {
    "space": Frame("angles in space, not projected"),
    **{
        name: Frame(
            f"projected on the midsagittal plane through nasion and {second}, at right angles to the "
            "Frankfort plane (both orbitalia, middle of the porions)",
            (*_FRANKFORT, second),
        )
        for name, second in _SECOND.items()
    },
}
_STEINER = "Steiner, Am J Orthod 1953"


def frankfort_normal(at: Mapping[str, FloatArray]) -> FloatArray:
    """(3,) unit normal, upwards, of the plane through both orbitalia and the middle of the porions."""
    left, right, left_porion, right_porion = (at[name] for name in _FRANKFORT)
    back = (left_porion + right_porion) / 2
    normal = np.cross(left - back, right - back)
    length = float(np.linalg.norm(normal))
    if length < 1e-6:
        raise StepFailed(
            "Both orbitalia and the middle of the porions lie on one line: there is no Frankfort plane."
        )
    return -normal / length


def _to_point(spot: Spot, names: tuple[str, ...]) -> list[FloatArray]:
    """The lines from the nasion to landmarks, in space or in the midsagittal plane."""
    nasion = spot.at["nasion"]
    ways = [line(nasion, spot.at[name], f"line from nasion to {name}") for name in names]
    if spot.frame == "space":
        return ways
    second = _SECOND[spot.frame]
    up = frankfort_normal(spot.at)
    aside = across(np.cross(line(nasion, spot.at[second], "midsagittal plane"), up), up, "midsagittal plane")
    return [way - (way @ aside) * aside for way in ways]


def _lines(spot: Spot, *names: str) -> tuple[FloatArray, ...]:
    return tuple(np.stack([spot.at["nasion"], spot.at[name]]) for name in names)


def _at_nasion(point: str) -> Callable[[Spot], Reading]:
    def read(spot: Spot) -> Reading:
        sella, other = _to_point(spot, ("sella", point))
        return Reading(math.degrees(between(sella, other)), _lines(spot, "sella", point))

    return read


def _anb(spot: Spot) -> Reading:
    sella, a, b = _to_point(spot, ("sella", "a_point", "b_point"))
    value = math.degrees(between(sella, a) - between(sella, b))
    return Reading(value, _lines(spot, "a_point", "b_point"))


def rim_plane(spot: Spot) -> Plane:
    """The plane nearest to the four points of the rim (least squares); its normal leaves the orbit."""
    rim = np.array([spot.at[name] for name in _RIM])
    middle = rim.mean(axis=0)
    *_, axes = np.linalg.svd(rim - middle)
    normal = axes[2]
    if (spot.at["optic_canal"] - middle) @ normal > 0:
        normal = -normal
    return Plane(vec3(middle), vec3(normal))


_RIM = ("rim_superior", "rim_medial", "rim_inferior", "rim_lateral")


def _orbit(spot: Spot) -> Reading:
    if spot.part is None:
        raise StepFailed("The volume of an orbit needs a part: choose the body of what lies in the orbit.")
    require_volume(spot.part.mesh)
    rim = np.array([spot.at[name] for name in (*_RIM, _RIM[0])])
    return Reading(volume_behind(spot.part, rim_plane(spot)), (rim,))


def _definition(
    name: str,
    title: str,
    words: str,
    points: tuple[str, ...],
    read: Callable[[Spot], Reading],
    usual: str,
) -> Definition:
    return from_landmarks(
        f"skull.{name}",
        title,
        GROUP,
        "deg",
        words,
        ("nasion", *points),
        read,
        frames=_MIDSAGITTAL,
        sign="positive when A lies in front of B" if name == "anb" else "",
        source=_STEINER,
        usual=usual,
    )


SKULL = (
    _definition(
        "sna",
        "SNA",
        "angle at nasion between sella and A",
        ("sella", "a_point"),
        _at_nasion("a_point"),
        "82 ± 2 degrees",
    ),
    _definition(
        "snb",
        "SNB",
        "angle at nasion between sella and B",
        ("sella", "b_point"),
        _at_nasion("b_point"),
        "80 ± 2 degrees",
    ),
    _definition("anb", "ANB", "SNA minus SNB", ("sella", "a_point", "b_point"), _anb, "2 ± 2 degrees"),
    from_landmarks(
        "orbit.volume",
        "Volume of the orbit",
        GROUP,
        "mm3",
        "volume of the body behind the closing surface of the orbit: the plane nearest to four points of its "
        "rim (least squares)",
        (*_RIM, "optic_canal"),
        _orbit,
        frames={"rim-plane": Frame("closed by the plane of the rim")},
        sided=True,
        body=True,
        source="closure stated as Wi et al. ask for",
        usual="25.2 to 26.6 mL; left and right differ by 0.44 mL on average",
    ),
)
