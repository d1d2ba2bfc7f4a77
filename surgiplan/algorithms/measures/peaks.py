"""Points of a bone found from how its surface rises and falls: the farthest one, a pass, a crest."""

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...values import FloatArray, vec3
from .fits import Fitted, Near, require_enough
from .vectors import placed

_ROUNDS = 40
_PATCH_MM = 6.0  # radius of what a patch of second order is fitted to
_BENT = 1e-4  # 1/mm; a patch that bends less than this is flat
_UPWARDS = 0.3  # cosine; what faces more away than this is another side of the bone
_BESIDE_MM = 2.5  # how far round a corner it is seen how sharply the surface is bent


def extreme(bone: Near, click: ArrayLike, direction: ArrayLike, reach_mm: float = 15.0) -> Fitted:
    """Find the point of a bone near a click that lies farthest in a direction.

    bone: the surface
    click: (3,) LPS mm
    direction: (3,) such as posterior
    reach_mm: it is looked for this far round the click
    From the highest corner the top of a patch of second order, fitted to the corners round it, is taken, so
    that single corners do not decide.
    """
    start = bone.on_surface(click)
    way = placed(direction)[0]
    way = way / np.linalg.norm(way)
    near = np.flatnonzero(bone.within(start, reach_mm))
    if not len(near):
        raise StepFailed("No corner of the surface lies near the click: click on the bone.")
    top = bone.points[near[int((bone.points[near] @ way).argmax())]]
    axes = _upright(way)
    chosen = bone.within(top, _PATCH_MM) & (bone.normals @ way > 0.8)
    centre = top
    off = 0.0
    if chosen.sum() >= 12:
        patch, off = _patch((bone.points[chosen] - top) @ axes.T)
        bend, slope = _shape(patch)
        if np.linalg.eigvalsh(bend).max() < -_BENT:  # it has a top
            at = np.linalg.solve(bend, -slope)
            if np.linalg.norm(at) <= _PATCH_MM:
                centre = top + np.array([*at, patch[0] + slope @ at / 2]) @ axes
    return Fitted(vec3(centre), None, 0.0, off, off, int(chosen.sum()))


def saddle(bone: Near, click: ArrayLike, direction: ArrayLike) -> Fitted:
    """Find the pass between two rises of a bone: lowest on the way from one to the other, highest across it.

    bone: the surface
    click: (3,) LPS mm, a few mm from it
    direction: (3,) towards which the bone rises, such as superior
    It is that of a patch of second order through the corners round it.
    Raises StepFailed when there is no pass near the click.
    """
    place, start = bone.on_surface(click), bone.on_surface(click)
    way = placed(direction)[0]
    axes = _upright(way / np.linalg.norm(way))
    for _ in range(_ROUNDS):
        chosen = bone.within(place, _PATCH_MM) & (bone.normals @ axes[2] > _UPWARDS)
        require_enough(chosen, "pass")
        patch, off = _patch((bone.points[chosen] - place) @ axes.T)
        bend, slope = _shape(patch)
        falls, rises = np.linalg.eigvalsh(bend)
        at = np.linalg.solve(bend, -slope) if falls < -_BENT and rises > _BENT else np.full(2, np.inf)
        if np.linalg.norm(place - start) > 2 * _PATCH_MM or not np.isfinite(at).all():
            raise StepFailed(
                "No pass between two rises is found here: click on the lowest place between them, in the "
                "middle of it, or place the landmark by hand."
            )
        at *= min(1.0, _PATCH_MM / 2 / max(float(np.linalg.norm(at)), 1e-9))
        place = place + np.array([*at, patch[0] + slope @ at + at @ bend @ at / 2]) @ axes
        if np.linalg.norm(at) < 0.01:
            break
    return Fitted(vec3(place), None, 0.0, off, off, int(chosen.sum()))


def _upright(way: FloatArray) -> FloatArray:
    """(3, 3) two directions across a unit vector, and itself."""
    u = np.cross(way, np.eye(3)[np.argmin(np.abs(way))])
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(way, u), way])


def _patch(points: FloatArray) -> tuple[FloatArray, float]:
    """The surface of second order, height over the first two axes, through points, and their rms off it."""
    a, b, height = points.T
    terms = np.stack([a**0, a, b, a * a, a * b, b * b], axis=1)
    patch, *_ = np.linalg.lstsq(terms, height, rcond=None)
    return patch, float(np.sqrt(np.mean((height - terms @ patch) ** 2)))


def _shape(patch: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How such a surface bends, and how it rises in its origin."""
    return np.array([[2 * patch[3], patch[4]], [patch[4], 2 * patch[5]]]), patch[1:3]


def ridge(bone: Near, click: ArrayLike, reach_mm: float = 5.0) -> Fitted:
    """Find the point of a bone near a click at which its surface is bent most sharply outwards.

    bone: the surface
    click: (3,) LPS mm
    reach_mm: it is looked for this far round the click
    """
    start = bone.on_surface(click)
    near = np.flatnonzero(bone.within(start, reach_mm))
    if not len(near):
        raise StepFailed("No corner of the surface lies near the click: click on the bone.")
    around = bone.points[bone.within(start, reach_mm + _BESIDE_MM)]
    bent = [_sharpness(around, bone.points[n], bone.normals[n]) for n in near]
    best = int(near[int(np.argmax(bent))])
    return Fitted(vec3(bone.points[best]), None, 0.0, 0.0, 0.0, 1)


def _sharpness(around: FloatArray, corner: FloatArray, normal: FloatArray) -> float:
    """How far the surface beside a corner falls below its tangent plane, on its steepest side, 1/mm."""
    away = around - corner
    squared = np.einsum("ni,ni->n", away, away)
    round_it = (squared <= _BESIDE_MM**2) & (squared > 0.05)
    if not round_it.any():
        return -np.inf
    falls = -2 * (away[round_it] @ normal) / squared[round_it]
    return float(np.percentile(falls, 75))
