"""Broken surfaces made closed solids: each repair is named, none is silent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from ..errors import StepFailed
from ..progress import Report, part_of, silent
from ..values import FloatArray, IntArray, Mesh, Part, given_away
from .change import reworked
from .crossing import crossings
from .distance import SignedDistance
from .filters import run_apart
from .solid import solid

_TRIES = 8
_MOST_LOST = 0.05  # share of the volume that closing over crossings may change
_EXACTLY = 80  # corners of the largest hole that is closed by the smallest area; larger ones get a middle


@dataclass
class _Patient:
    """A surface under repair.

    points: (n, 3) mm
    triangles: (m, 3)
    done: what was done to it, in words
    """

    points: FloatArray
    triangles: IntArray
    done: list[str] = field(default_factory=list)

    def keep(self, rows: np.ndarray) -> None:
        self.triangles = self.triangles[rows]

    def note(self, count: int, one: str, many: str, more: str = "") -> None:
        """Name a repair, unless there was nothing to repair."""
        if count:
            self.done.append(f"{count} {one if count == 1 else many}{more}")


def repair(part: Part, smallest: float = 0.001, report: Report = silent) -> Part:
    """Make a closed solid of a broken surface, and name all that was done.

    In this order: joins equal corners; takes away flat, doubled and surplus triangles; takes away small
    parts; turns flipped triangles; closes holes (by the smallest area, as Barequet and Sharir 1995); turns
    parts that face inwards, unless they bound a cavity; joins closed parts that run through each other; and
    cuts out places where the surface runs through itself and closes them again. A shape without a fault
    comes back as it was.

    part: the shape
    smallest: parts with a smaller share (0 to 1) of the area of the largest part are taken away
    report: told the progress; may raise Cancelled
    Raises StepFailed when there is nothing left, or what is left is still no clean solid.
    """
    if not len(part.mesh.triangles):
        raise StepFailed("There is nothing to repair: the shape has no triangles. Choose another one.")
    one = _Patient(part.mesh.points.astype(np.float64), part.mesh.triangles)
    small = partial(_take_away_small, smallest=smallest)
    for mend in (_join_corners, _take_away_surplus, small, _turn_triangles, _close_holes, _turn_parts):
        run_apart(partial(mend, one), part_of(report, 0.0, 0.0), "Mending corners, triangles and holes")
    _join_overlapping(one, part_of(report, 0.0, 0.2))
    _cut_out_crossings(one, part_of(report, 0.2, 0.6))
    if not one.done:
        return part
    return reworked(part, _mesh(one), one.done, part_of(report, 0.6, 1.0))


def _mesh(one: _Patient) -> Mesh:
    used, numbers = np.unique(one.triangles, return_inverse=True)
    triangles = numbers.reshape(-1, 3).astype(np.int32)
    return Mesh(given_away(one.points[used].astype(np.float32)), given_away(triangles))


def _join_corners(one: _Patient) -> None:
    """Give equal corners one number."""
    _, first, number = np.unique(one.points, axis=0, return_index=True, return_inverse=True)
    joined = len(one.points) - len(first)
    if joined:
        one.points, one.triangles = one.points[first], number.ravel()[one.triangles].astype(np.int32)
        one.note(joined, "corner joined to an equal one", "corners joined to equal ones")


def _take_away_surplus(one: _Patient) -> None:
    """Take away triangles without an area, doubled ones, and those at edges with more than two."""
    turned = np.roll(one.triangles, -1, axis=1)
    flat = (one.triangles == turned).any(axis=1)
    one.keep(~flat)
    one.note(int(flat.sum()), "flat triangle taken away", "flat triangles taken away")
    _, first = np.unique(np.sort(one.triangles, axis=1), axis=0, return_index=True)
    doubled = len(one.triangles) - len(first)
    one.keep(np.sort(first))
    one.note(doubled, "doubled triangle taken away", "doubled triangles taken away")
    _, edge, count = _edges(one.triangles)
    crowded = (count[edge] > 2).any(axis=1)
    one.keep(~crowded)
    many = int(crowded.sum())
    one.note(many, "triangle", "triangles", " at edges of more than two triangles taken away")
    _require_some(one)


def _take_away_small(one: _Patient, smallest: float) -> None:
    label = _parts(one.triangles)
    corners = one.points[one.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    areas = np.bincount(label, area) / 2
    small = areas < smallest * areas.max()
    one.keep(~small[label])
    more = f" taken away ({areas[small].sum():.1f} mm² in all)"
    one.note(int(small.sum()), "small part", "small parts", more)


def _turn_triangles(one: _Patient) -> None:
    """Make all triangles of a part run round the same way as most of them by area."""
    _, edge, count = _edges(one.triangles)
    forth = one.triangles < np.roll(one.triangles, -1, axis=1)
    order = np.argsort(edge.ravel(), kind="stable")
    both = order[np.repeat(count == 2, count)].reshape(-1, 2)
    a, b = both.T // 3
    unlike = forth.ravel()[both[:, 0]] == forth.ravel()[both[:, 1]]  # both run the edge the same way
    size = len(one.triangles)
    graph = coo_array((np.where(unlike, 2, 1), (a, b)), shape=(size, size)).tocsr()
    graph = graph + graph.T
    label = connected_components(graph, directed=False)[1]
    flip = np.zeros(size, np.bool_)
    for start in np.unique(label, return_index=True)[1]:
        row, before = breadth_first_order(graph, start, directed=False)
        for this in row[1:]:
            flip[this] = flip[before[this]] ^ (graph[this, before[this]] == 2) if unlike.any() else False
        if not unlike.any():
            break
    mostly = np.bincount(label, flip) > np.bincount(label) / 2
    flip ^= mostly[label]
    one.triangles = np.where(flip[:, None], one.triangles[:, ::-1], one.triangles)
    one.note(int(flip.sum()), "flipped triangle turned", "flipped triangles turned")


def _close_holes(one: _Patient) -> None:
    """Give bow ties a corner for each side, then close each ring of open edges."""
    _split_corners(one)
    lengths = []
    for ring in _rings(one.triangles):
        around = one.points[ring]
        lengths.append(float(np.linalg.norm(np.roll(around, -1, axis=0) - around, axis=1).sum()))
        if len(ring) > _EXACTLY:
            middle = len(one.points)
            one.points = np.vstack([one.points, around.mean(axis=0)])
            lid = np.stack([ring, np.roll(ring, -1), np.full(len(ring), middle)], axis=1)
        else:
            lid = ring[_smallest_lid(around)]
        one.triangles = np.concatenate([one.triangles, lid.astype(np.int32)])
    if lengths:
        longest = max(lengths)
        one.note(len(lengths), "hole closed", "holes closed", f" (the largest {longest:.1f} mm round)")


def _turn_parts(one: _Patient) -> None:
    """Turn closed parts that face inwards, unless another part encloses them: those bound a cavity."""
    label = _parts(one.triangles)
    turned = 0
    pieces = [one.triangles[label == n] for n in range(label.max() + 1)]
    meshes = [Mesh(one.points.astype(np.float32), piece) for piece in pieces]
    for n, mesh in enumerate(meshes):
        if mesh.volume_mm3 >= 0:
            continue
        place = one.points[pieces[n][0, :1]]
        around = [m for m in meshes if m is not mesh and abs(m.volume_mm3) > abs(mesh.volume_mm3)]
        enclosed = sum(bool(SignedDistance(_outward(other)).at(place)[0] < 0) for other in around)
        if enclosed % 2 == 0:
            pieces[n] = pieces[n][:, ::-1]
            turned += 1
    one.triangles = np.concatenate(pieces)
    one.note(turned, "part that faced inwards turned", "parts that faced inwards turned")


def _outward(mesh: Mesh) -> Mesh:
    return mesh if mesh.volume_mm3 > 0 else Mesh(mesh.points, mesh.triangles[:, ::-1])


def _join_overlapping(one: _Patient, report: Report) -> None:
    """Make one body of closed parts that run through each other."""
    label = _parts(one.triangles)
    pairs = crossings(Mesh(one.points.astype(np.float32), one.triangles), report)
    if not (label[pairs[:, 0]] != label[pairs[:, 1]]).any():
        return
    overlapping = np.unique(label[pairs])
    middle = one.points.mean(axis=0)
    whole = None
    for n in overlapping:
        mesh = _mesh(_Patient(one.points, one.triangles[label == n]))
        if not mesh.watertight or mesh.volume_mm3 <= 0:
            return
        body = solid(mesh, mesh.points - middle, "a part of the shape")
        whole = body if whole is None else whole + body
    assert whole is not None
    raw = whole.to_mesh64()
    one.keep(~np.isin(label, overlapping))
    added = raw.tri_verts.astype(np.int32) + len(one.points)
    one.points = np.vstack([one.points, raw.vert_properties[:, :3] + middle])
    one.triangles = np.concatenate([one.triangles, added])
    one.done.append(f"{len(overlapping)} parts that ran through each other joined")


def _cut_out_crossings(one: _Patient, report: Report) -> None:
    """Take away triangles that run through others, with a wider rim each time, and close the holes."""
    first, before = None, _mesh(one).volume_mm3
    for n in range(_TRIES):
        told = part_of(report, n / _TRIES, (n + 1) / _TRIES)
        pairs = crossings(Mesh(one.points.astype(np.float32), one.triangles), told)
        if not len(pairs):
            break
        first = first or len(pairs)
        bad = np.zeros(len(one.triangles), np.bool_)
        bad[pairs.ravel()] = True
        for _ in range(n):
            touched = np.zeros(len(one.points), np.bool_)
            touched[one.triangles[bad]] = True
            bad |= touched[one.triangles].any(axis=1)
        one.keep(~bad)
        _require_some(one)
        for mend in (partial(_take_away_small, smallest=1e-3), _close_holes):
            run_apart(partial(mend, one), part_of(told, 1.0, 1.0), "Closing what was cut out")
    if first:
        one.note(first, "place", "places", " where the surface ran through itself cut out and closed")
        now = _mesh(one).volume_mm3
        if abs(now / before - 1) > _MOST_LOST:
            raise StepFailed(
                f"The shape runs through itself in {first} places and would lose its form: "
                f"{before:.0f} mm³ became {now:.0f}. Make its surface again from the scan, or choose another."
            )


def _require_some(one: _Patient) -> None:
    if not len(one.triangles):
        raise StepFailed("Nothing is left of the shape: all its triangles were faulty. Choose another one.")


def _edges(triangles: IntArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The edges, the number (m, 3) of that which begins at each corner, and how many triangles each has."""
    ends = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2), axis=2).astype(np.int64)
    key = ends[..., 0] * (int(triangles.max()) + 1) + ends[..., 1]
    found, edge, count = np.unique(key, return_inverse=True, return_counts=True)
    return found, edge.reshape(-1, 3), count


def _parts(triangles: IntArray) -> np.ndarray:
    """(m,) the number of the part that each triangle belongs to: those joined by edges."""
    edge = _edges(triangles)[1]
    rows = np.repeat(np.arange(len(triangles)), 3)
    size = len(triangles)
    graph = coo_array((np.ones(3 * size), (rows, size + edge.ravel())), shape=(size + edge.max() + 1,) * 2)
    label = connected_components(graph, directed=False)[1][:size]
    return np.unique(label, return_inverse=True)[1].ravel()


def _split_corners(one: _Patient) -> None:
    """Give a corner as many copies as fans of triangles meet in it."""
    _, edge, count = _edges(one.triangles)
    order = np.argsort(edge.ravel(), kind="stable")
    both = order[np.repeat(count == 2, count)].reshape(-1, 2)
    size = 3 * len(one.triangles)
    following = np.arange(size).reshape(-1, 3)[:, [1, 2, 0]].ravel()
    a, b = both.T  # the corner where a begins is the one where b ends
    rows, columns = np.concatenate([a, following[a]]), np.concatenate([following[b], b])
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    count_, label = connected_components(graph, directed=False)
    used = len(np.unique(one.triangles))
    if count_ != used:
        points = np.empty((count_, 3))
        points[label] = one.points[one.triangles.ravel()]
        one.points, one.triangles = points, label.reshape(-1, 3).astype(np.int32)
        one.note(count_ - used, "corner split", "corners split", " where parts met in a point")


def _rings(triangles: IntArray) -> Iterator[np.ndarray]:
    """The rings of open edges, each in the order in which the closing triangles must run."""
    _, edge, count = _edges(triangles)
    open_ = count[edge] == 1
    start, end = triangles[open_], np.roll(triangles, -1, axis=1)[open_]
    after = dict(zip(end.tolist(), start.tolist(), strict=True))
    while after:
        first, ring = next(iter(after)), []
        here = first
        while here in after:
            ring.append(here)
            here = after.pop(here)
        yield np.array(ring)


def _smallest_lid(around: FloatArray) -> np.ndarray:
    """Triangles (n - 2, 3) over a ring of corners (n, 3) with the smallest area of all."""
    n = len(around)
    cost, split = np.zeros((n, n)), np.zeros((n, n), np.int64)
    for width in range(2, n):
        for i in range(n - width):
            k = i + width
            m = np.arange(i + 1, k)
            area = np.linalg.norm(np.cross(around[m] - around[i], around[k] - around[i]), axis=1) / 2
            whole = cost[i, m] + cost[m, k] + area
            best = int(whole.argmin())
            cost[i, k], split[i, k] = whole[best], m[best]
    found, open_ = list[tuple[int, int, int]](), [(0, n - 1)]
    while open_:
        i, k = open_.pop()
        if k - i >= 2:
            middle = int(split[i, k])
            found.append((i, middle, k))
            open_ += [(i, middle), (middle, k)]
    return np.array(found).reshape(-1, 3)
