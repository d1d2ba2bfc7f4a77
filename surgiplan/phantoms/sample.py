"""The small ready-made examples of `sample_data/`: `python -m surgiplan.phantoms.sample FOLDER`."""

import json
import sys
from pathlib import Path

from ..formats.meshes import write_mesh
from ..values import Vec3
from . import Chirality, Limb, Skull, SpherePhantom

_NOTES = {"made by": "surgiplan from a formula, not a patient"}


def write_samples(folder: Path) -> None:
    """Write the examples: two DICOM series, two STL shapes, and what is true of them.

    folder: where to; made when it does not exist. Less than 3 MB in all, and always the same bytes.
    """
    chirality, sphere, limb, skull = Chirality(), SpherePhantom(), Limb(), Skull()
    chirality.write(folder / "chirality")
    sphere.write(folder / "sphere", noise_hu=15.0)
    write_mesh(limb.mesh(4.0), folder / "limb.stl", notes=_NOTES)
    write_mesh(skull.patch_mesh(1.25), folder / "skull_patch.stl", notes=_NOTES)
    rounds = {str(z): round(limb.circumference_mm(z), 6) for z in (60.0, 100.0, 140.0)}
    truth = {
        "units": "mm, mm3, HU; points are patient LPS; volumes are those of the formula, not of the mesh",
        "chirality": {name: _rounded(one.centre_lps) for name, one in chirality.markers.items()},
        "sphere": {
            "centre_lps": _rounded(sphere.centre),
            "volume_mm3": round(sphere.volume_mm3, 3),
            "level_hu": sphere.level_hu,
        },
        "limb.stl": {"volume_mm3": round(limb.volume_mm3, 2), "circumference_mm_at_height": rounds},
        "skull_patch.stl": {"volume_mm3": round(skull.patch_volume_mm3, 1)},
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")


def _rounded(point: Vec3) -> list[float]:
    return [round(x, 6) for x in point]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m surgiplan.phantoms.sample FOLDER")
    write_samples(Path(sys.argv[1]))
