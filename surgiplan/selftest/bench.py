"""The full chain of this installation: scan -> DICOM -> read -> threshold -> surface -> STL -> read."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import StepFailed
from ..formats import dicom, meshes
from ..formats.dicom.dicomwrite import write_series
from ..ops.keep_part import KeepPart
from ..ops.surface import Surface
from ..ops.threshold import Threshold
from ..phantoms import Phantom
from ..plan.operation import Ref
from ..plan.work import Work
from ..values import FloatArray, Grid, Mask, Mesh, Part, Vec3, Volume

_MOST_PLACES = 40_000


@dataclass(frozen=True)
class Walked:
    """What came out at each station of the chain.

    scanned: what the scanner of the phantom saw
    volume: the same, read from its DICOM files
    mask, part: the chosen voxels and their surface
    mesh: the surface read again from its STL file
    """

    phantom: Phantom
    scanned: Volume
    volume: Volume
    mask: Mask
    part: Part
    mesh: Mesh

    def errors_mm(self) -> FloatArray:
        """Signed distances of the surface in the file from the truth: corners and middles of triangles."""
        return errors_mm(self.phantom, self.mesh)

    def volume_percent(self, true_mm3: float) -> float:
        """How far the volume in the file is off, without sign."""
        return 100 * abs(self.mesh.volume_mm3 / true_mm3 - 1)


@dataclass
class Bench:
    """Where the phantoms are walked through the chain; what was walked once is kept.

    folder: a temporary folder
    quick: whether fewer shapes and fewer random cases are to do
    """

    folder: Path
    quick: bool = False
    _walked: dict[str, Walked] = field(default_factory=dict)

    def few(self, quick: int, full: int) -> int:
        """How many of something to do."""
        return quick if self.quick else full

    def walk(
        self,
        phantom: Phantom,
        spacing_kji: Vec3 | None = None,
        *,
        noise_hu: float = 0.0,
        grid: Grid | None = None,
        largest: bool = True,
    ) -> Walked:
        """Walk a phantom through the whole chain.

        spacing_kji: of its scan in mm; its usual one when None
        noise_hu: standard deviation of white noise
        grid: any other grid to scan on
        largest: whether to keep the largest part alone, as one does in a noisy scan
        """
        key = f"{phantom} {spacing_kji} {noise_hu} {grid and grid.kji_to_lps.tolist()} {largest}"
        if key not in self._walked:
            self._walked[key] = self._through(phantom, spacing_kji, noise_hu, grid, largest)
        return self._walked[key]

    def _through(
        self, phantom: Phantom, spacing: Vec3 | None, noise_hu: float, grid: Grid | None, largest: bool
    ) -> Walked:
        scanned = phantom.volume(spacing, noise_hu=noise_hu, grid=grid)
        volume = self.read_again(scanned)
        mask = Threshold(volume=Ref("ct"), low=phantom.level_hu, high=5000).run(Work(), volume)
        if largest:
            mask = KeepPart(mask=Ref("mask")).run(Work(), mask)
        part = Surface(volume=Ref("ct"), mask=Ref("mask")).run(Work(), volume, mask)
        return Walked(phantom, scanned, volume, mask, part, self.through_file(part, ".stl"))

    def read_again(self, volume: Volume) -> Volume:
        """Write a volume as a DICOM series and read it; StepFailed when it cannot be used."""
        folder = self.fresh()
        write_series(volume, folder)
        return only_series(folder)

    def through_file(self, part: Part, suffix: str) -> Mesh:
        """Write a shape into a file of this kind and read it."""
        file = self.fresh().with_suffix(suffix)
        meshes.write_mesh(part, file)
        mesh, _ = meshes.read_mesh(file)
        return mesh

    def fresh(self) -> Path:
        """A path in the folder at which nothing is yet."""
        return self.folder / f"{sum(1 for _ in self.folder.iterdir())}"


def only_series(folder: Path) -> Volume:
    """Read the one series of a folder; StepFailed when it is not one that can be used."""
    series = dicom.scan(folder).series
    if len(series) != 1 or not series[0].usable:
        raise StepFailed(f"the phantom came back as {len(series)} series: {[one.reason for one in series]}")
    return dicom.read_series(series[0])


def errors_mm(phantom: Phantom, mesh: Mesh) -> FloatArray:
    """Signed distances (n,) of corners and middles of triangles from the true surface."""
    points = mesh.points.astype(np.float64)
    places = np.concatenate([points, points[mesh.triangles].mean(axis=1)])
    return phantom.surface_distance(places[:: 1 + len(places) // _MOST_PLACES])


def rms(values: FloatArray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(values).mean()))
