from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgiplan.values import IDENTITY, Mesh, Part, Pose
from tests.values.samples import FRAME, part, poses, tetra

EMPTY = Mesh(np.zeros((0, 3)), np.zeros((0, 3)))


def rolled(rows: int, columns: int) -> np.ndarray:
    """Triangles of a sheet of points that closes on itself both ways."""
    r, c = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    here, right = r * columns + c, r * columns + (c + 1) % columns
    below, across = (r + 1) % rows * columns + c, (r + 1) % rows * columns + (c + 1) % columns
    corners = np.stack([here, below, across, here, across, right], axis=-1)
    return corners.reshape(-1, 3).astype(np.int32)


def torus(ring: float = 20.0, tube: float = 6.0, rows: int = 240, columns: int = 120) -> Mesh:
    u = np.linspace(0, 2 * np.pi, rows, endpoint=False)[:, None]
    v = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    away = ring + tube * np.cos(v)
    points = np.stack([away * np.cos(u), away * np.sin(u), tube * np.sin(v) + 0 * u], axis=-1).reshape(-1, 3)
    return Mesh((points + np.array((300, -845, 1204))).astype(np.float32), rolled(rows, columns))


def sphere(radius: float = 20.0, halvings: int = 5) -> Mesh:
    """An octahedron, halved and blown up."""
    points = [*np.eye(3), *-np.eye(3)]
    triangles = [(0, 1, 2), (1, 3, 2), (3, 4, 2), (4, 0, 2), (1, 0, 5), (3, 1, 5), (4, 3, 5), (0, 4, 5)]
    for _ in range(halvings):
        middles: dict[tuple[int, int], int] = {}

        def middle(a: int, b: int, known: dict[tuple[int, int], int] = middles) -> int:
            edge = (min(a, b), max(a, b))
            if edge not in known:
                known[edge] = len(points)
                points.append((points[a] + points[b]) / np.linalg.norm(points[a] + points[b]))
            return known[edge]

        finer = []
        for a, b, c in triangles:
            ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
            finer += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        triangles = finer
    return Mesh(radius * np.array(points) + (312, -845, 1204), triangles)


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    triangles = [mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([mesh.points for mesh in meshes]), np.concatenate(triangles))


def turned(mesh: Mesh) -> Mesh:
    return replace(mesh, triangles=mesh.triangles[:, ::-1])


def test_a_tetrahedron_is_known_exactly() -> None:
    assert tetra().volume_mm3 == pytest.approx(10, rel=1e-12)
    assert tetra().area_mm2 == pytest.approx((47 + np.sqrt(769)) / 2, rel=1e-12)
    assert tetra().open_edges == 0
    assert tetra().watertight
    assert tetra().euler_number == 2
    assert np.array_equal(tetra().bounds, [[0, 0, 0], [3, 4, 5]])


def test_a_sphere_far_from_the_origin_comes_near_its_formulas() -> None:
    """P1 at scanner coordinates; an inscribed polyhedron is smaller by the square of its edges."""
    ball = sphere()
    assert ball.volume_mm3 == pytest.approx(4 / 3 * np.pi * 20**3, rel=2e-3)
    assert ball.area_mm2 == pytest.approx(4 * np.pi * 20**2, rel=1e-3)
    assert sphere(halvings=6).volume_mm3 == pytest.approx(4 / 3 * np.pi * 20**3, rel=5e-4)
    assert ball.watertight
    assert ball.euler_number == 2


def test_a_torus_has_a_hole() -> None:
    """P3: V = 2 pi^2 R r^2, A = 4 pi^2 R r, Euler number 0."""
    ring = torus()
    assert ring.volume_mm3 == pytest.approx(2 * np.pi**2 * 20 * 36, rel=1e-3)
    assert ring.area_mm2 == pytest.approx(4 * np.pi**2 * 20 * 6, rel=1e-3)
    assert ring.watertight
    assert ring.euler_number == 0


def test_bodies_add_up() -> None:
    two = joined(tetra(), sphere(halvings=2))
    assert two.volume_mm3 == pytest.approx(10 + sphere(halvings=2).volume_mm3, rel=1e-9)
    assert two.euler_number == 4
    assert two.watertight


def test_a_cavity_takes_volume_away_and_adds_area() -> None:
    """P5 as a mesh: the inner face turned to the inside."""
    shell = joined(sphere(20), turned(sphere(14)))
    assert shell.volume_mm3 == pytest.approx(sphere(20).volume_mm3 - sphere(14).volume_mm3, rel=1e-6)
    assert shell.area_mm2 == pytest.approx(sphere(20).area_mm2 + sphere(14).area_mm2, rel=1e-6)
    assert shell.euler_number == 4


def test_a_surface_that_is_inside_out_has_a_negative_volume() -> None:
    assert turned(tetra()).volume_mm3 == pytest.approx(-10)
    assert turned(tetra()).watertight


def test_an_open_surface_is_not_watertight() -> None:
    lid_off = replace(tetra(), triangles=tetra().triangles[:3])
    assert lid_off.open_edges == 3
    assert not lid_off.watertight
    assert lid_off.euler_number == 1
    assert replace(tetra(), triangles=tetra().triangles[:1]).open_edges == 3


def test_a_face_that_is_there_twice_is_found() -> None:
    doubled = replace(tetra(), triangles=np.vstack([tetra().triangles, tetra().triangles[:1]]))
    assert doubled.open_edges == 3
    assert not doubled.watertight


def test_a_face_that_is_turned_round_is_found() -> None:
    triangles = tetra().triangles.copy()
    triangles[3] = triangles[3, ::-1]
    assert replace(tetra(), triangles=triangles).open_edges > 0


def test_a_face_and_its_back_enclose_nothing() -> None:
    sheet = Mesh(tetra().points, [(0, 1, 2), (0, 2, 1)])
    assert sheet.watertight
    assert sheet.volume_mm3 == 0


def test_a_third_face_at_an_edge_is_found() -> None:
    fin = Mesh(np.vstack([tetra().points, [[9, 9, 9]]]), np.vstack([tetra().triangles, [[0, 1, 4]]]))
    assert fin.open_edges == 3  # the shared edge runs twice one way, the two others are lonely


@pytest.mark.parametrize("spread", [1, 997, 30_011])
def test_open_edges_are_counted_however_the_points_are_numbered(spread: int) -> None:
    """Near numbers and far ones are looked at in different ways; both against a count by hand."""
    whole, chance = sphere(halvings=2), np.random.default_rng(spread)
    number = chance.permutation(len(whole.points)).astype(np.int32) * spread
    points = np.zeros((number.max() + 1, 3))
    points[number] = whole.points
    triangles = number[whole.triangles]
    assert Mesh(points, triangles).open_edges == 0
    for _ in range(20):
        broken = triangles.copy()
        rows = chance.integers(len(broken), size=2)
        match chance.integers(3):
            case 0:
                broken[rows] = broken[rows, ::-1]
            case 1:
                broken = np.concatenate([broken, broken[rows]])
            case 2:
                broken[rows, 1] = broken[rows[::-1], 2]
        ways = Counter((int(a), int(b)) for t in broken for a, b in zip(t, np.roll(t, -1), strict=True))
        doubled = sum(count - 1 for count in ways.values())
        lonely = sum(count for (a, b), count in ways.items() if a == b or (b, a) not in ways)
        assert Mesh(points, broken).open_edges == doubled + lonely > 0


def test_one_fault_is_found_anywhere_in_a_large_surface() -> None:
    whole = sphere(halvings=6)
    assert whole.open_edges == 0
    for row in range(0, len(whole.triangles), 1009):
        assert replace(whole, triangles=np.delete(whole.triangles, row, axis=0)).open_edges == 3
        twice = np.concatenate([whole.triangles, whole.triangles[row : row + 1]])
        assert replace(whole, triangles=twice).open_edges == 3
    assert replace(whole, triangles=np.concatenate([whole.triangles] * 2)).open_edges == 3 * len(
        whole.triangles
    )


def test_unused_points_do_not_count_for_the_topology() -> None:
    more = Mesh(np.vstack([tetra().points, [[50, 50, 50]]]), tetra().triangles)
    assert more.euler_number == 2
    assert more.watertight


def test_a_mesh_may_be_empty() -> None:
    assert (EMPTY.volume_mm3, EMPTY.area_mm2, EMPTY.open_edges, EMPTY.euler_number) == (0, 0, 0, 0)
    assert not EMPTY.watertight
    assert np.array_equal(EMPTY.bounds, np.zeros((2, 3)))
    assert EMPTY.digest != tetra().digest
    assert np.array_equal(Part(EMPTY, Pose.of_shift((1, 2, 3))).bounds_lps, np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("points", "triangles", "words"),
    [
        (np.zeros((4, 2)), np.zeros((1, 3)), "needs .n, 3. points"),
        (np.zeros(3), np.zeros((1, 3)), "needs .n, 3. points"),
        (np.zeros((4, 3)), np.zeros((1, 4)), "m, 3. triangles"),
        (np.zeros((4, 3)), np.zeros(3), "m, 3. triangles"),
        (np.full((4, 3), np.nan), [[0, 1, 2]], "NaN or infinite"),
        (np.full((4, 3), np.inf), [[0, 1, 2]], "NaN or infinite"),
        (np.zeros((4, 3)), [[0, 1, 4]], "names a point that does not exist"),
        (np.zeros((4, 3)), [[0, 1, -1]], "names a point that does not exist"),
    ],
)
def test_what_is_no_mesh_is_refused(points: np.ndarray, triangles: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Mesh(points, triangles)  # type: ignore[arg-type]


def test_a_mesh_is_kept_apart_from_the_arrays_given() -> None:
    points, triangles = np.array(tetra().points), np.array(tetra().triangles)
    kept = Mesh(points, triangles)
    points[:], triangles[:] = 7, 0
    assert kept.volume_mm3 == pytest.approx(10)
    for array in (kept.points, kept.triangles, kept.bounds, part().points_lps, part().bounds_lps):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_a_shape_is_known_by_its_content() -> None:
    assert tetra().digest == tetra().digest
    assert turned(tetra()).digest != tetra().digest
    assert Mesh(tetra().points + np.float32(1e-3), tetra().triangles).digest != tetra().digest


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_the_order_of_points_and_triangles_does_not_matter(rows: list[int], points: list[int]) -> None:
    place = np.argsort(points)
    mixed = Mesh(tetra().points[points], place[tetra().triangles[rows]])
    assert mixed.volume_mm3 == pytest.approx(10)
    assert mixed.watertight
    assert mixed.euler_number == 2


# -- parts --------------------------------------------------------------------------------------


@given(poses())
def test_a_motion_keeps_volume_area_and_topology(pose: Pose) -> None:
    placed = Part(tetra(), pose).placed()
    assert placed.volume_mm3 == pytest.approx(10, rel=1e-2)  # float32 far from the origin
    assert placed.area_mm2 == pytest.approx(tetra().area_mm2, rel=1e-2)
    assert placed.open_edges == 0
    assert placed.euler_number == 2


def test_moving_shares_the_shape() -> None:
    still = part()
    moved = still.moved(Pose.of_shift((0, 0, 9)))
    assert moved.mesh is still.mesh
    assert moved.frame_uid == FRAME
    assert np.allclose(moved.points_lps, still.points_lps + np.array((0, 0, 9)))


@given(poses(), poses())
def test_moves_follow_each_other(first: Pose, second: Pose) -> None:
    one = Part(tetra()).moved(first).moved(second)
    assert np.allclose(one.points_lps, second.apply(first.apply(tetra().points)), atol=1e-7)
    assert np.allclose(one.bounds_lps, [one.points_lps.min(axis=0), one.points_lps.max(axis=0)])


def test_a_part_that_was_not_moved_is_placed_without_a_copy() -> None:
    still = Part(tetra())
    assert still.pose == IDENTITY
    assert still.placed() is still.mesh
    assert np.array_equal(still.bounds_lps, still.mesh.bounds)
    moved = part().placed()
    assert np.array_equal(moved.points, part().points_lps.astype(np.float32))
    assert np.array_equal(moved.triangles, tetra().triangles)
