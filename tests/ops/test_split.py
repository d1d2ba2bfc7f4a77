import numpy as np
from scipy import ndimage

from surgiplan.ops.keep_part import KeepPart
from surgiplan.ops.split import Split
from surgiplan.plan.operation import Ref
from surgiplan.plan.work import Work
from surgiplan.values import Mask
from tests.ops.shapes import CENTRE, beside, scan_of


def test_two_touching_balls_are_kept_one_by_one() -> None:
    one, other = beside(CENTRE, -6, 0, 0), beside(CENTRE, 6.5, 0, 0)
    volume = scan_of((one, 7.0), (other, 6.0))
    mask = Mask(volume.grid, volume.voxels >= 400, level=400.0)
    assert ndimage.label(mask.voxels)[1] == 1
    parted = Split(volume=Ref("ct"), mask=Ref("m")).run(Work(), volume, mask)
    for seed, radius in ((one, 7.0), (other, 6.0)):
        kept = KeepPart(mask=Ref("parted"), kind="seeds", seeds=(seed,)).run(Work(), parted)
        whole = 4 / 3 * np.pi * (radius + 0.1) ** 3
        assert abs(kept.volume_mm3 - whole) < 0.06 * whole
