"""Label maps: each segment a mask with its name, on the voxels of the scan it was made from."""

from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats.volumes import read_labels, read_volume
from surgiplan.formats.volumes.lattice import moved_to
from surgiplan.values import Grid, Mask

LABELS = np.zeros((4, 5, 6), np.uint8)
LABELS[1, 1:3, 2:5] = 1
LABELS[2:, 4, 5] = 7
PLACE = np.array([[0, 0, 0.7, 10.0], [0, 1.2, 0, -20.0], [1.6, 0, 0, 30.0], [0, 0, 0, 1]])
GRID = Grid((4, 5, 6), PLACE, "1.2.3")


def seg(path: Path, values: Any = LABELS, layered: bool = False, **fields: str) -> Path:
    """A segmentation as 3D Slicer writes it."""
    directions: list[Any] = PLACE[:3, [2, 1, 0]].T.tolist()
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": [[np.nan] * 3, *directions] if layered else directions,
        "space origin": PLACE[:3, 3],
        "kinds": ["list", "domain", "domain", "domain"] if layered else ["domain"] * 3,
        "encoding": "gzip",
    }
    nrrd.write(str(path), values, header | fields, index_order="C")
    return path


def named(*segments: tuple[str, int, int]) -> dict[str, str]:
    fields = {}
    for n, (name, value, layer) in enumerate(segments):
        fields |= {
            f"Segment{n}_Name": name,
            f"Segment{n}_LabelValue": str(value),
            f"Segment{n}_Layer": str(layer),
        }
    return fields


def test_segments_keep_their_names_as_far_as_a_step_can_bear_them(tmp_path: Path) -> None:
    path = seg(tmp_path / "a.seg.nrrd", **named(("Left femur", 1, 0), ("7: Tibia/ue", 7, 0)))
    path.write_bytes(path.read_bytes().replace(b"Tibia/ue", "Tibia/ü".encode()))
    masks, told, _ = read_labels(path)
    assert list(masks) == ["Left_femur", "segment_7_Tibia"]
    assert np.array_equal(masks["Left_femur"].voxels, LABELS == 1)
    assert np.array_equal(masks["segment_7_Tibia"].voxels, LABELS == 7)
    assert told == []
    assert np.allclose(masks["Left_femur"].grid.kji_to_lps, PLACE)


def test_segments_that_overlap_lie_in_layers(tmp_path: Path) -> None:
    layers = np.stack([LABELS == 1, LABELS > 0], -1).astype(
        np.uint8
    )  # [k, j, i, layer]: the layer is fastest
    masks, _, _ = read_labels(
        seg(tmp_path / "a.seg.nrrd", layers, layered=True, **named(("one", 1, 0), ("both", 1, 1)))
    )
    assert np.array_equal(masks["one"].voxels, LABELS == 1)
    assert np.array_equal(masks["both"].voxels, LABELS > 0)


def test_two_of_one_name_are_told_apart_and_an_empty_one_is_left_out(tmp_path: Path) -> None:
    path = seg(tmp_path / "a.seg.nrrd", **named(("a", 1, 0), ("a", 7, 0), ("none", 9, 0)))
    masks, told, _ = read_labels(path)
    assert list(masks) == ["a", "a_2"]
    assert any("empty" in text for text in told)


def test_labels_without_names_are_numbered(tmp_path: Path) -> None:
    nibabel.save(
        nibabel.Nifti1Image(LABELS.T, np.diag([-1.0, -1, 1, 1]) @ PLACE[:, [2, 1, 0, 3]]),
        tmp_path / "a.nii.gz",
    )
    masks, _, _ = read_labels(tmp_path / "a.nii.gz")
    assert list(masks) == ["label_1", "label_7"]
    assert np.array_equal(masks["label_7"].voxels, LABELS == 7)


def test_a_label_map_read_as_a_scan_is_told_of(tmp_path: Path) -> None:
    _, told = read_volume(seg(tmp_path / "a.nrrd"))
    assert any("--labels" in text for text in told)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (named(("a", 1, 3)), "layer that is not there"),
        ({"Segment0_Name": "a", "Segment0_LabelValue": "one"}, "no label value"),
        (named(("a", 9, 0)), "holds no label"),
    ],
)
def test_what_names_nothing_is_refused(tmp_path: Path, fields: dict[str, str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_labels(seg(tmp_path / "a.seg.nrrd", **fields))


def test_grey_values_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not whole numbers"):
        read_labels(seg(tmp_path / "a.nrrd", LABELS + np.float32(0.5)))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_another_order_of_the_same_voxels_is_put_on_the_scan(axis: int) -> None:
    place = PLACE.copy()
    other = (axis + 1) % 3  # two axes are turned, so that it stays right-handed
    for one in (axis, other):
        place[:3, 3] += place[:3, one] * (LABELS.shape[one] - 1)
        place[:3, one] *= -1
    mask = Mask(Grid((4, 5, 6), place), np.flip(LABELS == 1, (axis, other)).copy())
    moved = moved_to(mask, GRID)
    assert np.array_equal(moved.voxels, LABELS == 1)
    assert moved.grid is GRID


def test_swapped_axes_are_put_on_the_scan() -> None:
    mask = Mask(Grid((5, 6, 4), PLACE[:, [1, 2, 0, 3]]), np.transpose(LABELS == 7, (1, 2, 0)).copy())
    assert np.array_equal(moved_to(mask, GRID).voxels, LABELS == 7)


def test_a_cropped_box_is_put_into_its_place() -> None:
    place = PLACE.copy()
    place[:3, 3] = GRID.to_lps((1, 1, 2))
    mask = Mask(Grid((1, 2, 3), place), np.ones((1, 2, 3), bool))
    assert np.array_equal(moved_to(mask, GRID).voxels, LABELS == 1)


@pytest.mark.parametrize("shift", [(0.05, 0, 0), (0, 0.6, 0), (0, 0, 0.03)])
def test_what_lies_between_the_voxels_is_refused(shift: Any) -> None:
    place = PLACE.copy()
    place[:3, 3] += shift
    with pytest.raises(BadInput, match="does not lie on the voxels"):
        moved_to(Mask(Grid((4, 5, 6), place), LABELS == 1), GRID)


def test_what_lies_outside_is_refused() -> None:
    place = PLACE.copy()
    place[:3, 3] -= place[:3, 0]
    with pytest.raises(BadInput, match="outside that scan"):
        moved_to(Mask(Grid((4, 5, 6), place), np.ones((4, 5, 6), bool)), GRID)


@pytest.mark.real_data
def test_a_real_label_map_lies_on_its_scan(shared_data: Path) -> None:
    folder = shared_data / "ct_totalseg_small"
    scan, _ = read_volume(folder / "example_ct_sm.nii.gz", "CT")
    masks, _, _ = read_labels(folder / "example_seg.nii.gz")
    truth = np.asanyarray(nibabel.load(folder / "example_seg.nii.gz").dataobj)
    assert len(masks) == len(np.unique(truth)) - 1 == 41
    vertebra = moved_to(masks["label_30"], scan.grid)
    assert scan.voxels[vertebra.voxels].mean() > 100 + scan.voxels.mean()
