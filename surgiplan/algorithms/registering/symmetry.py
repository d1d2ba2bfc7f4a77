"""The plane of symmetry of a body, such as the midsagittal plane of a skull."""

from dataclasses import dataclass

import numpy as np

from ...errors import StepFailed
from ...progress import Report, part_of, silent
from ...values import IDENTITY, FloatArray, Part, Plane, vec3
from ..mirror import mirrored
from .surfaces import icp_point_to_plane

_ROUNDS = 3
_SKEW = np.cos(np.radians(30))  # a plane that leans farther from sagittal is not a midline of the patient


@dataclass(frozen=True)
class Symmetry:
    """Where a body is cut into like halves.

    plane: the plane of symmetry; its normal points to the left of the patient
    residual_mm: root mean square distance between the body and its mirror image, over the share that counts
    """

    plane: Plane
    residual_mm: float


def plane_of_symmetry(part: Part, trim: float = 0.8, report: Report = silent) -> Symmetry:
    """Find the midsagittal plane of a body that is nearly symmetrical, such as a skull or a pelvis.

    The body is mirrored at a first plane and brought onto itself by its surface; mirror and motion together
    are the reflection at the plane sought (as in Benz et al. 2002). What has no counterpart on the other
    side, such as a defect, does not count.

    part: the body, both sides of it, at its pose in patient LPS mm, the patient lying roughly straight
    trim: share of the surface that has a counterpart on the other side, 0 to 1
    report: told the progress; may raise Cancelled
    Raises StepFailed for an empty part and when the symmetry found is not that of left and right.
    """
    if not len(part.mesh.triangles):
        raise StepFailed("There is no body to find the symmetry of: choose a part with triangles.")
    corners = part.points_lps[part.mesh.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    middle = area @ corners.mean(axis=1) / area.sum()
    plane, residual = Plane(vec3(middle), (1.0, 0.0, 0.0)), np.inf
    for n in range(_ROUNDS):
        told = part_of(report, n / _ROUNDS, (n + 1) / _ROUNDS)
        motion, residual = icp_point_to_plane(mirrored(part, plane), part, IDENTITY, trim, report=told)
        plane = _reflection(plane, motion.rotation, motion.shift, middle)
    if plane.normal[0] < _SKEW:
        degrees = float(np.degrees(np.arccos(plane.normal[0])))
        raise StepFailed(
            f"The symmetry found leans {degrees:.0f} degrees from the plane between left and right, so it is "
            "not the midline. Choose a body with both sides, or lay the plane by hand."
        )
    return Symmetry(plane, residual)


def _reflection(plane: Plane, turn: FloatArray, shift: FloatArray, middle: FloatArray) -> Plane:
    """The plane whose reflection is nearest to a reflection at `plane` and a rigid motion after it."""
    normal = np.asarray(plane.normal)
    linear = turn @ (np.eye(3) - 2 * np.outer(normal, normal))
    values, vectors = np.linalg.eigh((linear + linear.T) / 2)
    found = vectors[:, int(values.argmin())]
    found = found if found[0] >= 0 else -found
    image = turn @ (middle - 2 * float(plane.distance(middle[None])[0]) * normal) + shift
    return Plane(vec3((middle + image) / 2), vec3(found))
