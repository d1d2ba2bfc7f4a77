"""Small DICOM series of known content for these tests, and ways to spoil them."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian
from scipy.spatial.transform import Rotation

from surgiplan.formats import dicom
from surgiplan.formats.dicomwrite import write_series
from surgiplan.values import Grid, Volume

FRAME = "1.2.826.0.1.3680043.8.498.1"
J2K, JPEG_LOSSLESS = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.70"


def grid(shape=(5, 6, 7), spacing=(2.5, 0.7, 0.4), origin=(-31.0, 12.5, 104.25), turned=(0, 0, 0)) -> Grid:
    """A grid with axial slices, or slices turned by rotation-vector angles in degrees."""
    ijk = Rotation.from_rotvec(turned, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = ijk[:, ::-1] * np.asarray(spacing)
    affine[:3, 3] = origin
    return Grid(shape, affine, FRAME)


def volume(where: Grid | None = None, seed: int = 0, low: int = -1000, high: int = 3000) -> Volume:
    where = where or grid()
    values = np.random.default_rng(seed).integers(low, high, where.shape_kji)
    return Volume(where, values.astype(np.int16))


def written(folder: Path, of: Volume | None = None, **how) -> list[Path]:
    return write_series(of or volume(), folder, **{"seed_uid": "test", **how})


def edited(files: Iterable[Path], change: Callable[[Dataset], object]) -> None:
    """Change the data sets of files in place."""
    for path in files:
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path, enforce_file_format=True)


def recoded(path: Path, uid: str) -> None:
    """Store the same pixels in a transfer syntax that the writer does not offer."""
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array
    if uid == ExplicitVRBigEndian:
        dataset["PixelData"].value = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        fresh = Dataset(dataset)
        fresh.file_meta = dataset.file_meta
        pydicom.dcmwrite(path, fresh, enforce_file_format=True)
        return
    if uid == J2K:
        coded = imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", level=0, reversible=True)
    else:
        coded = imagecodecs.ljpeg_encode(pixels.view("u2"), bitspersample=16)
    dataset.PixelData = encapsulate([coded])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = uid
    dataset.save_as(path, enforce_file_format=True)


def without_meta(path: Path) -> None:
    """Take preamble and meta information away, as very old files have none."""
    dataset = Dataset(pydicom.dcmread(path))
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, implicit_vr=True, little_endian=True)
    path.write_bytes(buffer.getvalue())


def only(path: Path) -> dicom.Series:
    """The one series that is there."""
    (series,) = dicom.scan(path).series
    return series


def texts(found: dicom.Scan) -> str:
    """All that a scan says."""
    said = [*found.notes]
    for series in found.series:
        said += [series.reason, *series.warnings]
    return "\n".join(said)
