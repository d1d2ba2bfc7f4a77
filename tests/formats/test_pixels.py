"""Stored numbers become measured values, whatever the bits they are stored in."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from surgiplan.formats import dicom
from surgiplan.formats.dicom.codecs import claimed_size
from surgiplan.values import Volume

from .making import edited, grid, only, volume, written


def stored(values, signed: bool, bits: int, **elements):
    """Give every slice these stored 16-bit values."""

    def change(dataset: pydicom.Dataset) -> None:
        dataset.PixelData = np.broadcast_to(values, (6, 7)).astype("<i2" if signed else "<u2").tobytes()
        dataset.PixelRepresentation = int(signed)
        dataset.BitsStored, dataset.HighBit = bits, bits - 1
        for name, value in elements.items():
            if name.startswith("PixelPadding"):
                dataset.add_new(name, "US", value)  # the dictionary leaves open which of US and SS it is
            else:
                setattr(dataset, name, value)

    return change


def read_with(tmp_path: Path, change) -> Volume:
    edited(written(tmp_path), change)
    return dicom.read_series(only(tmp_path))


@pytest.mark.parametrize(
    ("values", "signed", "bits", "expected"),
    [
        (4095, False, 12, 3071),
        (-5, True, 16, -1029),
        (0x0FFF, True, 12, -1025),  # twelve bits signed, the upper four left empty
        (0xF123, False, 12, 0x123 - 1024),  # an overlay in the upper four
        (0xF7FF - 0x10000, True, 12, 2047 - 1024),
    ],
)
def test_unused_bits_are_cut_off_and_the_sign_is_kept(tmp_path, values, signed, bits, expected) -> None:
    assert np.all(read_with(tmp_path, stored(values, signed, bits)).voxels == expected)


@pytest.mark.parametrize(("signed", "padding"), [(True, -2000), (False, 63536), (True, 63536)])
def test_padding_becomes_air(tmp_path: Path, signed, padding) -> None:
    """Written as US or as SS: only PixelRepresentation says how it is meant."""

    def change(dataset: pydicom.Dataset) -> None:
        values = np.full((6, 7), 100)
        values[0] = -2000 if signed else 63536
        stored(values, signed, 16)(dataset)
        dataset.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)

    voxels = read_with(tmp_path, change).voxels
    assert np.all(voxels[:, 0] == -1024)
    assert np.all(voxels[:, 1:] == 100 - 1024)


def test_a_range_of_padding_becomes_air(tmp_path: Path) -> None:
    values = np.arange(42).reshape(6, 7)
    elements = {"PixelPaddingValue": 3, "PixelPaddingRangeLimit": 10}
    voxels = read_with(tmp_path, stored(values, False, 16, **elements)).voxels
    assert np.array_equal(np.flatnonzero(voxels[0] == -1024), [0, *range(3, 11)])


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    files = written(tmp_path)
    for k, path in enumerate(files):
        edited([path], lambda d, k=k: (stored(100, False, 12)(d), setattr(d, "RescaleSlope", k + 1)))
        edited([path], lambda d, k=k: setattr(d, "RescaleIntercept", -10 * k))
    voxels = dicom.read_series(only(tmp_path)).voxels
    assert voxels.dtype == np.int16
    assert voxels[:, 0, 0].tolist() == [100 * (k + 1) - 10 * k for k in range(5)]


def test_fractions_are_kept(tmp_path: Path) -> None:
    voxels = read_with(tmp_path, stored(1000, False, 12, RescaleSlope=1.4998, RescaleIntercept=0)).voxels
    assert voxels.dtype == np.float32
    assert voxels[0, 0, 0] == np.float32(1499.8)


def test_values_beyond_16_bits_are_kept_as_float(tmp_path: Path) -> None:
    files = written(tmp_path)
    edited(files[3:], stored(60000, False, 16, RescaleIntercept=0))
    read = dicom.read_series(only(tmp_path))
    assert read.voxels.dtype == np.float32
    assert read.voxels[3].max() == 60000
    assert np.array_equal(read.voxels[:3], volume().voxels[:3])


def test_eight_bits_are_read(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = bytes(range(42))

    voxels = read_with(tmp_path, change).voxels
    assert np.array_equal(voxels[0].ravel(), np.arange(42) - 1024)


def test_mr_has_no_unit_and_its_padding_stays(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        dataset.Modality, dataset.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"
        stored(77, False, 12, PixelPaddingValue=77)(dataset)
        del dataset.RescaleSlope, dataset.RescaleIntercept

    read = read_with(tmp_path, change)
    assert (read.modality, read.unit) == ("MR", "")
    assert np.all(read.voxels == 77)


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc3\x00\x0b\x10\x01\x02\x03\x04\x01", (0x102, 0x304)),
        (b"\xff\xd8\xff\xf7\x00\x0b\x10\x01\x02\x03\x04\x01", (0x102, 0x304)),
        (
            b"\xff\x4f\xff\x51\x00\x29\x00\x00" + bytes([0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 2]),
            (510, 255),
        ),
        (b"\x01\x00\x00\x00", None),
        (b"\xff\xd8\xff", None),
        (b"\xff\xd8\xff\xe0\x00\x00" + bytes(20), None),
        (b"", None),
    ],
)
def test_the_claimed_size_of_a_picture_is_seen_before_decoding(picture, size) -> None:
    assert claimed_size(picture) == size


def test_the_grid_of_the_volume_is_that_of_the_series(tmp_path: Path) -> None:
    written(tmp_path, volume(grid(turned=(30, 5, 0))))
    series = only(tmp_path)
    read = dicom.read_series(series)
    assert np.array_equal(read.grid.kji_to_lps, series.kji_to_lps)
    assert read.grid.shape_kji == series.shape_kji
    assert read.grid.spacing_kji == pytest.approx(series.spacing_kji)
