"""The floors of the house: who may import whom, and who may know which library."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "surgiplan"

MAY_IMPORT = {
    "errors": set(),
    "spawned": set(),
    "progress": set(),
    "shipped": set(),
    "values": set(),
    "algorithms": {"values"},
    "formats": {"values"},
    "plan": {"values"},
    "casefile": set(),
    "phantoms": {"values", "formats", "algorithms"},
    "ops": {"values", "plan", "algorithms"},
    "recipes": {"values", "plan", "algorithms", "ops"},
    "acts": {"values", "formats", "plan", "casefile"},
    "scene": {"values", "plan"},
    "difference": {"values", "plan"},
    "stage": {"scene", "values"},
    "session": {"plan", "casefile", "scene", "values"},
    "selftest": {"values", "formats", "algorithms", "plan", "ops", "phantoms"},
}
GROUND = {"errors", "progress", "shipped", "spawned"}
EVERYTHING_BELOW = {*MAY_IMPORT}
MAY_IMPORT["cli"] = EVERYTHING_BELOW
MAY_IMPORT["app"] = EVERYTHING_BELOW
MAY_IMPORT["__main__"] = {"app", "cli"}

NUMBERS = {"numpy"}
LIBRARIES = {
    "errors": set(),
    "spawned": set(),
    "progress": set(),
    "shipped": set(),
    "values": NUMBERS,
    "algorithms": NUMBERS
    | {
        "SimpleITK",
        "fast_simplification",
        "manifold3d",
        "numba",
        "potpourri3d",
        "scipy",
        "skimage",
        "vtkmodules",
    },
    "formats": NUMBERS | {"blake3", "pydicom", "imagecodecs", "scipy", "nibabel", "nrrd", "cascadio"},
    "plan": NUMBERS | {"cattrs", "platformdirs", "zstandard"},
    "casefile": {"apsw", "zstandard"},
    "phantoms": NUMBERS,
    "ops": NUMBERS,
    "recipes": {"platformdirs"},
    "acts": NUMBERS,
    "scene": NUMBERS,
    "difference": NUMBERS,
    "stage": NUMBERS | {"vtkmodules"},
    "session": set(),
    "selftest": NUMBERS,
    "cli": NUMBERS | {"platformdirs"},
    "app": NUMBERS | {"PySide6", "pyvistaqt", "platformdirs"},
    "__main__": set(),
}
RENDERING = ("vtkmodules.vtkRendering", "vtkmodules.vtkInteraction", "pyvista")
BANNED_NAMES = {"utils", "helpers", "common", "manager", "controller", "base"}


def modules() -> Iterator[tuple[Path, str]]:
    for file in sorted(ROOT.rglob("*.py")):
        room = file.relative_to(ROOT).parts[0].removesuffix(".py")
        if room != "__init__":
            yield file, room


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import, at any depth, in any branch."""
    package = ["surgiplan", *file.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{stem}.{alias.name}"


def house_module(name: str) -> str:
    """The file (as a dotted name) that an import of this name reaches."""
    parts = name.split(".")
    while parts:
        path = ROOT.parent.joinpath(*parts)
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return ".".join(parts)
        parts.pop()
    return ""


def test_every_room_has_its_place_on_a_floor() -> None:
    assert {room for _, room in modules()} <= set(MAY_IMPORT)


def test_imports_point_down() -> None:
    wrong = []
    for file, room in modules():
        for line, name in imports_of(file):
            if not name.startswith("surgiplan."):
                continue
            target = name.split(".")[1]
            is_room = (ROOT / target).is_dir() or (ROOT / f"{target}.py").is_file()
            if is_room and target != room and target not in MAY_IMPORT[room] | GROUND:
                wrong.append(f"{file.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


def test_libraries_stay_in_their_rooms() -> None:
    wrong = []
    for file, room in modules():
        for line, name in imports_of(file):
            library = name.split(".")[0]
            if library == "surgiplan" or library in sys.stdlib_module_names:
                continue
            if library not in LIBRARIES[room]:
                wrong.append(f"{file.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


def test_rendering_lives_on_the_stage_alone() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file, room in modules()
        if room not in ("stage", "app")
        for line, name in imports_of(file)
        if name.startswith(RENDERING)
    ]
    assert wrong == []


def test_loops_are_compiled_at_one_door() -> None:
    """Decision 0011."""
    doors = {
        str(f.relative_to(ROOT)) for f, _ in modules() if any(n.startswith("numba") for _, n in imports_of(f))
    }
    assert doors == {"algorithms/compiled.py"}


def test_there_is_no_import_circle() -> None:
    graph: dict[str, set[str]] = {}
    for file, _ in modules():
        name = ".".join(["surgiplan", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(
            ".__init__"
        )
        reached = {house_module(target) for _, target in imports_of(file)}
        graph[name] = {r for r in reached if r not in ("", "surgiplan", name)}
    circles = []
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circles.append(" -> ".join([*path[path.index(name) :], name]))
            return
        if name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    assert circles == []


def test_files_are_named_by_what_they_hold() -> None:
    assert [f for f, _ in modules() if f.stem in BANNED_NAMES] == []


def test_files_keep_their_budget() -> None:
    long = {str(f.relative_to(ROOT)): n for f, _ in modules() if (n := len(f.read_text().splitlines())) > 400}
    assert long == {}


def test_functions_keep_their_budget() -> None:
    long = []
    for file, _ in modules():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > 80:
                    long.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines")
    assert long == []


def test_the_engine_keeps_its_budget() -> None:
    """Decisions 0002 and 0008."""
    lengths = {f.name: len(f.read_text().splitlines()) for f in (ROOT / "plan").glob("*.py")}
    lengths["session.py"] = len((ROOT / "session.py").read_text().splitlines())
    assert sum(lengths.values()) <= 1250
    assert [name for name, n in lengths.items() if n > 300] == []


def test_an_installed_program_has_all_rooms_and_resources() -> None:
    """Setuptools takes only the packages that are listed."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = {".".join(f.parent.relative_to(ROOT.parent).parts) for f in ROOT.rglob("__init__.py")}
    shelves = {f"surgiplan.resources.{f.parent.name}" for f in (ROOT.parent / "resources").glob("*/*.json")}
    assert set(project["tool"]["setuptools"]["packages"]) == rooms | shelves
