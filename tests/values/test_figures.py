import json

import numpy as np
import pytest

from surgiplan.values import Mask, Mesh, Part, digest, figures, fingerprint
from tests.values.samples import FRAME, grid, mask, part, tetra, values, volume

VALUES = values()


@pytest.mark.parametrize(
    "name", ["part", "mask", "int16", "float32", "measurement", "collision", "gap map", "range of motion"]
)
def test_figures_go_into_json_as_they_are(name: str) -> None:
    told = figures(VALUES[name])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_part_is_known_by_volume_area_box_and_triangles() -> None:
    told = figures(Part(tetra(), frame_uid=FRAME))
    assert told["volume_mm3"] == pytest.approx(10)
    assert told["area_mm2"] == pytest.approx((12 + 15 + 20 + np.sqrt(12**2 + 15**2 + 20**2)) / 2)
    assert told["bounds_lps"] == [[0, 0, 0], [3, 4, 5]]
    assert (told["watertight"], told["triangles"]) == (True, 4)


def test_the_box_of_a_part_is_where_it_was_moved_to() -> None:
    moved = part()
    low, high = figures(moved)["bounds_lps"]
    assert np.allclose(low, moved.points_lps.min(axis=0))
    assert np.allclose(high, moved.points_lps.max(axis=0))


def test_a_mask_is_known_by_its_voxels_and_has_no_surface() -> None:
    told = figures(mask())
    low, high = grid().to_lps([1, 1, 2]), grid().to_lps([1, 2, 4])
    assert told["voxels"] == 6
    assert np.allclose(told["bounds_lps"], [np.minimum(low, high), np.maximum(low, high)])
    assert (told["area_mm2"], told["watertight"], told["triangles"]) == (None, None, None)


def test_an_empty_mask_has_no_box() -> None:
    told = figures(Mask(grid(), np.zeros(grid().shape_kji, np.bool_)))
    assert (told["voxels"], told["volume_mm3"], told["bounds_lps"]) == (0, 0, None)


def test_a_scan_is_known_by_its_grid_and_range() -> None:
    told = figures(volume())
    assert told["shape"] == [3, 4, 5]
    assert told["spacing_mm"] == pytest.approx([1.2, 0.7, 0.9])
    assert np.allclose(told["kji_to_lps"], grid().kji_to_lps)
    assert np.allclose(told["bounds_lps"], [[-31.5, 12.25, 77], [-31.5 + 3.6, 12.25 + 2.1, 77 + 2.4]])
    assert (told["lowest"], told["highest"], told["modality"], told["unit"]) == (0, 59, "CT", "HU")


def test_findings_tell_their_numbers() -> None:
    assert figures(VALUES["collision"]) == {
        "depth_mm": 0.5,
        "clearance_mm": 0.0,
        "contained": False,
        "at_lps": [1.5, -2.5, 3.0],
        "error_mm": 0.01,
    }
    assert figures(VALUES["measurement"]) == {
        "value": 12.5,
        "unit": "mm",
        "definition": "distance",
        "expected_error": 0.2,
    }
    assert figures(VALUES["gap map"]) == {
        "mean_mm": 0.1,
        "p95_mm": 0.9,
        "max_mm": 1.0,
        "contact_share": 0.3,
        "contact_mm": 0.5,
    }


def test_several_results_are_told_by_name_and_plain_ones_as_they_are() -> None:
    told = figures({"a": part(), "residual": VALUES["measurement"]})
    assert list(told) == ["a", "residual"]
    assert told["a"]["triangles"] == 4
    assert figures(7) == {"value": 7}
    assert figures(VALUES["plane"])["point"] == [1.5, -2.5, 3.0]


def test_a_fingerprint_has_the_digest_and_for_a_shape_its_topology() -> None:
    told = fingerprint(part())
    assert told["digest"] == digest(part())
    assert told["euler_number"] == 2
    assert told["volume_mm3"] == pytest.approx(10)
    assert "euler_number" not in fingerprint(mask())
    assert fingerprint(mask())["digest"] == digest(mask())


def test_a_shape_without_triangles_has_figures_too() -> None:
    told = figures(Part(Mesh(np.zeros((0, 3)), np.zeros((0, 3)))))
    assert (told["volume_mm3"], told["area_mm2"], told["watertight"]) == (0, 0, False)
    assert told["bounds_lps"] == [[0, 0, 0], [0, 0, 0]]


def test_a_range_of_motion_is_known_by_its_least_angle() -> None:
    told = figures(VALUES["range of motion"])
    assert told["least_deg"] == 40.5
    assert told["least_lps"] == [1.5, -2.5, 3.0]
    assert (told["touching"], told["sides"], told["limit_deg"]) == (1, 2, 90.0)
