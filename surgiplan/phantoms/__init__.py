"""Shapes of known truth, made by code: arrays, meshes and DICOM series with their closed forms."""

from collections.abc import Mapping
from pathlib import Path

from ..errors import Usage
from ..progress import Report, silent
from .bodies import EllipsoidPhantom, ShellPhantom, SpherePhantom, TorusPhantom
from .chirality import Chirality
from .femur import Femur, Screw
from .fibula import Fibula
from .hip import CupAngles, Hip
from .limb import Limb, SocketTruth, rectified
from .mandible import Mandible
from .phantom import Phantom, mesh_of
from .skull import Skull
from .tibia import Tibia
from .vertebra import Vertebra

PHANTOMS: Mapping[str, type[Phantom]] = {
    "sphere": SpherePhantom,
    "ellipsoid": EllipsoidPhantom,
    "torus": TorusPhantom,
    "shell": ShellPhantom,
    "chirality": Chirality,
    "femur": Femur,
    "hip": Hip,
    "mandible": Mandible,
    "skull": Skull,
    "limb": Limb,
    "tibia": Tibia,
    "fibula": Fibula,
    "vertebra": Vertebra,
}
"""All phantoms by name; each can be made without arguments."""


def write_phantom(
    name: str,
    folder: Path,
    *,
    noise_hu: float = 0.0,
    psf_sigma_mm: float = 0.0,
    seed: int = 0,
    report: Report = silent,
) -> Path:
    """Write a phantom as a DICOM series; the same arguments give the same bytes.

    name: one of PHANTOMS
    folder: where to; made when it does not exist
    noise_hu: standard deviation of white noise
    psf_sigma_mm: standard deviation of the scanner's blur in mm
    seed: of the noise
    report: told how far it is; may raise Cancelled
    Gives the folder. Raises Usage for an unknown name, CaseError when the disk fails.
    """
    if name not in PHANTOMS:
        raise Usage(f"There is no phantom {name!r}. Choose one of: {', '.join(PHANTOMS)}.")
    return PHANTOMS[name]().write(
        folder, noise_hu=noise_hu, psf_sigma_mm=psf_sigma_mm, seed=seed, report=report
    )


__all__ = [
    "PHANTOMS",
    "Chirality",
    "CupAngles",
    "EllipsoidPhantom",
    "Femur",
    "Fibula",
    "Hip",
    "Limb",
    "Mandible",
    "Phantom",
    "Screw",
    "ShellPhantom",
    "Skull",
    "SocketTruth",
    "SpherePhantom",
    "Tibia",
    "TorusPhantom",
    "Vertebra",
    "mesh_of",
    "rectified",
    "write_phantom",
]
