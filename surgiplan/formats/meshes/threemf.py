"""3MF: a zip archive with a model in XML; it states its unit and places its objects.

After the 3MF Core Specification 1.3. An own reader: general ones leave out an object that a component
names but nobody defines, and do not look at extensions that a file says it cannot be read without.
"""

import io
import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...values import FloatArray, Mesh
from .content import Content, joined, moved, require_modest

MAX_MODEL = 512 << 20
MAX_MEMBERS = 10_000
MAX_DEPTH = 16
UNITS_MM: Mapping[str, float] = {
    "micron": 1e-3,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "foot": 304.8,
    "meter": 1000.0,
}
_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
_UNDERSTOOD = (_CORE, _PRODUCTION, "http://schemas.microsoft.com/3dmanufacturing/material/2015/02")
_ROOT_KIND = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
_MODEL = "3D/3dmodel.model"
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    "</Types>"
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Target="/{_MODEL}" Id="rel0" Type="{_ROOT_KIND}"/></Relationships>'
)

_DAMAGED = (  # a damaged archive raises many kinds
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)

Body = tuple[FloatArray, NDArray[np.int64]]


def is_threemf(data: bytes) -> bool:
    """Whether these bytes are a zip archive, as a 3MF file is."""
    return data.startswith(b"PK\x03\x04")


def read_threemf(data: bytes) -> Content:
    """All objects that the file wants built, at their places, in mm.

    Raises BadInput when it is damaged, built to do harm, or needs what is not read here.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Package(archive).content()
    except LookupError:
        raise BadInput("its model is in an encoding that is not known: export it again") from None
    except _DAMAGED:
        raise BadInput("it is a damaged or encrypted archive: fetch or export it again") from None
    except expat.ExpatError as problem:
        raise BadInput(f"its model is damaged in line {problem.lineno}: export it again") from None


def threemf_bytes(mesh: Mesh, remarks: Sequence[str]) -> bytes:
    """A 3MF file of one object in millimetres; nine digits keep every float32 as it is.

    remarks: stand in its description
    """
    points = "".join(f'<vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>\n' for x, y, z in mesh.points.tolist())
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>\n' for a, b, c in mesh.triangles.tolist())
    described = escape("; ".join(remarks).encode("ascii", "replace").decode("ascii"))
    title = next((r.removeprefix("step=") for r in remarks if r.startswith("step=")), "shape")
    model = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en" xmlns="{_CORE}">\n'
        f'<metadata name="Description">{described}</metadata>\n'
        f'<resources><object id="1" type="model" name={quoteattr(title)}><mesh>\n'
        f"<vertices>\n{points}</vertices>\n"
        f"<triangles>\n{triangles}</triangles>\n</mesh></object></resources>\n"
        '<build><item objectid="1"/></build>\n</model>\n'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            (_MODEL, model),
        ):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the same shape gives the same bytes
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text.encode())
    return packed.getvalue()


@dataclass
class _Object:
    points: list[tuple[float, float, float]] = field(default_factory=list)
    triangles: list[tuple[int, int, int]] = field(default_factory=list)
    components: list[tuple[str, str, FloatArray]] = field(default_factory=list)
    kind: str = "model"


class _Part:
    """One model file of the archive, read through.

    unit: name of its unit
    objects: by their ids
    items: what is built: id, file it is in ("" for this one), 4x4 place
    """

    def __init__(self, name: str) -> None:
        self.name, self.unit = name, "millimeter"
        self.objects: dict[str, _Object] = {}
        self.items: list[tuple[str, str, FloatArray]] = []
        self.remarks: list[str] = []
        self._spaces: dict[str, str] = {}
        self._now = _Object()
        self._remark: list[str] | None = None

    def read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> "_Part":
        """Parse a member of the archive."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        parser.StartNamespaceDeclHandler = lambda prefix, uri: self._spaces.update({prefix or "": uri or ""})
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        with archive.open(member) as stream:
            parser.ParseFile(stream)
        return self

    def _refuse_declarations(self, *_: object) -> None:
        raise BadInput("its model declares entities, as bombs do and 3MF forbids: export it again")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        if space != _CORE:
            return
        try:
            if name == "vertex":
                self._now.points.append((float(given["x"]), float(given["y"]), float(given["z"])))
            elif name == "triangle":
                self._now.triangles.append((int(given["v1"]), int(given["v2"]), int(given["v3"])))
            elif name == "object":
                self._now = self.objects[given["id"]] = _Object(kind=given.get("type", "model"))
            elif name == "component":
                self._now.components.append(_reference(given))
            elif name == "item":
                self.items.append(_reference(given))
            elif name == "model":
                self._begin(given)
            elif name == "metadata":
                self._remark = []
        except (KeyError, ValueError):
            raise BadInput(f"an element {name} of its model lacks a number: export it again") from None

    def _begin(self, given: dict[str, str]) -> None:
        self.unit = given.get("unit", "millimeter")
        if self.unit not in UNITS_MM:
            raise BadInput(f"its unit is none of {', '.join(UNITS_MM)}")
        for prefix in given.get("requiredextensions", "").split():
            if self._spaces.get(prefix) not in _UNDERSTOOD:
                raise BadInput(
                    "it needs an extension of 3MF that is not read: export it as a plain 3MF or STL"
                )

    def _text(self, text: str) -> None:
        if self._remark is not None:
            self._remark.append(text)

    def _end(self, tag: str) -> None:
        if self._remark is not None and tag == f"{_CORE} metadata":
            self.remarks.append("".join(self._remark))
            self._remark = None


def _reference(given: dict[str, str]) -> tuple[str, str, FloatArray]:
    """An object, the file it is in and its place. The file has rows of a matrix for row vectors."""
    matrix = np.eye(4)
    if "transform" in given:
        matrix[:3] = np.array([float(word) for word in given["transform"].split()]).reshape(4, 3).T
        if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
            raise BadInput("a transform of it is not a motion: export it again")
    return given["objectid"], given.get(f"{_PRODUCTION} path", ""), matrix


class _Package:
    """The model files of an archive, put together."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > 2 * MAX_MODEL:
            raise BadInput("it unpacks to more than is read here: it may be a bomb")
        self._archive = archive
        self._members = {m.filename.lstrip("/").lower(): m for m in members}
        self._parts: dict[str, _Part] = {}
        self._visits = self._made = self._mirrored = self._supports = 0

    def content(self) -> Content:
        """All that is built, in mm."""
        root = self._part(self._root_name())
        bodies = list[Body]()
        for number, path, matrix in root.items:
            bodies += self._bodies(self._part(path) if path else root, number, matrix, 0)
        points, triangles = joined(bodies)
        told = [f"its unit is the {root.unit}, as the file states"] if root.unit != "millimeter" else []
        if len(bodies) > 1:
            told.append(f"it holds {len(bodies)} bodies, which were joined to one shape at their places")
        if self._mirrored:
            told.append(f"{self._mirrored} of its bodies are mirrored by the file: check the side")
        if self._supports:
            told.append(f"{self._supports} supports for printing were left out")
        unit_mm = UNITS_MM[root.unit]
        return Content(points * unit_mm, triangles, "\n".join(root.remarks), root.unit, unit_mm, tuple(told))

    def _root_name(self) -> str:
        relations = self._members.get("_rels/.rels")
        found: list[str] = []

        def look(tag: str, given: dict[str, str]) -> None:
            if tag.endswith("Relationship") and given.get("Type") == _ROOT_KIND:
                found.append(given.get("Target", ""))

        if relations is not None and relations.file_size < 1 << 20:
            parser = expat.ParserCreate(namespace_separator=" ")
            parser.StartElementHandler = look
            parser.Parse(self._archive.read(relations), True)
        return found[0] if found else _MODEL

    def _part(self, name: str) -> _Part:
        key = posixpath.normpath(name.lstrip("/")).lower()
        if key not in self._parts:
            member = self._members.get(key)
            if member is None:
                raise BadInput("it holds no 3D model, or names one that is not in it")
            if member.file_size > MAX_MODEL:
                raise BadInput(f"its model unpacks to more than {MAX_MODEL >> 20} MiB")
            self._parts[key] = _Part(name).read(self._archive, member)
        return self._parts[key]

    def _bodies(self, part: _Part, number: str, matrix: FloatArray, depth: int) -> list[Body]:
        """An object with all its components, at a place."""
        one = part.objects.get(number)
        if one is None:
            raise BadInput("it names an object that is not in it: export it again")
        if depth > MAX_DEPTH:
            raise BadInput("its objects hold each other: export it again")
        if one.kind in ("support", "solidsupport"):
            self._supports += 1
            return []
        self._visits, self._made = self._visits + 1, self._made + len(one.triangles)
        require_modest(self._visits, self._made)
        found = list[Body]()
        if one.triangles:
            points = np.array(one.points, np.float64).reshape(-1, 3)
            triangles = np.array(one.triangles, np.int64)
            if triangles.min() < 0 or triangles.max() >= len(points):
                raise BadInput(f"a triangle names a point that does not exist ({len(points)} do)")
            self._mirrored += bool(np.linalg.det(matrix[:3, :3]) < 0)
            found.append(moved(points, triangles, matrix))
        for inner, path, place in one.components:
            held_in = self._part(path) if path else part
            found += self._bodies(held_in, inner, matrix @ place, depth + 1)
        return found
