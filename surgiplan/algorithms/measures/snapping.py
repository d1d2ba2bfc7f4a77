"""What a click near a landmark is drawn to."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import Part, Vec3, vec3
from . import faces, fits, peaks
from .templates import Mark

_WAYS: dict[str, Vec3] = {
    "anterior": (0.0, -1.0, 0.0),
    "posterior": (0.0, 1.0, 0.0),
    "superior": (0.0, 0.0, 1.0),
    "inferior": (0.0, 0.0, -1.0),
    "left": (1.0, 0.0, 0.0),
    "right": (-1.0, 0.0, 0.0),
}


def snapped(part: Part, click: ArrayLike, snap: str, side: str = "") -> fits.Fitted:
    """Draw a click to what a landmark means.

    part: the bone
    click: (3,) LPS mm
    snap: how, as a template has it: "surface", "sphere", "shaft", "neck", "inside", "ridge", or
        "extreme", "saddle" or "middle" with a direction, or "between" with a direction and a reach in mm
    side: "left" or "right", which medial and lateral go by
    Raises StepFailed when nothing of that kind is found near the click.
    """
    return _snapped(_near(part), click, snap, side)


def _near(part: Part) -> fits.Near:
    if not len(part.mesh.triangles):
        raise StepFailed("There is no surface to snap to: the body is empty.")
    return fits.Near(part)


def _snapped(bone: fits.Near, click: ArrayLike, snap: str, side: str) -> fits.Fitted:
    kind, way, reach = (*snap.split(), "", "")[:3]
    if kind == "sphere":
        return fits.sphere(bone, click)
    if kind == "shaft":
        return fits.shaft(bone, click)
    if kind == "neck":
        return fits.neck(bone, click)
    if kind == "inside":
        return fits.inside(bone, click)
    if kind == "ridge":
        return peaks.ridge(bone, click)
    if kind == "extreme":
        return peaks.extreme(bone, click, direction(way, side))
    if kind == "saddle":
        return peaks.saddle(bone, click, direction(way, side))
    if kind == "middle":
        return faces.middle(bone, click, direction(way, side))
    if kind == "between":
        return faces.between(bone, click, direction(way, side), float(reach))
    return fits.Fitted(vec3(bone.on_surface(click)), None, 0.0, 0.0, 0.0, 0)


def snap_all(
    part: Part, clicks: Mapping[Mark, Vec3], side: str = "", report: Report = silent
) -> dict[Mark, fits.Fitted]:
    """Draw several clicks to what their landmarks mean.

    part: the bone
    clicks: LPS mm
    side: "left" or "right", which medial and lateral go by
    report: told the progress; may raise Cancelled
    Raises StepFailed, naming the landmark, when nothing of its kind is found near its click.
    """
    bone, found = _near(part), {}
    for n, (mark, click) in enumerate(clicks.items()):
        report(n / len(clicks), "Looking for the landmarks")
        try:
            found[mark] = _snapped(bone, click, mark.snap, side)
        except StepFailed as problem:
            raise StepFailed(f"{mark.name}: {problem}") from problem
    return found


def direction(word: str, side: str) -> Vec3:
    """The unit direction of a word such as "posterior", LPS; medial and lateral go by the side."""
    if word in ("medial", "lateral"):
        if side not in ("left", "right"):
            raise StepFailed(f"{word} has no direction while the side is not known: choose left or right")
        other = "right" if side == "left" else "left"
        word = side if word == "lateral" else other
    if word not in _WAYS:
        raise StepFailed(f"{word!r} is no direction; one of {', '.join(_WAYS)}, medial and lateral is")
    return vec3(np.asarray(_WAYS[word]))
