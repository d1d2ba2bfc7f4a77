"""DICOM series of 512 x 512 pixels for the benchmarks, in every syntax that is measured."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.phantoms import Skull
from surgiplan.values import Grid, Volume

SIDE = 512
_BITS = 12

SYNTAXES: Mapping[str, tuple[str, Callable[[NDArray[np.uint16]], bytes] | None]] = {
    "native": (ExplicitVRLittleEndian, None),
    "RLE": (RLELossless, None),
    "JPEG SV1": (JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a, bitspersample=_BITS)),
    "JPEG-LS": (JPEGLSLossless, None),
    "JPEG 2000": (
        JPEG2000Lossless,
        lambda a: imagecodecs.jpeg2k_encode(
            a, codecformat="j2k", level=0, reversible=True, bitspersample=_BITS
        ),
    ),
    "HTJ2K": (HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True)),
    "deflate": (DeflatedExplicitVRLittleEndian, None),
}


def head(slices: int) -> Volume:
    """A head with noise: the phantom skull, taken coarsely, spread over the grid, with 15 HU of noise."""
    coarse = Skull().volume((4.0, 2.0, 2.0)).voxels
    chance = np.random.default_rng(5)
    picks = [
        np.linspace(0, size - 1, count).round().astype(int)
        for size, count in zip(coarse.shape, (slices, SIDE, SIDE), strict=True)
    ]
    voxels = coarse[np.ix_(*picks)]
    for k in range(slices):
        noise = 15 * chance.standard_normal((SIDE, SIDE), np.float32)
        voxels[k] = np.clip(voxels[k] + noise, -1024, 3071)
    affine = np.array([[0, 0, 0.45, -115], [0, 0.45, 0, -115], [0.6, 0, 0, 0], [0, 0, 0, 1]], float)
    return Volume(Grid((slices, SIDE, SIDE), affine), voxels)


def native(folder: Path, slices: int) -> list[Path]:
    """An uncompressed series whose headers are as long as those of scanners."""
    files = write_series(head(slices), folder, seed_uid="benchmark", name="Bench^Mark")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_lengthened, files))
    return files


def _lengthened(path: Path) -> None:
    dataset = pydicom.dcmread(path)
    for block in range(3):
        private = dataset.private_block(0x0043 + 2 * block, f"SCANNER {block}", create=True)
        for n in range(40):
            private.add_new(n, ("LO", "DS", "SS", "FD")[n % 4], ("some text", "1.25", 7, 2.5)[n % 4])
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-D1100", "SRT", "Head"
    for keyword in ("AnatomicRegionSequence", "ProcedureCodeSequence", "RequestAttributesSequence"):
        setattr(dataset, keyword, Sequence([item]))
        dataset[keyword].is_undefined_length = keyword != "ProcedureCodeSequence"
    for keyword in ("ExposureTime", "XRayTubeCurrent", "Exposure", "GeneratorPower", "SeriesNumber"):
        setattr(dataset, keyword, 100)
    dataset.save_as(path)


def recoded(files: list[Path], folder: Path, syntax: str) -> None:
    """The same series in another transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    uid, encode = SYNTAXES[syntax]

    def recode(path: Path) -> None:
        dataset = pydicom.dcmread(path)
        if encode is not None:
            if uid == HTJ2KLossless:  # its encoder knows whole words alone
                dataset.BitsStored, dataset.HighBit = 16, 15
            dataset.PixelData = encapsulate([encode(dataset.pixel_array)])
            dataset["PixelData"].is_undefined_length = True
        elif uid != DeflatedExplicitVRLittleEndian:
            dataset.compress(uid, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = uid
        dataset.save_as(folder / path.name)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(recode, files))


def copies(files: list[Path], folder: Path, count: int) -> None:
    """So many files: the series again and again, each time with other UIDs of the same length."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        path = files[n % len(files)]
        data, dataset = path.read_bytes(), pydicom.dcmread(path, stop_before_pixels=True)
        for uid in (dataset.SeriesInstanceUID, dataset.SOPInstanceUID):
            other = (
                f"{uid[:-4]}{n // len(files):04d}"
                if uid == dataset.SeriesInstanceUID
                else f"{uid[:-6]}{n:06d}"
            )
            data = data.replace(uid.encode(), other.encode())
        (folder / f"{n:05d}.dcm").write_bytes(data)


def tiny(files: list[Path], folder: Path) -> None:
    """Three slices, on which a reader loads what it loads late."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files[:3]:
        (folder / path.name).write_bytes(path.read_bytes())
