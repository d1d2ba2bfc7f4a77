"""How fast a CT comes in beside other readers, as tables for docs/benchmarks.md.

python -m benchmarks.import [--python PATH ...] [--folder FOLDER] [--rounds N] [--slices N] [--headers N]
[--only SYNTAX ...]

Makes its own series in FOLDER (a temporary one by default; some 5 GB), then runs the readers in turns,
A B C A B C, each in a process of its own, warm and cold (own files dropped from the cache of the system).
Best of the rounds counts: others use the machine too. --python names further Pythons in which a reader is
looked for (ITK, highdicom, vtk-dicom); one that is in none of them is named and skipped.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks import series

WORKER = Path(__file__).with_name("readers.py")
MODULES = {
    "surgiplan": "surgiplan",
    "SimpleITK": "SimpleITK",
    "pydicom": "pydicom",
    "vtk-dicom": "vtkdicom, vtkmodules.util.numpy_support",
    "ITK": "itk",
    "highdicom": "highdicom",
    "limit": "numpy",
    "bare decoder": "imagecodecs",
}
NATIVE = ("surgiplan", "SimpleITK", "vtk-dicom", "pydicom", "ITK", "highdicom", "limit")
CODED = ("surgiplan", "bare decoder", "vtk-dicom", "SimpleITK")
SCANS = ("scan surgiplan", "scan pydicom", "scan vtk-dicom")
Figures = dict[str, dict[str, float]]


def pythons(candidates: Iterable[str]) -> dict[str, str]:
    """For each reader the first Python that has it."""
    found: dict[str, str] = {}
    for name, module in MODULES.items():
        for python in candidates:
            done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False)
            if done.returncode == 0:
                found[name] = python
                break
        else:
            print(f"{name} is not installed and is skipped", flush=True)
    return found


def measured(python: str, name: str, folder: Path, tiny: Path, state: str) -> dict[str, float] | str:
    command = [python, str(WORKER), name, str(folder), str(tiny), state]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return "more than 300 s"
    if done.returncode or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        return last[:100]
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def turns(
    names: Iterable[str], found: dict[str, str], folder: Path, tiny: Path, state: str, rounds: int
) -> Figures:
    """The best of some rounds for each reader."""
    best: Figures = {}
    failed = set[str]()
    for _ in range(rounds):
        for name in names:
            python = found.get(name.removeprefix("scan "))
            if python is None or name in failed:
                continue
            figures = measured(python, name, folder, tiny, state)
            if isinstance(figures, str):
                failed.add(name)
                print(f"{name}, {folder.name}: {figures}", flush=True)
            elif name not in best or figures["seconds"] < best[name]["seconds"]:
                best[name] = figures
    return best


def table(title: str, best: Figures) -> None:
    ours = best.get("surgiplan") or best.get("scan surgiplan")
    if ours is None:
        return
    print(f"\n{title}\n\n| reader | seconds | CPU s | x ours | peak MB | same values |")
    print("|---|---|---|---|---|---|")
    for name, one in sorted(best.items(), key=lambda item: item[1]["seconds"]):
        same = "" if name == "limit" else "yes" if one["sum"] == ours["sum"] else "no"
        print(
            f"| {name} | {one['seconds']:.3f} | {one['cpu']:.2f} | {one['seconds'] / ours['seconds']:.2f}"
            f" | {one['mb']:.0f} | {same} |",
            flush=True,
        )


def goal(what: str, met: bool, figure: str) -> None:
    print(f"{'met' if met else 'NOT MET'}: {what} ({figure})", flush=True)


def beside(best: Figures, other: str, us: str = "surgiplan") -> float:
    """How many times as long as ours the other takes; 0 when it was not measured."""
    return best[other]["seconds"] / best[us]["seconds"] if other in best and us in best else 0.0


def native_goals(warm: Figures, cold: Figures, volume_mb: float) -> None:
    for state, best, times in (("warm", warm, 3), ("cold", cold, 4)):
        if ratio := beside(best, "SimpleITK"):
            goal(f"{times} x SimpleITK, {state}", ratio >= times, f"{ratio:.2f} x")
        if ratio := beside(best, "vtk-dicom"):
            goal(f"no slower than 1.3 x vtk-dicom, {state}", ratio >= 1 / 1.3, f"{1 / ratio:.2f} of its time")
        if ratio := beside(best, "limit"):
            print(f"distance to reading and copying alone, {state}: {1 / ratio:.2f} x")
    peak = warm["surgiplan"]["mb"] / volume_mb
    goal("peak memory 1.3 x the volume", peak <= 1.3, f"{peak:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="*", default=[])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--headers", type=int, default=5000)
    parser.add_argument("--only", nargs="*", default=[*series.SYNTAXES, "scan"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as made:
        run(Path(made), chosen)


def run(folder: Path, chosen: argparse.Namespace) -> None:
    found = pythons([sys.executable, *chosen.python])
    files = series.native(folder / "native", chosen.slices)
    for syntax in chosen.only:
        if syntax == "scan":
            continue
        place, tiny = folder / syntax, folder / f"tiny {syntax}"
        if syntax != "native":
            series.recoded(files, place, syntax)
        series.tiny(sorted(place.iterdir()), tiny)
        size = sum(path.stat().st_size for path in place.iterdir()) / 1e6
        title = f"{syntax}, {chosen.slices} slices of 512 x 512, {size:.0f} MB"
        names = NATIVE if syntax == "native" else CODED
        warm = turns(names, found, place, tiny, "warm", chosen.rounds)
        table(f"{title}, warm", warm)
        if syntax == "native":
            cold = turns(names, found, place, tiny, "cold", chosen.rounds)
            table(f"{title}, cold", cold)
            native_goals(warm, cold, chosen.slices * 512 * 512 * 2 / 2**20)
        else:
            ours = warm["surgiplan"]
            right = [one for one in warm.values() if one is not ours and one["sum"] == ours["sum"]]
            ratio = ours["seconds"] / min(one["seconds"] for one in right)
            goal(f"{syntax} within 1.2 x the fastest other", ratio <= 1.2, f"{ratio:.2f} x")
    if "scan" in chosen.only:
        scan(files, folder, found, chosen)


def scan(files: list[Path], folder: Path, found: dict[str, str], chosen: argparse.Namespace) -> None:
    many = folder / "many"
    series.copies(files, many, chosen.headers)
    series.tiny(files, folder / "tiny scan")
    for state in ("warm", "cold"):
        best = turns(SCANS, found, many, folder / "tiny scan", state, chosen.rounds)
        table(f"scan of {chosen.headers} files, {state}", best)
        if ratio := beside(best, "scan pydicom", "scan surgiplan"):
            goal(f"scan 4 x pydicom, {state}", ratio >= 4, f"{ratio:.2f} x")


if __name__ == "__main__":
    main()
