"""The mirror image of a body."""

import numpy as np

from ..values import Mesh, Part, Plane, given_away


def mirrored(part: Part, plane: Plane) -> Part:
    """Make the mirror image of a part, such as the healthy side laid over the injured one.

    part: the shape, at its pose
    plane: where the mirror stands, LPS mm
    Returns a new shape in patient coordinates with an identity pose; its triangles are turned round so that
    outside stays outside.
    """
    points = part.points_lps
    reflected = points - 2 * plane.distance(points)[:, None] * np.asarray(plane.normal)
    triangles = np.ascontiguousarray(part.mesh.triangles[:, ::-1])
    mesh = Mesh(given_away(reflected.astype(np.float32)), given_away(triangles))
    return Part(mesh, frame_uid=part.frame_uid)
