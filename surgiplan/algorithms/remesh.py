"""A surface with triangles of one size."""

import numpy as np

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import FloatArray, Mesh, Part, given_away
from .border import border_of
from .change import require_closed, reworked
from .distance import SignedDistance
from .filters import run_apart
from .smooth import averaging, normals_of

_STEP = 1.12  # of the lattice, so that the mean edge comes out as asked once the corners are evenly spread
_ROUNDS = 12
_TOWARDS = 0.6  # share of the way to the middle of the neighbours
_MOST = 4_000_000  # places of the lattice


def remesh(part: Part, edge_mm: float, report: Report = silent) -> Part:
    """Give a closed shape a new net of triangles with edges of nearly one length.

    The shape is cut out of a lattice by its exact signed distance; then the corners are spread evenly along
    the surface and laid on the old one again, in turns. Edges and corners of the shape are rounded by about
    the edge length: the change says how far the new surface lies from the old one.

    part: the shape
    edge_mm: wanted edge length, mm
    report: told the progress; may raise Cancelled
    Raises StepFailed when the shape is not closed, is too large for so short edges, or its new surface has
        another number of parts and holes, as where a wall is thinner than an edge is long.
    """
    run_apart(lambda: require_closed(part), part_of(report, 0.0, 0.0), "Checking that the shape is closed")
    if not edge_mm > 0:
        raise StepFailed("An edge needs a length: give more than 0 mm.")
    mesh, step = part.mesh, _STEP * edge_mm
    low, high = mesh.bounds
    counts = np.ceil((high - low) / step).astype(np.int64) + 4
    if counts.prod() > _MOST:
        raise StepFailed(
            f"Edges of {edge_mm:g} mm are too short for a shape of "
            f"{np.ptp(mesh.bounds, axis=0).max():.0f} mm. Choose longer ones."
        )
    first = (low + high - (counts - 1) * step) / 2
    places = first + step * np.indices(counts).reshape(3, -1).T
    old = run_apart(lambda: SignedDistance(mesh), part_of(report, 0.0, 0.0), "Measuring distances")
    away = old.at(places, part_of(report, 0.0, 0.5)).reshape(counts)
    border = border_of(away.transpose(2, 1, 0) < 0)
    new = Mesh((first + step * border.middle_ijk).astype(np.float32), border.triangles)
    told = part_of(report, 0.5, 0.5)
    if run_apart(lambda: new.euler_number != mesh.euler_number, told, "Counting parts and holes"):
        raise StepFailed(
            f"With edges of {edge_mm:g} mm the shape would gain or lose parts or holes: it has walls or gaps "
            "thinner than that. Choose shorter edges."
        )
    new = _spread_evenly(new, old, part_of(report, 0.5, 0.8))
    counted = f"{len(mesh.triangles)} triangles made {len(new.triangles)}"
    made = f"{counted} with edges of {edges_mm(new).mean():.2f} mm"
    return reworked(part, new, [made], part_of(report, 0.8, 1.0))


def _spread_evenly(mesh: Mesh, old: SignedDistance, report: Report) -> Mesh:
    """Move the corners along the surface to the middle of their neighbours, and on to the old surface."""
    neighbours = averaging(mesh)
    points: FloatArray = mesh.points.astype(np.float64)
    for n in range(_ROUNDS):
        normals = normals_of(Mesh(points.astype(np.float32), mesh.triangles))
        way = neighbours @ points - points
        way -= np.einsum("ni,ni->n", way, normals)[:, None] * normals
        told = part_of(report, n / _ROUNDS, (n + 1) / _ROUNDS)
        points = old.nearest(points + _TOWARDS * way, told)
    return Mesh(given_away(points.astype(np.float32)), mesh.triangles)


def edges_mm(mesh: Mesh) -> FloatArray:
    """(m, 3) lengths of the edges of each triangle."""
    corners = mesh.points.astype(np.float64)[mesh.triangles]
    lengths: FloatArray = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    return lengths
