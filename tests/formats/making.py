"""Small DICOM series of known content for these tests, and ways to spoil them."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)
from pydicom.valuerep import DSfloat
from scipy.spatial.transform import Rotation

from surgiplan.formats import dicom
from surgiplan.formats.dicom.dicomwrite import uid_of, write_series
from surgiplan.values import Grid, Volume

FRAME = "1.2.826.0.1.3680043.8.498.1"
CT_IMAGE, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
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


# --- two balls of known place, scanned in any way


BIG, SMALL = (1500.0, 5.0), (700.0, 3.5)
"""Brightness in the middle (HU above air) and standard deviation (mm) of two round, soft-edged balls."""
BALLS_MM = ((2.5, -3.0, 1.5), (-5.5, 4.0, -6.0))
STEEPEST = sum(bright / sigma**2 for bright, sigma in (BIG, SMALL))
"""No second derivative of the phantom is larger, HU / mm^2: that of a Gaussian is largest in its middle."""


def two_balls(points_lps: NDArray, centre: NDArray) -> NDArray:
    """HU at points (..., 3) in patient mm."""
    hu = np.full(points_lps.shape[:-1], -1000.0)
    for (bright, sigma), at in zip((BIG, SMALL), BALLS_MM, strict=True):
        away = points_lps - (centre + at)
        hu += bright * np.exp(-(away**2).sum(axis=-1) / (2 * sigma**2))
    return hu


def slopes_of_two_balls(points_lps: NDArray, centre: NDArray) -> NDArray:
    """Gradient (..., 3) in HU per mm."""
    gradient = np.zeros(points_lps.shape)
    for (bright, sigma), at in zip((BIG, SMALL), BALLS_MM, strict=True):
        away = points_lps - (centre + at)
        hill = bright * np.exp(-(away**2).sum(axis=-1) / (2 * sigma**2))
        gradient -= hill[..., None] * away / sigma**2
    return gradient


@dataclass(frozen=True)
class Coding:
    """How values are stored: syntax, bits, sign, and the slope and intercept of each slice."""

    syntax: str
    allocated: int
    stored: int
    signed: bool
    slopes: tuple[float, ...]
    intercept: float

    def stored_of(self, hu: NDArray, k: int) -> NDArray:
        kind = np.dtype(f"{'i' if self.signed else 'u'}{self.allocated // 8}")
        steps = np.rint((hu - self.intercept) / self.slopes[k])
        low = -(2 ** (self.stored - 1)) if self.signed else 0
        assert low <= steps.min() <= steps.max() < low + 2**self.stored, "the phantom does not fit these bits"
        return steps.astype(kind)

    def measured(self, stored: NDArray, k: int) -> NDArray:
        return stored * self.slopes[k] + self.intercept


@dataclass(frozen=True)
class Stack:
    """What was scanned: where each slice lies in patient mm, and what is stored of it.

    axes: 3x3, columns along a row, down a column, and their normal
    pixel: mm between rows, and between columns
    starts: (n, 3) the first pixel of each slice
    """

    axes: NDArray
    pixel: tuple[float, float]
    size: tuple[int, int]
    starts: NDArray
    centre: NDArray
    coding: Coding

    @classmethod
    def round_a_centre(cls, axes, pixel, size, distances, lean, centre, coding) -> "Stack":
        """Slices at these distances along the normal, drifting by `lean` mm per mm along rows and columns."""
        along = np.asarray(distances) - (distances[0] + distances[-1]) / 2
        half = np.array([(size[1] - 1) * pixel[1], (size[0] - 1) * pixel[0]]) / 2
        local = np.column_stack([np.outer(along, lean) - half, along])
        return cls(axes, pixel, size, centre + local @ axes.T, centre, coding)

    def pixels_lps(self, k: int) -> NDArray:
        rows, columns = np.indices(self.size)
        across = columns[..., None] * self.pixel[1] * self.axes[:, 0]
        return self.starts[k] + across + rows[..., None] * self.pixel[0] * self.axes[:, 1]

    def stored(self, k: int) -> NDArray:
        return self.coding.stored_of(two_balls(self.pixels_lps(k), self.centre), k)

    def hu(self, k: int) -> NDArray:
        return self.coding.measured(self.stored(k), k)

    def between(self, points_lps: NDArray) -> tuple[NDArray, NDArray]:
        """HU at points (n, 3), linear between two slices, and which of them lie between pixels of both."""
        local, starts = points_lps @ self.axes, self.starts @ self.axes
        starts = starts[np.argsort(starts[:, 2])]
        below = np.searchsorted(starts[:, 2], local[:, 2] + 1e-6) - 1
        within = (below >= 0) & (local[:, 2] <= starts[-1, 2] + 1e-6)
        below = np.clip(below, 0, len(starts) - 2)
        most = np.array([(self.size[1] - 1) * self.pixel[1], (self.size[0] - 1) * self.pixel[0]])
        share = (local[:, 2] - starts[below, 2]) / (starts[below + 1, 2] - starts[below, 2])
        hu = np.zeros(len(local))
        for n, part in ((below, 1 - share), (below + 1, share)):
            away = local[:, :2] - starts[n, :2]
            in_picture = ((away >= -1e-6) & (away <= most + 1e-6)).all(axis=1)
            within &= in_picture | (part < 1e-6)
            flat = np.column_stack([local[:, :2], starts[n, 2]]) @ self.axes.T
            hu += part * two_balls(flat, self.centre)
        return hu, within


def image(stack: Stack, k: int, seed: str, **elements) -> Dataset:
    """One slice as a data set without its pixels; UIDs follow from the seed."""
    dataset, coding = Dataset(), stack.coding
    about = {
        "SOPClassUID": CT_IMAGE,
        "SOPInstanceUID": uid_of(seed, "image", str(k)),
        "StudyInstanceUID": uid_of(seed, "study"),
        "SeriesInstanceUID": uid_of(seed, "series"),
        "FrameOfReferenceUID": uid_of(seed, "frame"),
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "PatientID": "PHANTOM",
        "PatientName": "Two^Balls",
        "InstanceNumber": k + 1,
        "SliceThickness": 7.5,  # never believed
        "RescaleSlope": DSfloat(stack.coding.slopes[k], auto_format=True),
        "RescaleIntercept": DSfloat(coding.intercept, auto_format=True),
        "ImagePositionPatient": [DSfloat(x, auto_format=True) for x in stack.starts[k]],
        "ImageOrientationPatient": [DSfloat(x, auto_format=True) for x in stack.axes[:, :2].T.ravel()],
        "PixelSpacing": [DSfloat(x, auto_format=True) for x in stack.pixel],
        "Rows": stack.size[0],
        "Columns": stack.size[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": coding.allocated,
        "BitsStored": coding.stored,
        "HighBit": coding.stored - 1,
        "PixelRepresentation": int(coding.signed),
    }
    for name, value in (about | elements).items():
        setattr(dataset, name, value)
    return dataset


def saved(dataset: Dataset, pictures: list[NDArray], path: Path, syntax: str) -> Path:
    """Write a data set with its pictures in any transfer syntax that can be written here."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if syntax in COMPRESSED:
        coded = [_compressed(one, dataset, syntax) for one in pictures]
        dataset.add_new("PixelData", "OB", encapsulate(coded))
        dataset["PixelData"].is_undefined_length = True
    else:
        data = b"".join(one.astype(one.dtype.newbyteorder(order)).tobytes() for one in pictures)
        words = "OB" if dataset.BitsAllocated == 8 else "OW"  # the bytes of words would be swapped
        dataset.add_new("PixelData", words, data + b"\0" * (len(data) % 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _compressed(picture: NDArray, dataset: Dataset, syntax: str) -> bytes:
    if syntax == JPEG_LOSSLESS:
        bits = 8 * picture.itemsize
        return imagecodecs.ljpeg_encode(picture.view(f"u{picture.itemsize}"), bitspersample=bits)
    if syntax == J2K:
        how = {"codecformat": "j2k", "level": 0, "reversible": True}
        return imagecodecs.jpeg2k_encode(picture, bitspersample=dataset.BitsStored, **how)
    return get_encoder(syntax).encode(
        picture,
        rows=dataset.Rows,
        columns=dataset.Columns,
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=dataset.BitsAllocated,
        bits_stored=dataset.BitsStored,
        pixel_representation=dataset.PixelRepresentation,
    )


COMPRESSED = (RLELossless, JPEGLSLossless, J2K, JPEG_LOSSLESS)
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    *COMPRESSED,
)


def macro(**elements) -> Sequence:
    """A functional group macro: a sequence of one item with these elements."""
    item = Dataset()
    for name, value in elements.items():
        setattr(item, name, value)
    return Sequence([item])


def enhanced(stack: Stack, order: list[int], seed: str, **content: list) -> Dataset:
    """The slices as frames of one Enhanced CT object; `content` gives elements of FrameContent per frame."""
    dataset = image(stack, 0, seed, SOPClassUID=ENHANCED_CT, NumberOfFrames=len(order))
    groups, shared = [], Dataset()
    for n, k in enumerate(order):
        one, group = image(stack, k, seed), Dataset()
        group.PlanePositionSequence = macro(ImagePositionPatient=one.ImagePositionPatient)
        group.FrameContentSequence = macro(**{name: values[n] for name, values in content.items()})
        group.PixelValueTransformationSequence = macro(
            RescaleSlope=one.RescaleSlope, RescaleIntercept=one.RescaleIntercept, RescaleType="HU"
        )
        groups.append(group)
    shared.PixelMeasuresSequence = macro(PixelSpacing=dataset.PixelSpacing, SliceThickness=1)
    shared.PlaneOrientationSequence = macro(ImageOrientationPatient=dataset.ImageOrientationPatient)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(dataset, name)
    del dataset.RescaleSlope, dataset.RescaleIntercept
    return dataset
