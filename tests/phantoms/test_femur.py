import time

import numpy as np
import pytest

from surgiplan.algorithms.surface import grey_surface
from surgiplan.phantoms import Femur
from surgiplan.phantoms.femur import segment_distance
from surgiplan.phantoms.scanner import volume_of
from surgiplan.phantoms.solids import RoundCone
from surgiplan.values import Mask, Part, Pose, Volume

FEMUR = Femur()
MOVED = Femur(pose=Pose.of_shift((40.0, -300.0, 77.0)).after(Pose.of_rotation((3, -1, 2), 118.0)))


@pytest.fixture(scope="module")
def scanned() -> Volume:
    began = time.perf_counter()
    volume = FEMUR.volume()
    print(f"scanned {volume.voxels.shape} in {time.perf_counter() - began:.1f} s")
    return volume


@pytest.fixture(scope="module")
def ideal() -> Part:
    return FEMUR.mesh(1.5)


def point(femur: Femur, name: str) -> np.ndarray:
    return np.asarray(femur.landmarks[name])


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


@pytest.mark.parametrize("femur", [FEMUR, MOVED], ids=["in place", "moved"])
class TestMeasuredFromLandmarks:
    def test_neck_shaft_angle(self, femur):
        neck = point(femur, "head_centre") - point(femur, "neck_base")
        down = point(femur, "shaft_distal") - point(femur, "shaft_proximal")
        assert angle(neck, down) == pytest.approx(femur.neck_shaft_deg, abs=1e-9)

    @pytest.mark.parametrize(
        ("line", "truth"), [("posterior", "version_deg"), ("centre", "transcondylar_version_deg")]
    )
    def test_version_seen_along_the_shaft(self, femur, line, truth):
        up = point(femur, "shaft_proximal") - point(femur, "shaft_distal")
        up /= np.linalg.norm(up)
        neck = point(femur, "head_centre") - point(femur, "neck_base")
        condyles = point(femur, f"medial_condyle_{line}") - point(femur, f"lateral_condyle_{line}")
        flat_neck, flat_line = neck - (neck @ up) * up, condyles - (condyles @ up) * up
        # right femur, seen from the hip down: anterior is clockwise from medial
        turn = np.degrees(np.arctan2(-np.cross(flat_line, flat_neck) @ up, flat_line @ flat_neck))
        assert turn == pytest.approx(getattr(femur, truth), abs=1e-9)

    def test_length_along_the_shaft(self, femur):
        up = point(femur, "shaft_proximal") - point(femur, "shaft_distal")
        up /= np.linalg.norm(up)
        heights = [np.asarray(p) @ up for p in femur.landmarks.values()]
        assert max(heights) - min(heights) == pytest.approx(femur.length_mm, abs=1e-9)
        head_to_knee = np.linalg.norm(point(femur, "head_centre") - point(femur, "knee_centre"))
        assert head_to_knee == pytest.approx(femur.mechanical_length_mm, abs=1e-9)

    def test_named_points_of_the_surface_lie_on_it(self, femur):
        on_it = [
            p for name, p in femur.landmarks.items() if name.endswith(("posterior", "distal", "top", "tip"))
        ]
        on_it.remove(femur.landmarks["shaft_distal"])
        assert len(on_it) == 6
        assert np.abs(femur.surface_distance(on_it)).max() < 1e-9


def test_landmarks_are_the_outermost_points_of_the_whole_bone(ideal):
    own = FEMUR.pose.inverse.apply(ideal.points_lps)
    place = {name: FEMUR.pose.inverse.apply(p) for name, p in FEMUR.landmarks.items()}
    assert own[:, 2].max() == pytest.approx(place["head_top"][2], abs=0.05)
    assert own[:, 2].min() == pytest.approx(place["medial_condyle_distal"][2], abs=0.05)
    medial, lateral = own[own[:, 0] > 0], own[own[:, 0] < 0]
    low = 60.0
    assert medial[medial[:, 2] < low][:, 1].max() == pytest.approx(
        place["medial_condyle_posterior"][1], abs=0.05
    )
    assert lateral[lateral[:, 2] < low][:, 1].max() == pytest.approx(
        place["lateral_condyle_posterior"][1], abs=0.05
    )
    assert lateral[:, 2].max() == pytest.approx(place["greater_trochanter_tip"][2], abs=0.05)


def test_it_is_a_right_femur_in_the_right_half_of_the_patient():
    assert FEMUR.scan_box[1, 0] < 0
    assert point(FEMUR, "head_centre")[0] > point(FEMUR, "greater_trochanter_tip")[0] + 50
    assert point(FEMUR, "medial_condyle_centre")[0] > point(FEMUR, "lateral_condyle_centre")[0] + 40
    assert point(FEMUR, "head_centre")[2] > point(FEMUR, "knee_centre")[2] + 300
    assert point(FEMUR, "medial_condyle_posterior")[1] > point(FEMUR, "shaft_distal")[1] + 20


def test_the_head_is_a_ball_about_its_centre():
    way = np.random.default_rng(0).normal(size=(400, 3))
    way /= np.linalg.norm(way, axis=1)[:, None]
    way = way[way @ FEMUR.pose.rotation @ FEMUR._neck_direction > 0]
    points = np.asarray(FEMUR.head_centre_lps) + FEMUR.head_radius_mm * way
    assert np.abs(FEMUR.surface_distance(points)).max() < 1e-9


def test_the_stretch_of_the_shaft_is_a_plain_tube():
    low, high = (np.asarray(p) for p in FEMUR.shaft_stretch)
    turn, share = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.linspace(0, 1, 30))
    across = (
        np.cos(turn)[..., None] * FEMUR.pose.rotation[:, 0]
        + np.sin(turn)[..., None] * FEMUR.pose.rotation[:, 1]
    )
    line = low + share[..., None] * (high - low)
    assert np.abs(FEMUR.surface_distance(line + FEMUR.shaft_radius_mm * across)).max() < 1e-9
    assert np.abs(FEMUR.canal.distance(line + FEMUR.canal_radius_mm * across)).max() < 1e-9
    step = 0.25
    spots = np.arange(-16, 16, step)
    x, y = np.meshgrid(spots, spots)
    own = np.stack([x, y, np.full_like(x, 180.0)], axis=-1)
    bone = FEMUR.surface - FEMUR.canal
    area = (bone.field(FEMUR.pose.apply(own.reshape(-1, 3))) < 0).sum() * step**2
    assert area == pytest.approx(FEMUR.shaft_ring_mm2, rel=0.01)


def test_cortex_is_at_least_3_mm_thick_and_the_bone_deep_in_muscle(ideal):
    bodies = {hu: shape for shape, hu in FEMUR.materials}
    surface = ideal.points_lps
    for inner in (bodies[FEMUR.spongy_hu], FEMUR.canal):
        assert inner.field(surface).min() > 3.0
    assert bodies[FEMUR.muscle_hu].field(surface).max() < -2.0


def test_outer_volume_by_three_grids_and_by_a_mesh(ideal):
    assert volume_of(FEMUR.surface, 2.0) == pytest.approx(FEMUR.outer_volume_mm3, rel=1e-4)
    meshes = [FEMUR.mesh(h).mesh.volume_mm3 for h in (3.0,)] + [ideal.mesh.volume_mm3]
    assert (4 * meshes[1] - meshes[0]) / 3 == pytest.approx(FEMUR.outer_volume_mm3, rel=1e-4)
    assert volume_of(MOVED.surface, 2.0) == pytest.approx(FEMUR.outer_volume_mm3, rel=1e-4)


def test_voxels_of_the_bone_hold_its_volume(scanned):
    """Shares of bone in each voxel by the grey value, canal and spongy bone put in by formula."""
    plain = Femur(spongy_hu=FEMUR.cortex_hu, marrow_hu=FEMUR.cortex_hu, fat_hu=FEMUR.muscle_hu)
    assert plain.surface == FEMUR.surface
    volume = plain.volume((3.0, 2.0, 2.0))
    share = np.clip((volume.voxels - plain.muscle_hu) / (plain.cortex_hu - plain.muscle_hu), 0, 1)
    assert share.sum() * volume.grid.voxel_mm3 == pytest.approx(FEMUR.outer_volume_mm3, rel=5e-4)


class TestScrews:
    def test_neck_screw_lies_in_the_bone_and_misses_the_canal(self):
        screw = FEMUR.screws["neck"]
        assert FEMUR.surface_distance(screw.tip) < -5.0
        assert 0.0 < FEMUR.surface_distance(screw.entry) < 2.0
        # the canal's axis ends 30 mm below the neck axis, which it would meet at 53 degrees
        truth = 30.0 * np.sin(np.radians(180.0 - FEMUR.neck_shaft_deg)) - 6.5 - 3.25
        assert FEMUR.canal_clearance_mm(screw) == pytest.approx(truth, abs=1e-9)

    def test_clearances_are_those_of_sampled_axes(self):
        way = np.linspace(0, 1, 20_001)[:, None]
        for screw in FEMUR.screws.values():
            axis = np.asarray(screw.entry) + way * np.subtract(screw.tip, screw.entry)
            sampled = FEMUR.canal.field(axis).min() - screw.radius_mm
            assert FEMUR.canal_clearance_mm(screw) == pytest.approx(sampled, abs=1e-5)

    def test_cross_screws_are_as_far_from_the_canal_as_they_are_made(self):
        assert FEMUR.canal_clearance_mm(FEMUR.screws["past_canal"]) == pytest.approx(1.2, abs=1e-9)
        assert FEMUR.canal_clearance_mm(FEMUR.screws["into_canal"]) == pytest.approx(-1.8, abs=1e-9)

    def test_a_screw_inside_the_cortex_is_as_deep_as_its_deepest_point(self):
        screw = FEMUR.screws["in_cortex"]
        rod = RoundCone(screw.entry, screw.tip, screw.radius_mm, screw.radius_mm)
        turn = np.linspace(0, 2 * np.pi, 721)
        side = (
            np.cos(turn)[:, None] * FEMUR.pose.rotation[:, 0]
            + np.sin(turn)[:, None] * FEMUR.pose.rotation[:, 1]
        )
        points = (np.asarray(screw.entry) + np.asarray(screw.tip)) / 2 + screw.radius_mm * side
        assert np.abs(rod.field(points)).max() < 1e-9
        assert -FEMUR.surface_distance(points).min() == pytest.approx(
            FEMUR.depth_in_shaft_mm(screw), abs=1e-6
        )
        assert FEMUR.surface_distance(points).max() < -1.9
        assert FEMUR.canal_clearance_mm(screw) > 1.9


def test_distance_of_segments_in_all_positions():
    rng = np.random.default_rng(4)
    share = np.linspace(0, 1, 401)
    for _ in range(60):
        a, b, c, d = rng.uniform(-10, 10, (4, 3))
        one = a + share[:, None] * (b - a)
        other = RoundCone(tuple(c), tuple(d), 1e-9, 1e-9)
        sampled = other.field(one).min()
        found = segment_distance(a, b, c, d)
        assert found <= sampled + 1e-8
        assert sampled - found < 0.02
    assert segment_distance((0, 0, 0), (1, 0, 0), (0, 2, 0), (1, 2, 0)) == 2.0
    assert segment_distance((0, 0, 0), (1, 0, 0), (3, 0, 0), (5, 0, 0)) == 2.0


def test_the_surface_made_from_the_scan_is_as_good_as_asked(scanned):
    """0.7 x 0.7 x 1.0 mm voxels: RMS <= 0.05 mm, p95 <= 0.12 mm, volume within 0.5 %."""
    level = FEMUR.level_hu
    part = grey_surface(scanned, Mask(scanned.grid, scanned.voxels >= level, level), fill_cavities=True)
    off = FEMUR.surface_distance(part.points_lps)
    rms, p95 = np.sqrt((off**2).mean()), np.percentile(np.abs(off), 95)
    more = part.mesh.volume_mm3 / FEMUR.outer_volume_mm3 - 1
    print(f"femur surface: RMS {rms:.3f} mm, p95 {p95:.3f} mm, volume {100 * more:+.2f} %")
    assert part.mesh.euler_number == 2
    assert rms <= 0.05
    assert p95 <= 0.12
    assert abs(more) <= 0.005


def test_the_scan_holds_the_whole_bone_and_all_its_tissues(scanned):
    assert scanned.grid.spacing_kji == pytest.approx((1.0, 0.7, 0.7))
    border = [scanned.voxels[n] for n in (0, -1)] + [scanned.voxels[:, :, n] for n in (0, -1)]
    assert all(face.max() <= FEMUR.muscle_hu for face in border)
    for hu in (-1000, FEMUR.fat_hu, FEMUR.muscle_hu, FEMUR.cortex_hu, FEMUR.spongy_hu, FEMUR.marrow_hu):
        assert np.count_nonzero(scanned.voxels == hu) > 1000
    inside = scanned.grid.nearest(FEMUR.pose.apply((0, 0, 200)))
    assert scanned.voxels[inside] == FEMUR.marrow_hu
