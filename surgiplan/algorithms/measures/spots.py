"""What is measured at one place of a surface: its curvature, and the wall below it."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...errors import StepFailed
from ...progress import Report, silent
from ...values import FloatArray, Measurement, Part, vec3
from ..distance import SignedDistance
from ..smooth import normals_of
from ..wall import thickness
from .paths import OFF_MM
from .vectors import placed

_ORDER = 4  # of the patch
_TERMS = (_ORDER + 1) * (_ORDER + 2) // 2
_SAME_SHEET = 0.3  # cosine; what faces more away than this is another side of a thin wall


def curvature(part: Part, place: ArrayLike, radius_mm: float, kind: Literal["mean", "gauss"]) -> Measurement:
    """Measure how much a surface is bent at a place.

    A patch of fourth order is fitted to the corners of the surface round the place (least squares in the
    frame of its tangent plane, the nearer ones count more); its first and second fundamental forms give
    the curvature.

    part: a part that faces outwards
    place: (3,) LPS mm, on the surface
    radius_mm: corners up to this far away count
    kind: "mean" is half the sum of the two principal curvatures, "gauss" their product
    Raises StepFailed when fewer than twice as many corners lie there as the patch has terms.
    """
    points, normals = part.points_lps, normals_of(part.mesh) @ part.pose.rotation.T
    centre, nearest = _on_surface(part, place)
    away = points - centre
    squared = np.einsum("ni,ni->n", away, away)
    chosen = (squared <= radius_mm**2) & (normals @ normals[nearest] > _SAME_SHEET)
    if (count := int(chosen.sum())) < 2 * _TERMS:
        raise StepFailed(
            f"Only {count} corners of the surface lie within {radius_mm:g} mm, {2 * _TERMS} are needed: "
            "enlarge the radius, or use a finer surface."
        )
    axes = _tangent(normals[nearest])
    u, v, height = axes @ (away[chosen] / radius_mm).T
    powers = [(m - n, n) for m in range(_ORDER + 1) for n in range(m + 1)]
    terms = np.stack([u**m * v**n for m, n in powers], axis=1)
    weight = 1 - squared[chosen] / radius_mm**2  # the centre counts most: a patch is true only near it
    terms, height = terms * weight[:, None], height * weight
    fitted, *_ = np.linalg.lstsq(terms, height, rcond=None)
    off = height - terms @ fitted
    spread = np.linalg.pinv(terms.T @ terms) * float(off @ off) / max(count - _TERMS, 1)
    value = _bent(fitted, kind)
    slopes = np.array([(_bent(fitted + step, kind) - value) / 1e-6 for step in np.eye(_TERMS) * 1e-6])
    error = float(np.sqrt(max(slopes @ spread @ slopes, 0.0)))
    scale = radius_mm if kind == "mean" else radius_mm**2
    words = {
        "mean": "mean curvature: half the sum of the two principal curvatures",
        "gauss": "Gaussian curvature: the product of the two principal curvatures",
    }
    return Measurement(
        value=value / scale,
        unit="1/mm" if kind == "mean" else "1/mm2",
        definition=f"{words[kind]}, of a patch of fourth order fitted to the surface within {radius_mm:g} mm",
        points_lps=(vec3(centre),),
        frame_uid=part.frame_uid,
        expected_error=error / scale,
        id=f"curvature-{kind}",
        sign="positive where the surface bulges out"
        if kind == "mean"
        else "positive where it is bent like a ball, negative like a saddle",
    )


def _bent(patch: FloatArray, kind: str) -> float:
    """Curvature of the patch in its origin; positive where it bends away from the normal."""
    _, p, q, r, s, t = patch[:6]
    e, f, g = 1 + p * p, p * q, 1 + q * q
    root = np.sqrt(1 + p * p + q * q)
    big_l, big_m, big_n = 2 * r / root, s / root, 2 * t / root
    if kind == "gauss":
        return float((big_l * big_n - big_m**2) / (e * g - f * f))
    return float(-(e * big_n - 2 * f * big_m + g * big_l) / (2 * (e * g - f * f)))


def _tangent(normal: FloatArray) -> FloatArray:
    """(3, 3) rows: two tangents and the normal."""
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first), normal])


def _on_surface(part: Part, place: ArrayLike) -> tuple[FloatArray, int]:
    """The place of the surface nearest to a point, LPS mm, and the corner nearest to that."""
    given = placed(place)
    on_it: FloatArray = part.pose.apply(SignedDistance(part.mesh).nearest(part.pose.inverse.apply(given)))[0]
    off = float(np.linalg.norm(on_it - given[0]))
    if off > OFF_MM:
        raise StepFailed(
            f"The point lies {off:.1f} mm off the surface, {OFF_MM:g} mm at most are taken: place it on the "
            "surface."
        )
    return on_it, int(np.square(part.points_lps - on_it).sum(axis=1).argmin())


def wall(part: Part, place: ArrayLike, reach_mm: float, report: Report = silent) -> Measurement:
    """Measure the wall under a place of a surface.

    part: a closed part
    place: (3,) LPS mm, on the surface
    reach_mm: walls thicker than this are not looked for
    report: told the progress; may raise Cancelled
    The thickness of algorithms/wall at the nearest corner of the surface: of the ball that touches both
    sides. Raises StepFailed when there is no wall within reach.
    """
    _, nearest = _on_surface(part, place)
    found = float(thickness(part.mesh, reach_mm, report, only=np.array([nearest]))[0])
    if not np.isfinite(found):
        raise StepFailed(
            f"There is no wall thinner than {reach_mm:g} mm at this place: raise the reach, or place the "
            "point elsewhere."
        )
    at = part.points_lps[nearest]
    inwards = -(normals_of(part.mesh)[nearest] @ part.pose.rotation.T)
    return Measurement(
        value=found,
        unit="mm",
        definition="thickness of the wall: of the ball that touches the surface here and the other side",
        points_lps=(vec3(at),),
        frame_uid=part.frame_uid,
        expected_error=None if part.deviation is None else part.deviation.edge_mean_mm,
        id="wall",
        lines_lps=((vec3(at), vec3(at + found * inwards)),),
    )
