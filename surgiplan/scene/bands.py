"""The band round a cut or a trajectory in which it is likely to come to lie."""

import numpy as np

from ..plan.plan import Step
from ..values import IDENTITY, FloatArray, Mesh, Tolerance
from .items import Colour, Surface

SAFE, DOUBTFUL, RISKY = "#009E73", "#F0E442", "#D55E00"  # colours of Okabe and Ito
_DOUBTFUL_CHANCE, _RISKY_CHANCE = 0.05, 0.2
_LINE_95, _DISC_95 = 1.960, 2.448  # within so many deviations lie 95 %, along a line and in a plane
_FACETS, _RINGS, _SLACK = 64, 24, 1.15
_OPACITY = 0.3


def tolerance_severity(found: Tolerance) -> str:
    """How grave: danger when more than one trial in 5 misses what is wanted, warning for one in 20."""
    chance = max(found.short_chance, found.deep_chance)
    return "danger" if chance > _RISKY_CHANCE else "warning" if chance > _DOUBTFUL_CHANCE else "info"


def margin_text(found: Tolerance) -> str:
    """The margin as planned and where it lies in nine of ten trials, for a picture."""
    return f"margin {found.margin_mm:.1f} mm ({found.margin_p5_mm:.1f} to {found.margin_p95_mm:.1f})"


def tolerance_text(step: Step, found: Tolerance) -> str:
    """The margin as planned, where it lies in nine of ten trials, and the chances."""
    body = str(step.references["body"][0])
    text = (
        f"{body}: margin {found.margin_mm:.1f} mm as planned, {found.margin_p5_mm:.1f} to "
        f"{found.margin_p95_mm:.1f} mm in 90 % of trials; below {found.least_margin_mm:g} mm in "
        f"{_percent(found.short_chance)}"
    )
    return f"{text}, breach above {found.most_breach_mm:g} mm in {_percent(found.deep_chance)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def band(name: str, found: Tolerance, chosen: bool) -> Surface:
    """A see-through body in which the kerf, or the screw, lies in 95 % of the trials.

    Round a cut it is a slab that is thicker at the rim, for a tilt counts more there; round a trajectory it
    widens towards the tip.
    """
    colours: dict[str, Colour] = {"danger": RISKY, "warning": DOUBTFUL, "info": SAFE}
    mesh = revolved(_profile(found), np.asarray(found.from_lps), np.asarray(found.along))
    return Surface(name, mesh, IDENTITY, colours[tolerance_severity(found)], _OPACITY, chosen=chosen)


def _profile(found: Tolerance) -> FloatArray:
    """(n, 2) radius and height of the band, from one pole to the other."""
    turn = np.radians(found.angle_sd_deg)

    def deviation(lever: FloatArray) -> FloatArray:
        both: FloatArray = np.hypot(found.place_sd_mm, lever * turn)
        return both

    if found.length_mm > 0:
        heights = np.linspace(0.0, found.length_mm, _RINGS)
        radii = found.half_mm + _DISC_95 * deviation(heights)
        return np.vstack([[0.0, 0.0], np.stack([radii, heights], axis=1), [0.0, found.length_mm]])
    radii = np.linspace(0.0, found.reach_mm * _SLACK, _RINGS)
    half = found.half_mm + _LINE_95 * deviation(radii)
    under, over = np.stack([radii, -half], axis=1), np.stack([radii, half], axis=1)
    return np.vstack([under, over[::-1]])


def revolved(profile: FloatArray, origin: FloatArray, axis: FloatArray) -> Mesh:
    """A closed body from a profile turned about an axis.

    profile: (n, 2) radius and height in mm, from the lower pole to the upper; both have radius 0
    origin, axis: a point on the axis and its direction (a unit vector), LPS
    """
    first = np.eye(3)[int(np.argmin(np.abs(axis)))]
    first = first - axis * (first @ axis)
    first /= np.linalg.norm(first)
    angles = np.linspace(0, 2 * np.pi, _FACETS, endpoint=False)
    around = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * np.cross(axis, first)
    rings = [origin + height * axis + radius * around for radius, height in profile[1:-1]]
    poles = [origin + height * axis for _, height in profile[[0, -1]]]
    points = np.vstack([poles[0], *rings, poles[1]])
    here = np.arange(_FACETS)
    there, last = (here + 1) % _FACETS, len(points) - 1
    starts = 1 + _FACETS * np.arange(len(rings) - 1)[:, None]
    a, b, c, d = starts + here, starts + there, starts + _FACETS + there, starts + _FACETS + here
    sides = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    top = last - _FACETS
    bottom = np.stack([0 * here, 1 + there, 1 + here], -1)
    lid = np.stack([0 * here + last, top + here, top + there], -1)
    return Mesh(points, np.concatenate([bottom, sides, lid]))
