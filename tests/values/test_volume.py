import numpy as np
import pytest

from surgiplan.values import Mask, Volume, given_away
from tests.values.samples import grid, mask, volume


def test_voxels_are_kept_apart_from_those_given() -> None:
    mine = np.zeros(grid().shape_kji, np.int16)
    kept = Volume(grid(), mine)
    mine[:] = 7
    assert not kept.voxels.any()
    with pytest.raises(ValueError, match="read-only"):
        kept.voxels[0, 0, 0] = 1


def test_a_large_scan_is_given_away_without_a_copy() -> None:
    mine = np.zeros(grid().shape_kji, np.float32)
    assert Volume(grid(), given_away(mine)).voxels is mine


def test_a_scan_is_a_ct_in_hounsfield_units_unless_told() -> None:
    assert (volume().modality, volume().unit) == ("CT", "HU")


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float64, np.bool_, ">i2"])
def test_grey_values_of_another_type_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="grey values are int16 or float32, not"):
        Volume(grid(), np.zeros(grid().shape_kji, kind))


def test_a_mask_holds_truths() -> None:
    with pytest.raises(ValueError, match="a mask holds bool, not uint8"):
        Mask(grid(), np.zeros(grid().shape_kji, np.uint8))  # type: ignore[arg-type]


def test_voxels_must_fill_their_grid() -> None:
    with pytest.raises(ValueError, match=r"shape \(5, 4, 3\), the grid \(3, 4, 5\)"):
        Volume(grid(), np.zeros((5, 4, 3), np.int16))
    with pytest.raises(ValueError, match="the grid"):
        Mask(grid(), np.zeros((3, 4), np.bool_))


def test_the_volume_of_a_mask_is_counted_in_voxels() -> None:
    assert mask().volume_mm3 == pytest.approx(6 * 1.2 * 0.7 * 0.9)
    assert Mask(grid(), np.zeros(grid().shape_kji, np.bool_)).volume_mm3 == 0
    assert Mask(grid(), np.ones(grid().shape_kji, np.bool_)).level is None
