"""NIfTI, NRRD and MetaImage: which place is believed, what is refused, and that the values stay."""

import gzip
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK

from surgiplan.errors import BadInput, CaseError
from surgiplan.formats import volumes
from surgiplan.formats.volumes import MASK_SUFFIXES, VOLUME_SUFFIXES, read_labels, read_volume, write_volume
from surgiplan.values import Grid, Mask, Pose, Volume

RNG = np.random.default_rng(7)
VALUES = RNG.integers(-1024, 3072, (4, 5, 6)).astype(np.int16)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = (Pose.of_rotation((1, 2, 3), 25).rotation @ np.eye(3)[:, ::-1]) * (1.6, 1.2, 0.7)
OBLIQUE[:3, 3] = (312.25, -845.5, 1204.125)
SCAN = Volume(Grid((4, 5, 6), OBLIQUE), VALUES)
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
IJK_TO_RAS = LPS_TO_RAS @ OBLIQUE[:, [2, 1, 0, 3]]


def same_place_and_values(read: Volume, truth: Volume = SCAN, within_mm: float = 1e-3) -> bool:
    """Whether each voxel of the truth is found with its value at its place, whatever the order."""
    kji = np.argwhere(np.ones(truth.grid.shape_kji, bool))
    places = read.grid.to_kji(truth.grid.to_lps(kji))
    index = np.rint(places).astype(int)
    away = np.abs(read.grid.to_lps(index) - truth.grid.to_lps(kji)).max()
    return bool(away < within_mm and np.array_equal(read.voxels[tuple(index.T)], truth.voxels[tuple(kji.T)]))


@pytest.mark.parametrize("suffix", VOLUME_SUFFIXES)
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_scan_comes_back_bit_for_bit(tmp_path: Path, suffix: str, kind: Any) -> None:
    values = VALUES if kind is np.int16 else (VALUES + 0.3).astype(np.float32)
    scan = replace(SCAN, voxels=values)
    write_volume(scan, tmp_path / f"a{suffix}", notes={"side": "LEFT", "step": "ct"})
    again, _ = read_volume(tmp_path / f"a{suffix}", "CT")
    assert again.voxels.dtype == kind
    assert np.array_equal(again.voxels, values)
    assert np.abs(again.grid.corners_lps - scan.grid.corners_lps).max() < 1e-3
    assert (again.modality, again.unit, again.grid.frame_uid) == ("CT", "HU", "")
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", VOLUME_SUFFIXES)
def test_another_library_reads_the_same(tmp_path: Path, suffix: str) -> None:
    write_volume(SCAN, tmp_path / f"a{suffix}")
    image = SimpleITK.ReadImage(str(tmp_path / f"a{suffix}"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), VALUES)
    for kji in ((0, 0, 0), (3, 4, 5), (1, 0, 5)):
        place = image.TransformIndexToPhysicalPoint(tuple(map(int, kji[::-1])))
        assert place == pytest.approx(SCAN.grid.to_lps(kji), abs=1e-3)


@pytest.mark.parametrize("suffix", MASK_SUFFIXES)
def test_a_mask_comes_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    mask = Mask(SCAN.grid, VALUES > 300)
    write_volume(mask, tmp_path / f"m{suffix}", notes={"step": "left_femur"})
    masks, _, _ = read_labels(tmp_path / f"m{suffix}")
    (name,) = masks
    assert name == ("left_femur" if suffix == ".seg.nrrd" else "label_1")
    assert np.array_equal(masks[name].voxels, mask.voxels)


@pytest.mark.parametrize("name", ["a.stl", "a.nii", "a.seg.nrrd", "a", "a.dcm"])
def test_a_scan_is_not_written_as_anything_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.nii\.gz, \.nrrd, \.mha"):
        write_volume(SCAN, tmp_path / name)


def test_a_file_that_reads_back_otherwise_is_not_left(tmp_path: Path, monkeypatch) -> None:
    def wrong(value: Volume, remark: str) -> bytes:
        return metaimage_bytes(replace(value, voxels=value.voxels[::-1]), remark)

    metaimage_bytes = volumes.metaimage_bytes
    monkeypatch.setattr(volumes, "metaimage_bytes", wrong)
    with pytest.raises(CaseError, match="other voxels"):
        write_volume(SCAN, tmp_path / "a.mha")
    assert not list(tmp_path.iterdir())


# --- NIfTI


def nifti(path: Path, values: Any = None, **header: Any) -> Path:
    """A file of nibabel's with the scan in it and some fields of the header overwritten."""
    image = nibabel.Nifti1Image(VALUES.T if values is None else values, IJK_TO_RAS)
    image.header.set_xyzt_units("mm")
    image.set_qform(IJK_TO_RAS, 1)
    image.set_sform(IJK_TO_RAS, 1)
    data = bytearray(image.to_bytes())
    fields = np.frombuffer(data, image.header.template_dtype, 1)
    for key, value in header.items():
        fields[key][0] = value
    path.write_bytes(gzip.compress(bytes(data)) if path.suffix == ".gz" else bytes(data))
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_ras_is_turned_to_lps(tmp_path: Path, name: str) -> None:
    read, told = read_volume(nifti(tmp_path / name), "CT")
    assert same_place_and_values(read)
    assert told == []


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_left_handed_order_is_turned_round_not_mirrored(tmp_path: Path, axis: int) -> None:
    flipped = IJK_TO_RAS.copy()
    flipped[:3, 3] += flipped[:3, axis] * (VALUES.T.shape[axis] - 1)
    flipped[:3, axis] *= -1
    nibabel.save(nibabel.Nifti1Image(np.flip(VALUES.T, axis), flipped), tmp_path / "a.nii.gz")
    assert same_place_and_values(read_volume(tmp_path / "a.nii.gz", "CT")[0])


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 1)])
def test_one_stated_place_is_enough_and_two_that_agree_are_one(
    tmp_path: Path, codes: tuple[int, int]
) -> None:
    read, told = read_volume(nifti(tmp_path / "a.nii", sform_code=codes[0], qform_code=codes[1]), "CT")
    assert same_place_and_values(read)
    assert told == []


def test_the_other_place_is_not_looked_at_where_its_code_is_nought(tmp_path: Path) -> None:
    assert same_place_and_values(read_volume(nifti(tmp_path / "a.nii", qform_code=0, quatern_b=0.9), "CT")[0])
    assert same_place_and_values(
        read_volume(nifti(tmp_path / "b.nii", sform_code=0, srow_x=(9, 9, 9, 9)), "CT")[0]
    )


def test_a_place_of_an_atlas_is_told_of(tmp_path: Path) -> None:
    _, told = read_volume(nifti(tmp_path / "a.nii", sform_code=4, qform_code=0), "CT")
    assert any("MNI atlas" in text for text in told)


@pytest.mark.parametrize(("code", "mm"), [(1, 1000.0), (2, 1.0), (3, 1e-3), (0, 1.0)])
def test_the_unit_is_honoured(tmp_path: Path, code: int, mm: float) -> None:
    scale = np.diag([1 / mm, 1 / mm, 1 / mm, 1])
    image = nibabel.Nifti1Image(VALUES.T, scale @ IJK_TO_RAS)
    image.header["xyzt_units"] = code
    nibabel.save(image, tmp_path / "a.nii")
    read, told = read_volume(tmp_path / "a.nii", "CT")
    assert same_place_and_values(read, within_mm=0.01)
    assert bool([t for t in told if "unit" in t or "millimetres are assumed" in t]) is (code != 2)


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    whole, _ = read_volume(nifti(tmp_path / "a.nii", scl_slope=2, scl_inter=-10), "CT")
    assert whole.voxels.dtype == np.int16
    assert same_place_and_values(whole, replace(SCAN, voxels=VALUES * 2 - 10))
    broken, _ = read_volume(nifti(tmp_path / "b.nii", scl_slope=0.5, scl_inter=0.25), "CT")
    assert broken.voxels.dtype == np.float32
    assert same_place_and_values(broken, replace(SCAN, voxels=(VALUES * 0.5 + 0.25).astype(np.float32)))
    none, _ = read_volume(nifti(tmp_path / "c.nii", scl_slope=0, scl_inter=7), "CT")
    assert same_place_and_values(none)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_and_byte_orders_are_read(tmp_path: Path, order: str, version: int) -> None:
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    plain = kind(VALUES.T, IJK_TO_RAS)
    header = plain.header.as_byteswapped(order)
    nibabel.save(kind(VALUES.T, IJK_TO_RAS, header), tmp_path / "a.nii")
    assert same_place_and_values(read_volume(tmp_path / "a.nii", "CT")[0])


SHEARED = IJK_TO_RAS @ np.array([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
NIFTI_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no place": ({"sform_code": 0, "qform_code": 0}, "neither sform nor qform"),
    "two places": ({"srow_x": IJK_TO_RAS[0] + (0, 0, 0, 0.5)}, "disagree by 0.5 mm"),
    "other side": ({"srow_x": -IJK_TO_RAS[0]}, "disagree by"),
    "sheared": (
        {"qform_code": 0, **{f"srow_{a}": SHEARED[n] for n, a in enumerate("xyz")}},
        "sheared, .* degrees",
    ),
    "flat": (
        {"qform_code": 0, "srow_x": (0, 0, 0, 0), "srow_y": (0, 0, 0, 0), "srow_z": 0},
        "not of a patient",
    ),
    "no number": ({"qform_code": 0, "srow_x": (np.nan, 0, 0, 0)}, "not a place"),
    "far off": ({"qform_code": 0, "srow_x": (*IJK_TO_RAS[0, :3], 1e9)}, "no number that can be right"),
    "quaternion": ({"sform_code": 0, "quatern_b": 3}, "qform is not a place"),
    "code": ({"sform_code": 77}, "damaged"),
    "unit": ({"xyzt_units": 5}, "unit of length"),
    "too many voxels": ({"dim": (3, 30000, 30000, 30000, 1, 1, 1, 1)}, "too large"),
    "more voxels than bytes": ({"dim": (3, 60, 50, 40, 1, 1, 1, 1)}, "too short"),
    "no voxels": ({"dim": (3, 0, 5, 4, 1, 1, 1, 1)}, "it claims 0 x 5 x 4"),
    "negative": ({"dim": (3, -6, 5, 4, 1, 1, 1, 1)}, "it claims -6"),
    "no axes": ({"dim": (0, 6, 5, 4, 1, 1, 1, 1)}, "damaged"),
    "colours": ({"datatype": 128, "bitpix": 24}, "not grey values"),
    "unknown type": ({"datatype": 9999}, "damaged"),
    "offset": ({"vox_offset": np.nan}, "damaged"),
    "scaling": ({"scl_slope": 2, "scl_inter": np.inf}, "scaling is not a number"),
    "Analyze": ({"magic": b""}, "Analyze"),
    "pair": ({"magic": b"ni1"}, "Analyze"),
}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("what", NIFTI_REFUSED)
def test_a_nifti_file_is_refused_with_its_reason(tmp_path: Path, what: str, suffix: str) -> None:
    header, reason = NIFTI_REFUSED[what]
    with pytest.raises(BadInput, match=f"^a{suffix}: .*{reason}"):
        read_volume(nifti(tmp_path / f"a{suffix}", **header))


def test_four_axes_are_refused_and_a_fourth_of_one_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="2 volumes"):
        read_volume(nifti(tmp_path / "a.nii", np.stack([VALUES.T, VALUES.T], -1)))
    assert same_place_and_values(read_volume(nifti(tmp_path / "b.nii", VALUES.T[..., None]), "CT")[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_never_enters(tmp_path: Path, bad: float) -> None:
    values = VALUES.T.astype(np.float32)
    values[1, 2, 3] = bad
    with pytest.raises(BadInput, match="1 of its 120 values"):
        read_volume(nifti(tmp_path / "a.nii", values))


def test_numbers_beyond_seven_digits_are_told_of(tmp_path: Path) -> None:
    read, told = read_volume(nifti(tmp_path / "a.nii", VALUES.T.astype(np.int32) + (1 << 25)))
    assert read.voxels.dtype == np.float32
    assert any("seven digits" in text for text in told)
    assert (
        read_volume(nifti(tmp_path / "b.nii", VALUES.T.astype(np.float64)), "CT")[0].voxels.dtype == np.int16
    )


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    good = gzip.decompress(nifti(tmp_path / "a.nii.gz").read_bytes())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(good + bytes(64 << 20)))
    with pytest.raises(BadInput, match="bomb"):
        read_volume(tmp_path / "b.nii.gz")


def test_a_check_sum_that_does_not_hold_is_refused(tmp_path: Path) -> None:
    data = bytearray(nifti(tmp_path / "a.nii.gz").read_bytes())
    data[-8] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(data)
    with pytest.raises(BadInput, match="damaged"):
        read_volume(tmp_path / "a.nii.gz")


# --- what the numbers are


def test_without_a_modality_the_numbers_have_no_unit_and_that_is_told(tmp_path: Path) -> None:
    read, told = read_volume(nifti(tmp_path / "a.nii"))
    assert (read.modality, read.unit) == ("", "")
    assert any("by eye" in text and "--modality" in text for text in told)
    assert read_volume(tmp_path / "a.nii", "MR")[0].unit == ""


def test_a_ct_without_air_is_doubted(tmp_path: Path) -> None:
    _, told = read_volume(nifti(tmp_path / "a.nii", np.abs(VALUES.T)), "CT")
    assert any("not reliable Hounsfield units" in text for text in told)


# --- NRRD


def nrrd_file(path: Path, values: Any = VALUES, remove: tuple[str, ...] = (), **header: Any) -> Path:
    """A file of pynrrd's with the scan in it."""
    fields: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": OBLIQUE[:3, [2, 1, 0]].T,
        "space origin": OBLIQUE[:3, 3],
        "encoding": "gzip",
    } | {key.replace("_", " "): value for key, value in header.items()}
    nrrd.write(str(path), values, {k: v for k, v in fields.items() if k not in remove}, index_order="C")
    return path


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_each_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    assert same_place_and_values(read_volume(nrrd_file(tmp_path / "a.nrrd", encoding=encoding), "CT")[0])


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
        ("LAS", (1, -1, 1)),
    ],
)
def test_each_space_is_turned_to_lps(tmp_path: Path, space: str, signs: Any) -> None:
    directions = OBLIQUE[:3, [2, 1, 0]].T * signs
    path = nrrd_file(
        tmp_path / "a.nrrd", space=space, space_directions=directions, space_origin=OBLIQUE[:3, 3] * signs
    )
    assert same_place_and_values(read_volume(path, "CT")[0])


@pytest.mark.parametrize(("unit", "mm"), [("mm", 1.0), ("m", 1000.0), ("cm", 10.0), ("um", 1e-3)])
def test_the_unit_of_the_space_is_honoured(tmp_path: Path, unit: str, mm: float) -> None:
    path = nrrd_file(
        tmp_path / "a.nrrd",
        space_directions=OBLIQUE[:3, [2, 1, 0]].T / mm,
        space_origin=OBLIQUE[:3, 3] / mm,
        space_units=[unit] * 3,
    )
    assert same_place_and_values(read_volume(path, "CT")[0])


def detached(path: Path, names: str, **files: bytes) -> Path:
    directions = " ".join(f"({','.join(map(str, row))})" for row in OBLIQUE[:3, [2, 1, 0]].T.tolist())
    lines = [
        "NRRD0005",
        "type: short",
        "dimension: 3",
        "sizes: 6 5 4",
        "endian: little",
        "encoding: raw",
        "space: LPS",
        f"space directions: {directions}",
        f"space origin: ({','.join(map(str, OBLIQUE[:3, 3].tolist()))})",
        f"data file: {names}",
    ]
    path.write_text("\n".join(lines) + "\n")
    for name, data in files.items():
        (path.parent / name).write_bytes(data)
    return path


SLICES = {f"s{n}": VALUES[n].astype("<i2").tobytes() for n in range(4)}
WHOLE = VALUES.astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("names", "files"),
    [
        ("all", {"all": WHOLE}),
        ("s%d 0 3 1", SLICES),
        ("s%d 0 3 1 2", SLICES),
        ("LIST\ns0\ns1\ns2\ns3", SLICES),
    ],
)
def test_data_beside_the_header_is_found(tmp_path: Path, names: str, files: dict[str, bytes]) -> None:
    assert same_place_and_values(read_volume(detached(tmp_path / "a.nhdr", names, **files), "CT")[0])


@pytest.mark.parametrize(
    "names",
    ["../all", "/etc/hostname", "sub/../../all", "LIST\n../all", "../s%d 0 3 1", "C:\\all", "link", "~/all"],
)
def test_data_elsewhere_is_not_followed(tmp_path: Path, names: str) -> None:
    (tmp_path / "all").write_bytes(WHOLE)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "all")
    with pytest.raises(BadInput, match="not followed"):
        read_volume(detached(tmp_path / "in" / "a.nhdr", names))


NRRD_REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no space": (lambda p: nrrd_file(p, remove=("space",)), "does not say where left is"),
    "left-handed": (lambda p: nrrd_file(p, space="3D-left-handed"), "does not say where left is"),
    "no directions": (lambda p: nrrd_file(p, remove=("space directions",)), "no space directions"),
    "no origin": (lambda p: nrrd_file(p, remove=("space origin",)), "no space origin"),
    "unit": (lambda p: nrrd_file(p, space_units=["furlong"] * 3), "unit of length"),
    "sheared": (
        lambda p: nrrd_file(p, space_directions=[[1, 0, 0], [0.1, 1, 0], [0, 0, 1]]),
        "sheared, 5.* degrees",
    ),
    "4D": (
        lambda p: nrrd_file(
            p,
            np.stack([VALUES, VALUES]),
            space_directions=[*OBLIQUE[:3, [2, 1, 0]].T.tolist(), [np.nan] * 3],
        ),
        "4D",
    ),
    "missing file": (lambda p: detached(p, "nowhere.raw"), "not beside it"),
    "short file": (lambda p: detached(p, "all", all=WHOLE[:-2]), "too short"),
    "long file": (lambda p: detached(p, "all", all=WHOLE + b"xx"), "242 bytes"),
    "a million files": (lambda p: detached(p, "s%d 0 1000000 1"), "cannot be understood"),
    "format string": (lambda p: detached(p, "s%n%s%d 0 3 1"), "cannot be understood"),
}


@pytest.mark.parametrize("what", NRRD_REFUSED)
def test_an_nrrd_file_is_refused_with_its_reason(tmp_path: Path, what: str) -> None:
    make, reason = NRRD_REFUSED[what]
    with pytest.raises(BadInput, match=reason):
        read_volume(make(tmp_path / "a.nrrd"))


# --- MetaImage


def image() -> SimpleITK.Image:
    made = SimpleITK.GetImageFromArray(VALUES)
    made.SetSpacing(SCAN.grid.spacing_kji[::-1])
    made.SetDirection(SCAN.grid.axes[:, ::-1].ravel().tolist())
    made.SetOrigin(OBLIQUE[:3, 3].tolist())
    return made


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_itk_writes_is_read(tmp_path: Path, name: str, packed: bool) -> None:
    SimpleITK.WriteImage(image(), str(tmp_path / name), packed)
    read, _ = read_volume(tmp_path / name, "CT")
    assert same_place_and_values(read, within_mm=1e-3)


def metaimage(path: Path, remove: str = "", **fields: str) -> Path:
    """A file of ours with other fields in its header."""
    write_volume(replace(SCAN, grid=Grid((4, 5, 6), UPRIGHT)), path)
    head, _, data = path.read_bytes().partition(b"ElementDataFile = LOCAL\n")
    lines = dict(line.split(" = ", 1) for line in head.decode().splitlines()) | fields
    lines.pop(remove, None)
    lines.setdefault("ElementDataFile", "LOCAL")
    path.write_bytes("".join(f"{k} = {v}\n" for k, v in lines.items()).encode() + data)
    return path


UPRIGHT = np.array([[0, 0, 0.7, 10.0], [0, 1.2, 0, -20.0], [1.6, 0, 0, 30.0], [0, 0, 0, 1]])


@pytest.mark.parametrize("letters", ["RAI", "LPS", "???", ""])
def test_letters_that_describe_the_matrix_are_no_matter(tmp_path: Path, letters: str) -> None:
    read, _ = read_volume(metaimage(tmp_path / "a.mha", AnatomicalOrientation=letters), "CT")
    assert np.allclose(read.grid.kji_to_lps, UPRIGHT)


def test_a_left_handed_matrix_is_turned_round(tmp_path: Path) -> None:
    path = metaimage(
        tmp_path / "a.mha", TransformMatrix="1 0 0 0 1 0 0 0 -1", Offset=f"10 -20 {30 + 3 * 1.6}"
    )
    read, _ = read_volume(path, "CT")
    assert np.allclose(read.grid.kji_to_lps, UPRIGHT)
    assert np.array_equal(read.voxels, VALUES[::-1])


META_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "letters": ({"AnatomicalOrientation": "LAI"}, "contradicts"),
    "no matrix": ({"remove": "TransformMatrix"}, "no TransformMatrix"),
    "no offset": ({"remove": "Offset"}, "no TransformMatrix, Offset"),
    "no spacing": ({"remove": "ElementSpacing"}, "no TransformMatrix, Offset or ElementSpacing"),
    "spacing": ({"ElementSpacing": "1 0 1"}, "not three positive"),
    "sheared": ({"TransformMatrix": "1 0 0 0.6 0.8 0 0 0 1"}, "sheared"),
    "long axis": ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "unit vectors"),
    "4D": ({"NDims": "4"}, "has three"),
    "colours": ({"ElementNumberOfChannels": "3"}, "plain grey values"),
    "text": ({"BinaryData": "False"}, "plain grey values"),
    "huge": ({"DimSize": "9999999 9999999 9999999"}, "too large"),
    "size": ({"DimSize": "6 5 5"}, "bytes of voxels|cut short"),
    "elsewhere": ({"ElementDataFile": "/etc/hostname"}, "not followed"),
    "type": ({"ElementType": "MET_OTHER"}, "damaged"),
    "other modality": ({"Modality": "MET_MOD_MR"}, "says that it is MR"),
}


@pytest.mark.parametrize("what", META_REFUSED)
def test_a_metaimage_is_refused_with_its_reason(tmp_path: Path, what: str) -> None:
    fields, reason = META_REFUSED[what]
    with pytest.raises(BadInput, match=reason):
        read_volume(metaimage(tmp_path / "a.mha", **fields), "CT")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("data", [b"", b"x", b"NRRD0005\n", bytes(348), b"\x1f\x8b", struct.pack("<i", 348)])
def test_what_is_none_of_these_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=f"^{name}"):
        read_volume(tmp_path / name)


@pytest.mark.real_data
def test_a_real_scan_lies_where_another_library_puts_it(shared_data: Path) -> None:
    path = shared_data / "ct_totalseg_small" / "example_ct_sm.nii.gz"
    read, told = read_volume(path, "CT")
    theirs = SimpleITK.ReadImage(str(path))
    kji = RNG.integers(0, read.grid.shape_kji, (300, 3))
    values = [theirs[theirs.TransformPhysicalPointToIndex(place)] for place in read.grid.to_lps(kji).tolist()]
    assert np.array_equal(values, read.voxels[tuple(kji.T)])
    assert any("another scan it was aligned to" in text for text in told)


@pytest.mark.real_data
def test_a_real_header_without_a_side_is_refused(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "vol_formats" / "vtk_headsq_quarter_nhdr.zip") as archive:
        archive.extractall(tmp_path)
    (header,) = tmp_path.rglob("*.nhdr")
    with pytest.raises(BadInput, match=r"3d-left-handed.*does not say where left is"):
        read_volume(header)
    text = (
        header.read_text()
        .replace("space: 3D-left-handed", "space: LPS")
        .replace("spacings: 3.2 3.2 1.5\n", "")
    )
    header.write_text(text + "space directions: (3.2,0,0) (0,3.2,0) (0,0,1.5)\nspace origin: (0,0,0)\n")
    read, _ = read_volume(header, "CT")
    assert (read.grid.shape_kji, read.voxels.min(), read.voxels.max()) == ((93, 64, 64), 0, 3926)
