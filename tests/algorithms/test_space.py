"""Values of different spaces or grids are never mixed."""

import numpy as np
import pytest

from surgiplan.algorithms.space import require_one_frame, require_one_grid
from surgiplan.errors import Mismatch
from surgiplan.values import Grid, Mask, Mesh, Part, Volume


def grid(frame: str = "1.2", shape=(2, 3, 4), shift: float = 0.0) -> Grid:
    matrix = np.eye(4)[[2, 1, 0, 3]]
    matrix[0, 3] = shift
    return Grid(shape, matrix, frame)


def volume(**kind) -> Volume:
    place = grid(**kind)
    return Volume(place, np.zeros(place.shape_kji, np.int16))


def mask(**kind) -> Mask:
    place = grid(**kind)
    return Mask(place, np.zeros(place.shape_kji, np.bool_))


def part(frame: str) -> Part:
    return Part(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), frame_uid=frame)


def test_the_common_frame_is_given_back() -> None:
    assert require_one_frame(volume(), mask(), part("1.2")) == "1.2"


def test_what_has_no_frame_goes_with_any() -> None:
    assert require_one_frame(part(""), part("1.2"), part("")) == "1.2"
    assert require_one_frame(part(""), part("")) == ""
    assert require_one_frame() == ""


def test_two_frames_are_a_mismatch_that_names_both_and_the_remedy() -> None:
    with pytest.raises(Mismatch, match=r"1\.2.*9\.9.*register"):
        require_one_frame(part("1.2"), part(""), mask(frame="9.9"))


def test_one_grid_is_accepted() -> None:
    require_one_grid(volume(), mask(), mask(shift=1e-9))


def test_other_shape_is_a_mismatch() -> None:
    with pytest.raises(Mismatch, match="4×3×2 and 5×3×2"):
        require_one_grid(volume(), mask(shape=(2, 3, 5)))


def test_other_place_is_a_mismatch_with_its_size() -> None:
    with pytest.raises(Mismatch, match=r"0\.25 mm"):
        require_one_grid(volume(), mask(shift=0.25))


def test_other_frame_is_a_mismatch() -> None:
    with pytest.raises(Mismatch, match="register"):
        require_one_grid(volume(), mask(frame="3"))
    with pytest.raises(Mismatch):
        require_one_grid(volume(), mask(frame=""))
