from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from surgiplan.errors import StepFailed
from surgiplan.ops.deface import Deface
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Grid, Volume
from tests.ops.shapes import ball_scan, head_fields, head_scan

REF = Ref[Volume]("ct")


def fields_of(volume: Volume) -> dict[str, np.ndarray]:
    points = volume.grid.to_lps(np.indices(volume.grid.shape_kji).reshape(3, -1).T)
    fields = head_fields(points) | {"lps": points}
    return {name: field.reshape(*volume.grid.shape_kji, *field.shape[1:]) for name, field in fields.items()}


def defaced(volume: Volume, **how: float) -> tuple[np.ndarray, float]:
    result = Deface(volume=REF, **how).run(Work(), volume)
    assert result["scan"].grid.same_as(volume.grid)
    assert result["removed"].unit == "%"
    return result["scan"].voxels, result["removed"].value


@pytest.mark.parametrize("turned", [0.0, 17.0])
def test_nose_lips_and_chin_become_air_and_bone_brain_and_back_stay(turned: float) -> None:
    head = head_scan(turned=turned)
    fields = fields_of(head)
    voxels, share = defaced(head)
    _, y, z = np.moveaxis(fields["lps"] - (3.0, -4.0, 90.0), -1, 0)
    face = (fields["skin"] < 0) & (fields["skull"] > 6) & (y < -88) & (z < 0)
    assert face.sum() > 300
    assert (voxels[face] == -1000).all()
    for same in (fields["skull"] < 0, fields["cavity"] < 0, y > 0):
        assert (voxels[same] == head.voxels[same]).all()
    gone = (voxels != head.voxels).sum()
    assert share == pytest.approx(100 * gone / (fields["skin"] < 0).sum(), rel=0.05)
    assert 3 < share < 20


def test_the_new_front_does_not_tell_what_the_face_was_like() -> None:
    """Two heads that differ by nose, lips and chin alone: 20 mm before, next to nothing afterwards."""

    def front(head: Volume) -> np.ndarray:
        return np.where(head.voxels == 40, fields_of(head)["lps"][..., 1], 0.0).min(axis=1)

    def soft(head: Volume) -> Volume:
        return replace(head, voxels=defaced(head, bone_margin=0.0)[0])

    with_face, without = head_scan(), head_scan(features=False)
    before = np.abs(front(with_face) - front(without))
    after = np.abs(front(soft(with_face)) - front(soft(without)))
    assert before.max() > 20
    assert np.percentile(after, 99) < 2.1 * 3.2  # two voxels
    assert after[before > 10].mean() < 0.2 * before[before > 10].mean()


def test_a_margin_of_soft_tissue_stays_round_bone() -> None:
    head = head_scan()
    fields = fields_of(head)
    far = ndimage.distance_transform_edt(head.voxels < 300, sampling=head.grid.spacing_kji)
    near = (far > 0) & (far < 5.5) & (fields["skin"] < 0)
    close, _ = defaced(head, bone_margin=0.0)
    wide, _ = defaced(head, bone_margin=6.0)
    assert (wide[near] == 40).mean() > (close[near] == 40).mean() + 0.02
    assert (wide[near] == 40).all()


def test_an_mr_has_no_bone_to_keep_and_loses_its_face_too() -> None:
    head = head_scan()
    grey = np.where(head.voxels == -1000, 0, np.where(head.voxels > 300, 60, 400)).astype(np.int16)
    voxels, share = defaced(Volume(head.grid, grey, "MR", ""))
    fields = fields_of(head)
    _, y, z = np.moveaxis(fields["lps"] - (3.0, -4.0, 90.0), -1, 0)
    assert (voxels[(fields["skin"] < 0) & (y < -95) & (z < 0)] == 0).all()
    assert 3 < share < 25


def shifted(volume: Volume, first: int, axis: int) -> Volume:
    """The volume without its first slices along an axis."""
    cut = tuple(slice(first if a == axis else 0, None) for a in range(3))
    affine = volume.grid.kji_to_lps.copy()
    affine[:3, 3] = volume.grid.to_lps(first * np.eye(3)[axis])
    voxels = volume.voxels[cut]
    return Volume(Grid(voxels.shape, affine, volume.grid.frame_uid), voxels)


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (ball_scan(), "not a whole head"),
        (shifted(head_scan(), 16, 1), "cut off by the border"),
        (shifted(head_scan(), 38, 0), "not a whole head"),
        (replace(head_scan(), voxels=np.minimum(head_scan().voxels, 40)), "no cranial cavity"),
        (replace(head_scan(), voxels=np.full_like(head_scan().voxels, -1000)), "denser than air"),
    ],
    ids=["a ball", "face cut off", "cap alone", "no bone", "air"],
)
def test_what_is_no_whole_head_is_refused(volume: Volume, reason: str) -> None:
    with pytest.raises(StepFailed, match=reason):
        Deface(volume=REF).run(Work(), volume)
