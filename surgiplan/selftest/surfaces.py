"""Surfaces from scans: how near to the truth they are, and that they are solids."""

from collections.abc import Iterator

import numpy as np

from ..algorithms.crossing import crossings
from ..algorithms.distance import SignedDistance
from ..algorithms.smooth import Kind, smooth, taubin
from ..algorithms.solid import require_solid
from ..algorithms.spread import spread
from ..algorithms.surface import voxel_surface
from ..phantoms import EllipsoidPhantom, Phantom, ShellPhantom, SpherePhantom, TorusPhantom
from ..phantoms.chirality import pieces_of
from ..values import FloatArray, Mesh, Part, Vec3
from .bench import Bench, errors_mm, rms
from .row import Figure

USUAL, THICK, FINE = (1.0, 0.8, 0.8), (2.5, 0.8, 0.8), (0.5, 0.5, 0.5)
_FILTERS: tuple[Kind, ...] = ("windowed-sinc", "taubin")
_STRENGTHS = (0.5, 1.0)


def judged(
    phantoms: tuple[Phantom, ...], spacing: Vec3, rms_mm: float, max_mm: float, bench: Bench
) -> Iterator[Figure]:
    """RMS and largest error of the surface in the file, for each phantom."""
    for phantom in phantoms:
        away = bench.walk(phantom, spacing).errors_mm()
        yield Figure(f"{phantom.description}, RMS", rms(away), rms_mm)
        yield Figure(f"{phantom.description}, largest", float(np.abs(away).max()), max_mm)


def usual(bench: Bench) -> Iterator[Figure]:
    """Voxels of 0.8 x 0.8 x 1.0 mm."""
    return judged((SpherePhantom(), TorusPhantom()), USUAL, 0.05, 0.20, bench)


def thick(bench: Bench) -> Iterator[Figure]:
    """Voxels of 0.8 x 0.8 x 2.5 mm."""
    return judged((SpherePhantom(), TorusPhantom()), THICK, 0.15, 0.45, bench)


def fine(bench: Bench) -> Iterator[Figure]:
    """Voxels of 0.5 mm, without noise."""
    for phantom in (SpherePhantom(), TorusPhantom())[: bench.few(1, 2)]:
        away = np.abs(bench.walk(phantom, FINE).errors_mm())
        yield Figure(f"{phantom.description}, mean", float(away.mean()), 0.02)
        yield Figure(f"{phantom.description}, 95th percentile", float(np.percentile(away, 95)), 0.05)


def volumes(bench: Bench) -> Iterator[Figure]:
    """Enclosed volume against the formula."""
    for phantom in (SpherePhantom(), EllipsoidPhantom(), TorusPhantom()):
        off = bench.walk(phantom, USUAL).volume_percent(phantom.volume_mm3)
        yield Figure(f"{phantom.description}, volume", off, 0.5, "%")


def solids(bench: Bench) -> Iterator[Figure]:
    """Surfaces read from their files that are no solids, cross themselves, or have another Euler number."""
    shapes: tuple[tuple[Phantom, int], ...] = (
        (SpherePhantom(), 2),
        (TorusPhantom(), 0),
        (EllipsoidPhantom(), 2),
        (ShellPhantom(), 4),
    )
    bad = 0
    for phantom, euler in shapes:
        mesh = bench.walk(phantom, USUAL).mesh
        require_solid(mesh, phantom.description)
        bad += mesh.euler_number != euler or len(crossings(mesh)) > 0
    yield Figure(f"{len(shapes)} files, not solid or of another shape", bad, 0, "")


def smoothing(bench: Bench) -> Iterator[Figure]:
    """Volume and mean shift by smoothing of ideal shapes, the worst of both filters at all strengths."""
    for phantom in (SpherePhantom(), TorusPhantom(), ShellPhantom())[: bench.few(1, 3)]:
        part = phantom.mesh(2.0)
        changes = [smooth(part, kind, strength).change for kind in _FILTERS for strength in _STRENGTHS]
        volumes = [abs(one.volume_percent) for one in changes if one and one.volume_percent is not None]
        yield Figure(f"{phantom.description}, volume", max(volumes), 0.2, "%")
        shift = max(abs(one.shift_mm) for one in changes if one)
        yield Figure(f"{phantom.description}, mean shift", shift, 0.05)


def noise(noise_hu: float, bench: Bench) -> Iterator[Figure]:
    """The grey surface against the mask smoothed by Taubin's filter, as a share of that one's error."""
    for phantom in (SpherePhantom(), TorusPhantom())[: bench.few(1, 2)]:
        walked = bench.walk(phantom, USUAL, noise_hu=noise_hu)
        rival = errors_mm(phantom, taubin(voxel_surface(walked.mask).mesh))
        share = rms(walked.errors_mm()) / rms(rival)
        yield Figure(f"{phantom.description}, RMS as a share of {rms(rival):.3f} mm", share, 1.0, "")


def little_noise(bench: Bench) -> Iterator[Figure]:
    """Noise of 30 HU at a contrast of 1000."""
    return noise(30.0, bench)


def much_noise(bench: Bench) -> Iterator[Figure]:
    """Noise of 80 HU at a contrast of 1000."""
    return noise(80.0, bench)


def thickness(bench: Bench) -> Iterator[Figure]:
    """The wall of a hollow ball, measured from its outer to its inner surface."""
    shell = ShellPhantom()
    ideal = wall_mm(shell.mesh(0.6).mesh) - shell.thickness_mm
    yield Figure("ideal mesh, largest", float(np.abs(ideal).max()), 0.02)
    scanned = np.abs(wall_mm(bench.walk(shell, USUAL).mesh) - shell.thickness_mm)
    yield Figure("from a scan, mean", float(scanned.mean()), 0.10)
    yield Figure("from a scan, 95th percentile", float(np.percentile(scanned, 95)), 0.10)


def wall_mm(shell: Mesh) -> FloatArray:
    """(n,) thickness of a wall at places spread over its outer surface: the way to the inner one."""
    outer, inner = sorted(
        pieces_of(shell), key=lambda piece: -np.ptp(shell.points[piece.ravel()], axis=0).max()
    )
    places, _ = spread(shell.points.astype(np.float64)[outer], 4000)
    thick: FloatArray = np.abs(SignedDistance(Mesh(shell.points, inner)).at(places))
    return thick


def far_away(bench: Bench) -> Iterator[Figure]:
    """A surface far from the origin, as scanners place them, through its file."""
    made = SpherePhantom(centre=(312.0, -845.0, 1204.0)).mesh(1.0)
    again = bench.through_file(Part(made.mesh), ".stl")
    apart = made.mesh.points[made.mesh.triangles] - again.points[again.triangles]
    yield Figure("STL, largest shift of a corner", float(np.abs(apart).max()), 1e-4)
