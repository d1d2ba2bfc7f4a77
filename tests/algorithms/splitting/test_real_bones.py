"""What parting bones can do on a real scan, of voxels as large as its joint spaces."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from surgiplan.algorithms.masks.parts import largest_parts
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.splitting.bones import part_bones
from surgiplan.formats import dicom

pytestmark = pytest.mark.real_data


def test_the_two_sides_of_a_pelvis_and_the_filled_bladder_come_apart(shared_data: Path) -> None:
    """Left, right and the bladder with the sacrum, each more than 100 ml; the femora stay with their side."""
    series = dicom.scan(shared_data / "ct_body_coronal/coronal_CView.zip").series[0]
    scan = dicom.read_series(series)
    mask = largest_parts(threshold(scan, 200, 4000))
    assert mask.volume_mm3 > 700_000
    parts, _ = ndimage.label(part_bones(scan, mask, bridge_mm=5.0, dip=40.0).voxels)
    sizes = np.bincount(parts.ravel())[1:] * scan.grid.voxel_mm3
    large = 1 + np.flatnonzero(sizes > 100_000)
    middles = sorted(scan.grid.to_lps(np.argwhere(parts == n)).mean(axis=0)[0] for n in large)
    assert len(large) == 4  # the fourth is the gut with its contrast medium
    assert middles[-1] - middles[0] > 120
