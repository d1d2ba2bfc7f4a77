"""A volume as a CT series that any DICOM reader takes, for phantoms and tests."""

import io
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)
from pydicom.valuerep import DSfloat

from ...errors import BadInput
from ...progress import Report, paced, silent
from ...values import Volume, digest
from ..files import not_written

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEGLSLossless)
IMPLEMENTATION = "2.25.168914271830862307154116712304285912733"


def write_series(
    volume: Volume,
    folder: Path,
    *,
    name: str = "Phantom^Sphere",
    patient_id: str = "PHANTOM",
    description: str = "",
    series_number: int = 1,
    study_date: str = "20240101",
    kernel: str = "STANDARD",
    transfer_syntax: str = ExplicitVRLittleEndian,
    seed_uid: str = "",
    slope: float = 1.0,
    report: Report = silent,
) -> list[Path]:
    """Write a volume as a CT Image Storage series, one file per slice, S1_IM00001.dcm onwards.

    volume: any right-handed grid, oblique too; float values are rounded to whole steps of `slope`
    folder: made when it does not exist
    name, patient_id, description, series_number, study_date, kernel: as they shall stand in the files
    transfer_syntax: UID of one of NATIVE or COMPRESSED
    seed_uid: all UIDs derive from it; from the content of the volume when empty. One seed gives one study,
        so that series of one study share it and differ in their number
    slope: rescale slope; the intercept is -1024 unsigned, or 0 signed when there are lower values
    report: told how far it is
    Gives the files in the order of k. The same arguments give the same bytes.
    Raises BadInput when a value cannot be stored in 16 bits or it is no CT, CaseError when the disk fails.
    """
    if transfer_syntax not in NATIVE + COMPRESSED:
        raise BadInput(f"a series cannot be written in the transfer syntax {transfer_syntax}")
    if volume.modality != "CT":
        raise BadInput(f"only CT can be written as a DICOM series, not {volume.modality}")
    told = paced(report)
    seed = seed_uid or digest(volume)
    common = {**_patient(name, patient_id), **_study(seed, study_date), **_pixel_form(volume, slope)}
    common |= _series(seed, series_number, description, kernel, volume.grid.frame_uid)
    common |= _plane(volume)
    written = list[Path]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(len(volume.voxels)):
            told(k / len(volume.voxels), "writing the series")
            data = _file(_image(common, volume, k, f"{seed}/{series_number}"), transfer_syntax)
            written.append(folder / f"S{series_number}_IM{k + 1:05d}.dcm")
            written[-1].write_bytes(data)
    except BaseException as problem:
        for path in written:  # half a series would be taken for a whole one
            path.unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise not_written(folder, volume.voxels.size * 2, problem) from problem
        raise
    told(1.0, "the series is written")
    return written


def uid_of(*parts: str) -> str:
    """A DICOM UID that follows from these texts alone (PS3.5 B.2: 2.25 and a 128-bit number)."""
    number = blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return f"2.25.{int.from_bytes(number)}"


def _pixel_form(volume: Volume, slope: float) -> dict[str, Any]:
    """How the values are stored: unsigned with intercept -1024 where they reach no lower, else signed."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    unsigned = low >= -1024
    intercept = -1024 if unsigned else 0
    least, most = (round((value - intercept) / slope) for value in (low, high))
    if least < (0 if unsigned else -0x8000) or most > (0xFFFF if unsigned else 0x7FFF):
        raise BadInput(f"the values {low:g} to {high:g} do not fit into 16 bits in steps of {slope:g}")
    bits = 12 if unsigned and most < 4096 else 16
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0 if unsigned else 1,
        "RescaleIntercept": intercept,
        "RescaleSlope": _decimal(slope),
        "RescaleType": "HU",
    }


def _stored(values: NDArray[Any], form: Mapping[str, Any]) -> bytes:
    """The pixel data of one slice."""
    steps = np.rint((values.astype(np.float64) - form["RescaleIntercept"]) / float(form["RescaleSlope"]))
    stored: bytes = steps.astype("<i2" if form["PixelRepresentation"] else "<u2").tobytes()
    return stored


def _patient(name: str, patient_id: str) -> dict[str, Any]:
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": name,
        "PatientID": patient_id,
        "PatientBirthDate": "",
        "PatientSex": "",
    }


def _study(seed: str, date: str) -> dict[str, Any]:
    return {
        "StudyInstanceUID": uid_of(seed, "study"),
        "StudyDate": date,
        "StudyTime": "120000",
        "ReferringPhysicianName": "",
        "StudyID": "1",
        "AccessionNumber": "",
        "AcquisitionDate": date,
        "AcquisitionTime": "120000",
        "ContentDate": date,
        "ContentTime": "120000",
    }


def _series(seed: str, number: int, description: str, kernel: str, frame_uid: str) -> dict[str, Any]:
    return {
        "SOPClassUID": CTImageStorage,
        "ImageType": ["DERIVED", "SECONDARY", "AXIAL"],
        "Modality": "CT",
        "SeriesInstanceUID": uid_of(seed, "series", str(number)),
        "SeriesNumber": number,
        "SeriesDescription": description,
        "FrameOfReferenceUID": frame_uid or uid_of(seed, "frame"),
        "PositionReferenceIndicator": "",
        "PatientPosition": "HFS",
        "Laterality": "",
        "Manufacturer": "surgiplan",
        "ManufacturerModelName": "phantom",
        "SoftwareVersions": "1",
        "KVP": None,
        "ConvolutionKernel": kernel,
        "AcquisitionNumber": 1,
        "BurnedInAnnotation": "NO",
    }


def _plane(volume: Volume) -> dict[str, Any]:
    grid = volume.grid
    thickness, down, across = grid.spacing_kji
    rows, columns = grid.shape_kji[1:]
    return {
        "Rows": rows,
        "Columns": columns,
        "PixelSpacing": [_decimal(down), _decimal(across)],
        "ImageOrientationPatient": [_decimal(x) for x in (*grid.axes[:, 2], *grid.axes[:, 1])],
        "SliceThickness": _decimal(thickness),
    }


def _image(common: Mapping[str, Any], volume: Volume, k: int, seed: str) -> Dataset:
    dataset = Dataset()
    for keyword, value in common.items():
        setattr(dataset, keyword, value)
    dataset.SOPInstanceUID = uid_of(seed, "image", str(k))
    dataset.InstanceNumber = k + 1
    dataset.ImagePositionPatient = [_decimal(x) for x in volume.grid.to_lps((k, 0, 0))]
    dataset.add_new("PixelData", "OW", _stored(volume.voxels[k], common))
    return dataset


def _file(dataset: Dataset, transfer_syntax: str) -> bytes:
    """The bytes of a DICOM file, its preamble empty."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    dataset.file_meta = meta
    if transfer_syntax in COMPRESSED:
        dataset.compress(transfer_syntax, generate_instance_uid=False)
    else:
        meta.TransferSyntaxUID = UID(transfer_syntax)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _decimal(number: float) -> DSfloat:
    """A number as the up to 16 characters that a decimal string may have."""
    return DSfloat(float(number), auto_format=True)
