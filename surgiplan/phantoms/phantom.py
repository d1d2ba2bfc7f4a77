"""What all phantoms share: bodies of known shape in a patient, and how they are scanned."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..algorithms.border import border_of
from ..formats.dicom.dicomwrite import uid_of, write_series
from ..progress import Report, part_of, silent
from ..values import FloatArray, Grid, Mesh, Part, Pose, Vec3, Volume, given_away, vec3
from .scanner import Material, axial_grid, scan
from .shape import Shape

_HALVINGS = 40


@dataclass(frozen=True)
class Phantom(ABC):
    """A thing whose shape, place and measures are known, and that can be scanned.

    Its parameters are its fields; its truth is its properties, computed from them.
    """

    patient: ClassVar[str]
    """Name of the imagined patient; phantoms of one patient share a frame of reference."""
    description: ClassVar[str]
    """What a series of it is called."""
    series_number: ClassVar[int] = 1
    """Which series of its patient it is."""
    spacing_kji: ClassVar[Vec3]
    """Usual voxel spacing along k, j and i in mm."""
    background_hu: ClassVar[float] = -1000.0
    """What is where no body is."""

    @property
    @abstractmethod
    def materials(self) -> tuple[Material, ...]:
        """Bodies and their HU; a later one takes the place of earlier ones."""

    @property
    @abstractmethod
    def surface(self) -> Shape:
        """The body whose surface is to be found."""

    @property
    @abstractmethod
    def level_hu(self) -> float:
        """The grey value half-way between that body and what surrounds it."""

    @property
    @abstractmethod
    def scan_box(self) -> FloatArray:
        """(2, 3) lowest and highest corner of what a scan covers, LPS mm."""

    @property
    def frame_uid(self) -> str:
        """DICOM Frame of Reference UID of the patient."""
        return uid_of(self.patient, "frame")

    def grid(self, spacing_kji: Vec3 | None = None) -> Grid:
        """Lay the usual axial grid.

        spacing_kji: voxel spacing along k, j and i in mm; None takes the usual one
        """
        return axial_grid(self.scan_box, spacing_kji or self.spacing_kji, self.frame_uid)

    def volume(
        self,
        spacing_kji: Vec3 | None = None,
        *,
        noise_hu: float = 0.0,
        psf_sigma_mm: float = 0.0,
        seed: int = 0,
        grid: Grid | None = None,
        report: Report = silent,
    ) -> Volume:
        """Scan it: partial volume, then blur, then noise; the same arguments give the same voxels.

        spacing_kji: voxel spacing along k, j and i in mm; None takes the usual one
        noise_hu: standard deviation of white noise
        psf_sigma_mm: standard deviation of the scanner's blur in mm
        seed: of the noise
        grid: any other grid (oblique, coronal ...) to scan on; spacing_kji then says nothing
        report: told how far it is; may raise Cancelled
        """
        return scan(
            self.materials,
            grid or self.grid(spacing_kji),
            background_hu=self.background_hu,
            psf_sigma_mm=psf_sigma_mm,
            noise_hu=noise_hu,
            seed=seed,
            report=report,
        )

    def write(
        self,
        folder: Path,
        *,
        noise_hu: float = 0.0,
        psf_sigma_mm: float = 0.0,
        seed: int = 0,
        report: Report = silent,
    ) -> Path:
        """Scan it and write the scan as a DICOM series; the same arguments give the same bytes.

        Phantoms of one patient, scanned alike, are series of one study.

        folder: where to; made when it does not exist
        noise_hu, psf_sigma_mm, seed, report: as for `volume`
        Gives the folder. Raises CaseError when the disk fails.
        """
        changed = "" if self == type(self)() else repr(self)
        scanning = part_of(report, 0.0, 0.6)
        write_series(
            self.volume(noise_hu=noise_hu, psf_sigma_mm=psf_sigma_mm, seed=seed, report=scanning),
            folder,
            name=f"Phantom^{self.patient.title()}",
            patient_id=f"PHANTOM-{self.patient}",
            description=self.description,
            series_number=self.series_number,
            seed_uid=f"{self.patient} {noise_hu:g} {psf_sigma_mm:g} {seed} {changed}",
            report=part_of(report, 0.6, 1.0),
        )
        return folder

    def surface_distance(self, points_lps: ArrayLike) -> FloatArray:
        """Judge a mesh: signed distances (n,) in mm of points to the true surface, negative inside.

        points_lps: (n, 3) mm, near the surface
        """
        return self.surface.distance(points_lps)

    def mesh(self, spacing_mm: float = 1.0) -> Part:
        """Make a fine closed mesh whose corners lie on the true surface.

        spacing_mm: about the length of its edges
        """
        return Part(mesh_of(self.surface, self.scan_box, spacing_mm), frame_uid=self.frame_uid)


def mesh_of(shape: Shape, box_lps: FloatArray, spacing_mm: float) -> Mesh:
    """Triangulate a body: corners on its surface, flat between them.

    shape: the body
    box_lps: (2, 3) lowest and highest corner of a box that holds it, mm
    spacing_mm: about the length of the edges; thinner walls than that get lost
    """
    grid = axial_grid(box_lps + np.array([[-2], [2]]) * spacing_mm, (spacing_mm,) * 3)
    inside = np.empty(grid.shape_kji, np.uint8)
    slab = np.indices((1, *grid.shape_kji[1:])).reshape(3, -1)
    for k in range(grid.shape_kji[0]):
        slab[0] = k
        inside[k] = (shape.field(grid.to_lps(slab.T)) < 0).reshape(grid.shape_kji[1:])
    border = border_of(inside)
    start = grid.to_lps(border.low_kji)
    step = grid.kji_to_lps[:3, :3].T[border.axis]
    starts_inside = shape.field(start) < 0
    low, high = np.zeros(len(start)), np.ones(len(start))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = (shape.field(start + middle[:, None] * step) < 0) == starts_inside
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    points = shape.nearer(shape.nearer(grid.to_lps(border.at((low + high) / 2))))
    return Mesh(given_away(points.astype(np.float32)), border.triangles)


def grown(box_lps: FloatArray, below: Vec3, above: Vec3) -> FloatArray:
    """Make a box larger: by `below` mm at its lowest corner, by `above` mm at its highest; (2, 3) LPS mm."""
    larger: FloatArray = box_lps + np.stack([np.negative(below), np.asarray(above)])
    return larger


def placed(pose: Pose, point: ArrayLike) -> Vec3:
    """Carry a point from a phantom's own coordinates into the patient."""
    return vec3(pose.apply(point))
