"""Masks that touch are smoothed as one: no gap, no overlap, each volume kept."""

from dataclasses import replace

import numpy as np
import pytest

from surgiplan.algorithms.masks import box
from surgiplan.algorithms.masks.together import smoothed_together
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.phantoms.shape import Shape
from surgiplan.phantoms.solids import HalfSpace, Sphere
from surgiplan.values import Mask, Plane, Vec3, digest

from .bodies import SPACING_KJI, centres, grid, inside, stop

PLACE = grid((30, 50, 64))
CENTRE: Vec3 = tuple(PLACE.to_lps((14.5, 24.5, 31.5)))
WAY = np.array([0.8, 0.3, 0.52])


def rough(shape: Shape, seed: int, mm: float = 0.7) -> np.ndarray:
    """The voxels of a body with a border that is wrong by noise."""
    noise = np.random.default_rng(seed).normal(0, mm, len(centres(PLACE)))
    return (shape.field(centres(PLACE)) + noise < 0).reshape(PLACE.shape_kji)


def halves() -> tuple[Mask, Mask, np.ndarray]:
    """A rough ball of 14 mm in two rough halves that touch, and mm from their plane."""
    plane = HalfSpace(Plane(CENTRE, tuple(WAY)))
    ball, first = rough(Sphere(CENTRE, 14.0), 1), rough(plane, 2)
    beyond = plane.field(centres(PLACE)).reshape(PLACE.shape_kji)
    return Mask(PLACE, ball & first, 300.0), Mask(PLACE, ball & ~first, 500.0), beyond


def test_touching_halves_stay_without_gap_or_overlap_and_keep_their_volumes() -> None:
    one, other, beyond = halves()
    before = digest(one), digest(other)
    first, second = smoothed_together([one, other], 1.5)
    assert (digest(one), digest(other)) == before
    assert (first.level, second.level) == (300.0, 500.0)
    assert not (first.voxels & second.voxels).any()
    for smooth, given in ((first, one), (second, other)):
        assert smooth.volume_mm3 == pytest.approx(given.volume_mm3, rel=1e-3)
    well_within = inside(Sphere(CENTRE, 12.0), PLACE).voxels
    assert (first.voxels | second.voxels)[well_within].all()  # no gap
    wrong = (first.voxels != (beyond < 0)) & well_within
    rough_before = (one.voxels != (beyond < 0)) & well_within
    assert np.count_nonzero(wrong) < 0.35 * np.count_nonzero(rough_before)  # and the face is smoother
    assert np.abs(beyond[wrong]).max() < 0.5 * np.linalg.norm(SPACING_KJI)


def test_a_mask_by_itself_would_open_a_gap() -> None:
    """What one at a time does: both draw back from the edge of the face they share."""
    from surgiplan.algorithms.masks.smoothing import smoothed

    one, other, _ = halves()
    alone = smoothed(one, 2.5).voxels.astype(int) + smoothed(other, 2.5).voxels
    together = np.sum([mask.voxels for mask in smoothed_together([one, other], 2.5)], axis=0)
    ball = inside(Sphere(CENTRE, 13.0), PLACE).voxels
    assert (alone == 2).any()
    assert together.max() == 1
    assert np.count_nonzero(together[ball] == 0) <= np.count_nonzero(alone[ball] == 0)


def test_three_that_meet_in_a_line_leave_no_hole() -> None:
    one, other, _ = halves()
    third_side = HalfSpace(Plane(CENTRE, (-0.3, 0.9, 0.1))).field(centres(PLACE)).reshape(PLACE.shape_kji) < 0
    masks = [one, Mask(PLACE, other.voxels & third_side), Mask(PLACE, other.voxels & ~third_side)]
    total = np.sum([mask.voxels for mask in smoothed_together(masks, 1.5)], axis=0)
    assert total.max() == 1
    assert (total[inside(Sphere(CENTRE, 12.0), PLACE).voxels] == 1).all()


def test_masks_far_from_each_other_are_smoothed_as_if_alone() -> None:
    small = [
        Mask(PLACE, rough(Sphere(tuple(PLACE.to_lps(at)), 6.0), n))
        for n, at in enumerate([(9, 12, 12), (20, 38, 50)])
    ]
    for smooth, given in zip(smoothed_together(small, 1.0), small, strict=True):
        assert smooth.volume_mm3 == pytest.approx(given.volume_mm3, rel=2e-3)
        assert np.count_nonzero(smooth.voxels ^ given.voxels) > 0


def test_work_in_pieces_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, _ = halves()
    whole = smoothed_together([one, other], 1.0)
    monkeypatch.setattr(box, "_VOXELS_AT_ONCE", 3000)
    for a, b in zip(smoothed_together([one, other], 1.0), whole, strict=True):
        assert np.array_equal(a.voxels, b.voxels)


def test_what_cannot_be_smoothed_together_says_so() -> None:
    one, other, _ = halves()
    with pytest.raises(StepFailed, match="One mask alone"):
        smoothed_together([one], 1.0)
    with pytest.raises(StepFailed, match=r"Masks 1 and 2 have .* mm³ in common"):
        smoothed_together([one, Mask(PLACE, one.voxels | other.voxels)], 1.0)
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        smoothed_together([one, Mask(PLACE, np.zeros_like(one.voxels))], 1.0)
    with pytest.raises(Mismatch):
        smoothed_together([one, Mask(replace(PLACE, frame_uid="9"), other.voxels)], 1.0)
    with pytest.raises(Cancelled):
        smoothed_together([one, other], 1.0, stop)
