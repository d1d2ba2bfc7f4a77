"""3MF: units, objects, places, and archives that are built to do harm."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from surgiplan.errors import BadInput
from surgiplan.formats.meshes import read_mesh, threemf, write_mesh
from surgiplan.values import Mesh, Part
from tests.ops.shapes import ball

CORE = 'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"'
TETRA = (
    '<mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="4" y="0" z="0"/><vertex x="0" y="5" z="0"/>'
    '<vertex x="0" y="0" z="6"/></vertices><triangles><triangle v1="0" v2="2" v3="1"/>'
    '<triangle v1="0" v2="1" v3="3"/><triangle v1="1" v2="2" v3="3"/><triangle v1="2" v2="0" v3="3"/>'
    "</triangles></mesh>"
)
VOLUME = 4 * 5 * 6 / 6
ITEM = '<item objectid="1"/>'


def model(
    build: str = ITEM, more: str = "", unit: str = 'unit="millimeter"', mesh: str = TETRA, start: str = ""
) -> str:
    return (
        f'<?xml version="1.0"?>{start}<model {unit} {CORE}><resources><object id="1" type="model">{mesh}'
        f"</object>{more}</resources><build>{build}</build></model>"
    )


def archive(path: Path, text: str | bytes, **others: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("3D/3dmodel.model", text)
        for name, content in others.items():
            packed.writestr(f"3D/{name}.model", content)
    return path


def shift(x: float) -> str:
    return f'transform="1 0 0 0 1 0 0 0 1 {x} 0 0"'


@pytest.mark.parametrize(("unit", "mm"), [*threemf.UNITS_MM.items(), ("", 1.0)])
def test_the_unit_that_is_stated_is_honoured(tmp_path: Path, unit: str, mm: float) -> None:
    stated = f'unit="{unit}"' if unit else ""
    mesh, notes = read_mesh(archive(tmp_path / "a.3mf", model(unit=stated)))
    assert np.allclose(mesh.bounds, [[0, 0, 0], [4 * mm, 5 * mm, 6 * mm]], rtol=1e-6)
    assert notes.unit == (unit or "millimeter")
    assert any(unit in text for text in notes.sentences()) or mm == 1.0


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unit is none of micron"):
        read_mesh(archive(tmp_path / "a.3mf", model(unit='unit="furlong"')))


def test_objects_stand_at_their_places(tmp_path: Path) -> None:
    """Two items, one of an assembly of two: four bodies, as another library puts them."""
    more = (
        f'<object id="2" type="model"><components><component objectid="1" {shift(10)}/>'
        '<component objectid="1" transform="0 1 0 -1 0 0 0 0 1 0 20 0"/></components></object>'
    )
    build = f'<item objectid="2" {shift(100)}/>{ITEM}'
    path = archive(tmp_path / "a.3mf", model(build, more))
    mesh, notes = read_mesh(path)
    assert mesh.volume_mm3 == pytest.approx(3 * VOLUME)
    assert any("3 bodies" in text for text in notes.sentences())
    theirs = trimesh.load(path, force="mesh", process=False)
    assert np.allclose(mesh.bounds, theirs.bounds)
    assert np.allclose(
        np.unique(mesh.points, axis=0), np.unique(theirs.vertices.astype(np.float32), axis=0), atol=1e-5
    )


def test_a_mirrored_item_faces_outwards_and_is_told_of(tmp_path: Path) -> None:
    build = '<item objectid="1" transform="-1 0 0 0 1 0 0 0 1 0 0 0"/>'
    mesh, notes = read_mesh(archive(tmp_path / "a.3mf", model(build)))
    assert mesh.volume_mm3 == pytest.approx(VOLUME)
    assert mesh.bounds[:, 0].tolist() == [-4, 0]
    assert any("mirrored" in text for text in notes.sentences())


def test_what_is_not_built_is_not_there_and_supports_are_left_out(tmp_path: Path) -> None:
    more = f'<object id="2" type="support">{TETRA}</object><object id="3">{TETRA}</object>'
    mesh, notes = read_mesh(archive(tmp_path / "a.3mf", model(f'{ITEM}<item objectid="2"/>', more)))
    assert mesh.volume_mm3 == pytest.approx(VOLUME)
    assert any("support" in text for text in notes.sentences())


def test_objects_of_another_part_of_the_archive_are_found(tmp_path: Path) -> None:
    production = 'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06"'
    text = model('<item objectid="7" p:path="/3D/other.model"/>').replace("<model ", f"<model {production} ")
    other = model().replace('id="1"', 'id="7"', 1)
    mesh, _ = read_mesh(archive(tmp_path / "a.3mf", text, other=other))
    assert mesh.volume_mm3 == pytest.approx(VOLUME)


def doubled(levels: int) -> str:
    """Each object holds the one before it ten times."""
    objects = [
        f'<object id="{n}"><components>' + f'<component objectid="{n - 1}"/>' * 10 + "</components></object>"
        for n in range(2, levels)
    ]
    return model(f'<item objectid="{levels - 1}"/>', "".join(objects))


ENTITIES = (
    '<!DOCTYPE model [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE model [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
HARM: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "entity bomb": (lambda: model(start=ENTITIES), "declares entities"),
    "file entity": (lambda: model(start=OUTSIDE), "declares entities"),
    "entity bomb in UTF-16": (lambda: model(start=ENTITIES).encode("utf-16"), "declares entities"),
    "component bomb": (lambda: doubled(14), "bomb"),
    "circle": (
        lambda: model(
            '<item objectid="2"/>',
            '<object id="2"><components><component objectid="2"/></components></object>',
        ),
        "hold each other",
    ),
    "object that is not there": (lambda: model('<item objectid="9"/>'), "not in it"),
    "point that is not there": (lambda: model(mesh=TETRA.replace('v3="3"', 'v3="4"')), "does not exist"),
    "negative point": (lambda: model(mesh=TETRA.replace('v1="0"', 'v1="-1"')), "does not exist"),
    "no number": (lambda: model(mesh=TETRA.replace('x="4"', 'x="4,0"')), "lacks a number"),
    "NaN": (lambda: model(mesh=TETRA.replace('x="4"', 'x="nan"')), "not a finite"),
    "1e38": (lambda: model(mesh=TETRA.replace('x="4"', 'x="1e38"')), "cannot be right"),
    "flat transform": (
        lambda: model('<item objectid="1" transform="0 0 0 0 1 0 0 0 1 0 0 0"/>'),
        "no.*motion",
    ),
    "no transform": (lambda: model('<item objectid="1" transform="1 2"/>'), "lacks a number"),
    "cut": (lambda: model()[:-30], "damaged in line"),
    "nothing built": (lambda: model(""), "no triangles"),
    "unknown extension": (
        lambda: model().replace("<model ", '<model xmlns:b="http://b" requiredextensions="b" '),
        "extension",
    ),
}


@pytest.mark.parametrize("what", HARM)
def test_harm_is_refused_with_its_reason(tmp_path: Path, what: str) -> None:
    text, reason = HARM[what]
    with pytest.raises(BadInput, match=reason.replace("no.*", "not a ")):
        read_mesh(archive(tmp_path / "a.3mf", text()))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(threemf, "MAX_MODEL", 1 << 20)
    with pytest.raises(BadInput, match=r"bomb|unpacks to more"):
        threemf.read_threemf(archive(tmp_path / "a.3mf", model() + " " * (3 << 20)).read_bytes())


def test_an_encrypted_or_other_archive_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as other:
        other.writestr("hello.txt", "hello")
    (tmp_path / "a.3mf").write_bytes(packed.getvalue())
    with pytest.raises(BadInput, match="no 3D model"):
        read_mesh(tmp_path / "a.3mf")


def test_what_we_write_is_what_others_read(tmp_path: Path) -> None:
    part = ball(9.0, (312.0, -845.0, 1204.0))
    write_mesh(part, tmp_path / "a.3mf", notes={"step": "b<&>ö", "side": "LEFT"})
    theirs = trimesh.load(tmp_path / "a.3mf", force="mesh", process=False)
    assert theirs.is_watertight
    assert theirs.volume == pytest.approx(part.mesh.volume_mm3, rel=1e-6)
    assert np.allclose(theirs.bounds, part.mesh.bounds, atol=1e-4)
    text = zipfile.ZipFile(tmp_path / "a.3mf").read("3D/3dmodel.model").decode()
    for words in ('unit="millimeter"', "SPACE=LPS", "Research use, not a medical device", "side=LEFT"):
        assert words in text


def test_a_description_in_ras_is_turned(tmp_path: Path) -> None:
    text = model().replace("<resources>", '<metadata name="Description">SPACE=RAS</metadata><resources>')
    mesh, notes = read_mesh(archive(tmp_path / "a.3mf", text))
    assert notes.flipped
    assert mesh.bounds.tolist() == [[-4, -5, 0], [0, 0, 6]]
    assert mesh.volume_mm3 == pytest.approx(VOLUME)


def test_the_same_shape_gives_the_same_bytes() -> None:
    mesh = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))
    assert threemf.threemf_bytes(mesh, ["a"]) == threemf.threemf_bytes(Part(mesh).placed(), ["a"])
