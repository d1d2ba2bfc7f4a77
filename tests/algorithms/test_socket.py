"""A socket keeps its distances to the limb, closes, and opens only at its rim."""

from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
import trimesh

from surgiplan.algorithms.distance import SignedDistance
from surgiplan.algorithms.socket import socket
from surgiplan.errors import Cancelled, StepFailed
from surgiplan.values import Mesh, Part, Plane, Pose, digest, vec3

# A limb is the hull of two balls; its own z runs proximally from the centre of the distal one.
LENGTH, DISTAL, PROXIMAL = 90.0, 24.0, 33.0
SINE = (DISTAL - PROXIMAL) / LENGTH
COSINE = np.sqrt(1 - SINE**2)
POSE = Pose.of_shift((31, -57, 402)).after(Pose.of_rotation((3, 1, -2), 35))
RIM = 60.0
TRIM = Plane((0, 0, RIM), (0, 0, 1)).moved(POSE)


def limb_distance(points_lps: np.ndarray) -> np.ndarray:
    """Signed distance to the true limb."""
    x, y, z = POSE.inverse.apply(points_lps).T
    across = np.hypot(x, y)
    place = np.clip(z - across * SINE / COSINE, 0, LENGTH)
    return np.hypot(across, z - place) - (DISTAL - SINE * place)


def grown_volume(by_mm: float) -> float:
    """Volume of the limb grown by a distance, distal of the rim: a ball's cap and a frustum."""
    r = DISTAL + by_mm
    touch = r * SINE
    cap = np.pi * (r**2 * touch - touch**3 / 3 + 2 * r**3 / 3)
    low, high = ((r - z * SINE) / COSINE for z in (touch, RIM))
    return cap + np.pi * (RIM - touch) * (low**2 + low * high + high**2) / 3


def limb_mesh(closed: bool = True, step: float = 1.2, around: int = 144) -> Mesh:
    """Rings about z with their corners on the true surface; open where the proximal ball begins."""
    lean = np.arcsin(SINE)
    lower = np.linspace(-np.pi / 2, lean, int(DISTAL * 1.5 / step))[1:]
    upper = np.linspace(lean, np.pi / 2, int(PROXIMAL * 1.5 / step))[:-1]
    side = np.linspace(0, 1, int(LENGTH / step))[1:-1]
    low, high = np.array([COSINE, SINE]) * DISTAL, np.array([COSINE, SINE]) * PROXIMAL + (0, LENGTH)
    profile = [DISTAL * np.column_stack([np.cos(lower), np.sin(lower)]), low + np.outer(side, high - low)]
    profile.append(PROXIMAL * np.column_stack([np.cos(upper), np.sin(upper)]) + (0, LENGTH))
    radius, height = np.concatenate(profile if closed else profile[:2]).T
    turn = 2 * np.pi * np.arange(around) / around
    x, y = np.outer(radius, np.cos(turn)), np.outer(radius, np.sin(turn))
    z = np.broadcast_to(height[:, None], x.shape)
    points = np.stack([x, y, z], axis=2).reshape(-1, 3)
    here = np.arange(around)
    after = (here + 1) % around
    bands = [
        np.column_stack([[here, after, after + around], [here, after + around, here + around]]).T + n * around
        for n in range(len(radius) - 1)
    ]
    bottom = np.column_stack([np.full(around, len(points)), after, here])
    last = len(points) - around
    top = np.column_stack([np.full(around, len(points) + 1), here + last, after + last])
    triangles = np.concatenate([*bands, bottom, *([top] if closed else [])])
    poles = [(0, 0, -DISTAL), (0, 0, LENGTH + PROXIMAL)]
    return Mesh(np.concatenate([points, poles]).astype(np.float32), triangles.astype(np.int32))


@pytest.fixture(scope="module")
def limb() -> Part:
    return Part(limb_mesh(), POSE, "1.2.3")


def joined(*meshes: Mesh) -> Mesh:
    before = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.triangles + n for mesh, n in zip(meshes, before, strict=False)]),
    )


def at_rim(shift_mm: float) -> Plane:
    return TRIM.moved(Pose.of_shift(shift_mm * np.asarray(TRIM.normal)))


# -- truth ----------------------------------------------------------------------------------------


def test_the_limb_of_these_tests_is_what_its_formula_says(limb) -> None:
    assert limb.mesh.watertight
    assert np.abs(limb_distance(limb.points_lps)).max() < 1e-4
    assert np.abs(limb_distance(limb.points_lps[limb.mesh.triangles].mean(axis=1))).max() < 0.02


@pytest.mark.parametrize(
    ("offset", "wall", "grid"), [(3.0, 4.0, 1.5), (0.0, 4.0, 2.0), (-2.5, 3.0, 2.0), (2.0, 0.8, 2.0)]
)
def test_walls_lie_at_their_distances(limb, offset, wall, grid) -> None:
    shell = socket(limb, TRIM, offset, wall, grid)
    height = TRIM.distance(shell.points_lps)
    walls = limb_distance(shell.points_lps[height < -1e-3])
    away = np.minimum(np.abs(walls - offset), np.abs(walls - offset - wall))
    assert away.max() < 0.06
    assert np.sqrt((away**2).mean()) < 0.02
    assert abs(height.max()) < 1e-4
    assert shell.mesh.watertight
    assert shell.mesh.euler_number == 2
    assert shell.mesh.volume_mm3 == pytest.approx(
        grown_volume(offset + wall) - grown_volume(offset), rel=2e-3
    )
    assert shell.frame_uid == "1.2.3"
    assert shell.pose == Pose()


def test_a_coarse_lattice_still_makes_thin_walls_whole(limb) -> None:
    shell = socket(limb, TRIM, 1.0, 1.0, grid_mm=4.0)
    walls = limb_distance(shell.points_lps[TRIM.distance(shell.points_lps) < -1e-3])
    assert np.minimum(np.abs(walls - 1), np.abs(walls - 2)).max() < 0.2
    assert shell.mesh.euler_number == 2


def test_walls_that_fall_on_sites_of_the_lattice_stay_in_place() -> None:
    corners = np.array([[x, y, z] for x in (0, 30) for y in (0, 42) for z in (0, 60)], np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    block = Mesh(corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32))
    shell = socket(Part(block), Plane((0, 0, 45), (0, 0, 1)), 0.0, 4.5, 1.5)
    x, y, z = shell.points_lps.T
    side = x[(np.abs(y - 21) < 15) & (z > 8) & (z < 44)]
    walls = np.array([-4.5, 0.0, 30.0, 34.5])
    assert np.abs(side[:, None] - walls).min(axis=1).max() < 0.02
    assert {*np.abs(side[:, None] - walls).argmin(axis=1)} == {0, 1, 2, 3}


def test_the_socket_is_a_cup_open_at_the_rim_alone(limb) -> None:
    shell = SignedDistance(socket(limb, TRIM, 3.0, 4.0, 2.0).mesh)
    axis = POSE.apply([(0, 0, z) for z in (RIM + 20, RIM - 1, 20, 0, -DISTAL - 2, -DISTAL - 5, -DISTAL - 9)])
    assert (np.sign(shell.at(axis)) == (1, 1, 1, 1, 1, -1, 1)).all()
    assert shell.at(POSE.apply([(0, 0, 0)]))[0] == pytest.approx(DISTAL + 3, abs=0.1)


def test_a_tilted_rim_is_cut_exactly_in_its_plane(limb) -> None:
    trim = Plane(TRIM.point, vec3(np.add(TRIM.normal, (0.2, -0.3, 0.1))))
    shell = socket(limb, trim, 3.0, 4.0, 2.5)
    height = trim.distance(shell.points_lps)
    assert abs(height.max()) < 1e-4
    flat = np.abs(height[shell.mesh.triangles]).max(axis=1) < 1e-4
    rim = Mesh(shell.mesh.points, shell.mesh.triangles[flat])
    a, b, c = shell.points_lps[rim.triangles].transpose(1, 0, 2)
    facing = np.cross(b - a, c - a) @ np.asarray(trim.normal)
    assert facing.min() > -1e-3  # slivers may turn over when stored as float32
    assert 600 < rim.area_mm2 < 1200


def test_a_limb_open_at_its_proximal_end_gives_the_same_socket(limb) -> None:
    scanned = Part(limb_mesh(closed=False), POSE)
    assert not scanned.mesh.watertight
    shell, same = (socket(part, TRIM, 3.0, 4.0, 3.0) for part in (scanned, limb))
    assert shell.mesh.watertight
    assert shell.mesh.volume_mm3 == pytest.approx(same.mesh.volume_mm3, rel=1e-6)


def test_a_ragged_opening_beyond_the_rim_does_no_harm(limb) -> None:
    mesh = limb_mesh(closed=False)
    kept = np.random.default_rng(0).random(len(mesh.triangles)) > 0.4
    kept |= mesh.points[mesh.triangles, 2].max(axis=1) < RIM + 13
    turned = np.where(kept[:, None], mesh.triangles, mesh.triangles[:, ::-1])
    shell = socket(Part(Mesh(mesh.points, turned), POSE), TRIM, 3.0, 4.0, 2.0)
    assert shell.mesh.volume_mm3 == pytest.approx(grown_volume(7) - grown_volume(3), rel=3e-3)


@pytest.mark.real_data
def test_a_scanned_limb(shared_data) -> None:
    with ZipFile(shared_data / "mesh_residual_limb" / "ampscan_limb.zip") as folder:
        name = next(n for n in folder.namelist() if n.endswith(".stl"))
        scan = trimesh.load(BytesIO(folder.read(name)), file_type="stl", process=True)
    limb = Part(Mesh(np.asarray(scan.vertices, np.float32), np.asarray(scan.faces, np.int32)))
    trim = Plane((0, 0, 0), (0, 0.05, 1))
    shell = socket(limb, trim, 3.0, 4.0, 2.5)
    assert shell.mesh.watertight
    assert shell.mesh.euler_number == 2
    walls = SignedDistance(limb.mesh).at(shell.points_lps[trim.distance(shell.points_lps) < -1e-3])
    away = np.minimum(np.abs(walls - 3), np.abs(walls - 7))
    assert np.sqrt((away**2).mean()) < 0.03
    assert np.percentile(away, 99) < 0.1


# -- refusals -------------------------------------------------------------------------------------


def refused(limb: Part, words: str, trim: Plane = TRIM, offset=3.0, wall=4.0, grid=3.0) -> None:
    with pytest.raises(StepFailed, match=words):
        socket(limb, trim, offset, wall, grid)


def test_a_plane_that_misses_the_limb(limb) -> None:
    refused(limb, r"misses the limb: it passes 17\.0 mm proximal", at_rim(LENGTH + PROXIMAL - RIM + 17))
    refused(limb, r"misses the limb: it passes 6\.0 mm distal", at_rim(-RIM - DISTAL - 6))


def test_a_plane_near_the_opening_or_turned_round() -> None:
    scanned = Part(limb_mesh(closed=False), POSE)
    opening = float(TRIM.distance(POSE.apply(scanned.mesh.points)[:-2]).max())
    refused(
        scanned,
        r"begins 5\.0 mm beyond .* need 13\.0 mm .* Move the plane 8\.0 mm distally",
        at_rim(opening - 5),
    )
    turned = Plane(TRIM.point, vec3(-np.asarray(TRIM.normal)))
    refused(scanned, rf"opening {opening:.1f} mm distal of the trim plane.*turn the normal", turned)


def test_a_hole_in_the_limb(limb) -> None:
    low = limb.mesh.points[limb.mesh.triangles, 2].mean(axis=1)
    holed = np.delete(limb.mesh.triangles, np.argmin(np.abs(low - 10)), axis=0)
    refused(Part(Mesh(limb.mesh.points, holed), POSE), r"opening (49|50|51)\.\d mm distal.*close the hole")


def test_a_limb_that_is_inside_out_overlaps_or_is_empty(limb) -> None:
    mesh = limb.mesh
    refused(Part(Mesh(mesh.points, mesh.triangles[:, ::-1]), POSE), "inside out")
    twice = np.concatenate([mesh.triangles, mesh.triangles])
    refused(Part(Mesh(mesh.points, twice), POSE), "triangles overlap")
    refused(Part(Mesh(mesh.points, mesh.triangles[:0]), POSE), "empty")


def test_bones_inside_the_skin(limb) -> None:
    bone = Mesh(limb.mesh.points * np.float32(0.3) + np.float32(4), limb.mesh.triangles)
    refused(Part(joined(limb.mesh, bone), POSE), "surfaces instead of one.*skin alone")


def test_a_reduction_that_leaves_nothing(limb) -> None:
    refused(limb, r"Nothing is left of the limb at -40 mm", offset=-40.0)


def test_sizes_that_make_no_sense(limb) -> None:
    refused(limb, "wall cannot be 0 mm", wall=0.0)
    refused(limb, "wall cannot be nan mm", wall=float("nan"))
    refused(limb, "spacing of the lattice cannot be -1 mm", grid=-1.0)
    refused(limb, "offset cannot be inf mm", offset=float("inf"))
    refused(limb, r"0\.05 mm is too fine here: give 0\.\d+ mm or more", grid=0.05)


# -- contract -------------------------------------------------------------------------------------


def test_two_runs_agree_and_the_limb_stays_what_it_was(limb) -> None:
    before = digest(limb)
    first, second = (socket(limb, TRIM, 3.0, 4.0, 4.0) for _ in range(2))
    assert digest(first) == digest(second)
    assert digest(limb) == before


def test_progress_rises_and_a_stop_is_heard(limb) -> None:
    said = []
    socket(limb, TRIM, 3.0, 4.0, 4.0, lambda fraction, text: said.append(fraction))
    assert said == sorted(said)
    assert said[0] >= 0
    assert said[-1] <= 1

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        socket(limb, TRIM, 3.0, 4.0, 4.0, stop)
