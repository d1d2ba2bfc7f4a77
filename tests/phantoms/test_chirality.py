import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgiplan.algorithms.surface import grey_surface
from surgiplan.errors import BadInput
from surgiplan.formats import dicom
from surgiplan.phantoms import Chirality
from surgiplan.phantoms.chirality import pieces_of
from surgiplan.values import Mask, Mesh, Part, Pose, Volume

PHANTOM = Chirality()


def surface_of(volume: Volume, level: float) -> Part:
    return grey_surface(volume, Mask(volume.grid, volume.voxels >= level, level))


@pytest.fixture(scope="module")
def ideal() -> Part:
    return PHANTOM.mesh(1.0)


def test_markers_lie_where_their_letters_say():
    middle = np.asarray(PHANTOM.centre)
    place = {name: np.asarray(one.centre_lps) - middle for name, one in PHANTOM.markers.items()}
    assert place["L"][0] > 20
    assert place["R"][0] < -20
    assert place["A"][1] < -10
    assert place["S"][2] > 20
    assert PHANTOM.markers["L"].diameter_mm == 14.0
    assert PHANTOM.markers["R"].diameter_mm == 10.0
    assert len({one.hu for one in PHANTOM.markers.values()}) == 4


def test_the_letters_read_right_from_the_front():
    """Seen from the front the viewer's left is the patient's right (-x); an F has its stem there."""
    volume = PHANTOM.volume()
    shown = {}
    for name, shape in PHANTOM.letters.items():
        low, high = np.rint(volume.grid.to_kji(shape.box[:, :])).astype(int)
        seen = (
            volume.voxels[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1].max(axis=1) > 350
        )
        shown[name] = seen[::-1]  # top row first, columns from the patient's right to left
    left, right = np.split(shown["F"], [shown["F"].shape[1] // 2], axis=1)
    assert left.sum() > right.sum()
    assert shown["F"][: len(shown["F"]) // 2].sum() > shown["F"][len(shown["F"]) // 2 :].sum()
    assert shown["L"][-2:].sum() > 2 * shown["L"][:2].sum()
    assert shown["R"][: len(shown["R"]) // 2, -2:].any()


def test_balls_and_letters_do_not_touch_and_do_not_hide_each_other():
    bodies = [*PHANTOM.balls.values(), *PHANTOM.letters.values()]
    for n, one in enumerate(bodies):
        for other in bodies[n + 1 :]:
            apart = np.maximum(one.box[0] - other.box[1], other.box[0] - one.box[1])
            assert max(apart[0], apart[2]) > 0 or apart.max() > 2


@pytest.mark.parametrize("level", [226.0, 350.0, 500.0])
def test_a_scan_gives_the_balls_back_in_their_places(level):
    part = surface_of(PHANTOM.volume(noise_hu=10.0), level)
    assert PHANTOM.handedness(part) == 1
    assert max(PHANTOM.marker_errors_mm(part).values()) < 0.1


@settings(max_examples=12, deadline=None)
@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1),
    degrees=st.floats(-180, 180),
    shift=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_handedness_outlives_any_motion_and_turns_with_any_mirror(ideal, axis, degrees, shift):
    moved = ideal.moved(Pose.of_shift(shift).after(Pose.of_rotation(axis, degrees)))
    assert PHANTOM.handedness(moved) == 1
    normal = np.asarray(axis) / np.linalg.norm(axis)
    points = moved.points_lps - 2 * np.outer(moved.points_lps @ normal, normal)
    for triangles in (moved.mesh.triangles, moved.mesh.triangles[:, ::-1]):
        assert PHANTOM.handedness(Mesh(points.astype(np.float32), triangles)) == -1


@pytest.mark.parametrize("flip", [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
def test_a_flip_of_one_axis_is_seen(ideal, flip):
    mirrored = Mesh(ideal.mesh.points * np.float32(flip), ideal.mesh.triangles)
    assert PHANTOM.handedness(mirrored) == -1
    assert max(PHANTOM.marker_errors_mm(mirrored).values()) > 10


def test_two_flips_are_a_turn_that_only_the_places_show(ideal):
    """RAS taken for LPS is no mirror: handedness stays, the balls are on the wrong sides."""
    turned = Mesh(ideal.mesh.points * np.float32((-1, -1, 1)), ideal.mesh.triangles)
    assert PHANTOM.handedness(turned) == 1
    assert min(PHANTOM.marker_errors_mm(turned).values()) > 10


def test_another_surface_is_refused(ideal):
    with pytest.raises(BadInput, match="no piece of the size"):
        PHANTOM.handedness(Mesh(ideal.mesh.points * np.float32(2), ideal.mesh.triangles))
    largest = max(pieces_of(ideal.mesh), key=len)
    with pytest.raises(BadInput, match="A, L, R"):
        PHANTOM.found(Mesh(ideal.mesh.points, largest))


def test_pieces_are_those_that_share_no_point(ideal):
    pieces = pieces_of(ideal.mesh)
    assert len(pieces) == 7
    assert sum(map(len, pieces)) == len(ideal.mesh.triangles)
    assert not set(np.unique(pieces[0])) & set(np.unique(pieces[1]))


def test_through_dicom_and_back_nothing_is_flipped(tmp_path):
    PHANTOM.write(tmp_path / "series")
    (series,) = dicom.scan(tmp_path / "series").series
    volume = dicom.read_series(series)
    assert volume.grid.frame_uid == PHANTOM.frame_uid
    part = surface_of(volume, PHANTOM.level_hu)
    assert PHANTOM.handedness(part) == 1
    assert max(PHANTOM.marker_errors_mm(part).values()) < 0.1
