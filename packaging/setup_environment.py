"""Make everything ready for `make demo` and `make test` on a machine that has only Python 3.11 or newer.

Makes .venv, installs the pinned dependencies and surgiplan itself, and sees to the system libraries that
Qt and VTK open at run time: through apt where that is permitted, else with a line that names them.
Runs again only what has changed. Standard library only.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PINS = ROOT / "packaging" / "requirements.txt"
STAMP = VENV / "surgiplan-ready"

# library that is opened -> Debian package that brings it
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}
PROGRAMS = {"Xvfb": "xvfb", "xauth": "xauth"}  # for the tests of the window
JUDGES = {"dcm2niix": "dcm2niix", "dciodvfy": "dicom3tools", "dcmdrle": "dcmtk"}  # others' programs, for CI


def main() -> int:
    """Make ready; gives the exit code."""
    if sys.version_info < (3, 11):
        print(f"surgiplan needs Python 3.11 or newer, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    see_to_system_libraries(
        (PROGRAMS if "--tests" in sys.argv else {}) | (JUDGES if "--judges" in sys.argv else {})
    )
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return 0
    make_venv()
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    print("installing the pinned dependencies into .venv (once; some 600 MB) ...", flush=True)
    subprocess.run([*pip, "--requirement", str(PINS)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    subprocess.run([str(python), "-m", "surgiplan.algorithms.rehearsal"], cwd=ROOT, check=True)
    STAMP.write_text(wanted)
    return 0


def fingerprint() -> str:
    """A hash of all that decides what must be installed, and of where it is."""
    content = PINS.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def make_venv() -> None:
    """A virtual environment; on Debian the module for it may be a package of its own."""
    made = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(made, capture_output=True).returncode == 0:
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not apt_install([f"python{version}-venv"]):
        sys.exit(f"Python's venv is missing. Run as root: apt-get install python{version}-venv")
    subprocess.run(made, check=True)


def see_to_system_libraries(programs: dict[str, str]) -> None:
    """Install what Qt and VTK open at run time, and these programs, or say what is missing."""
    if not sys.platform.startswith("linux"):
        return
    missing = [package for library, package in LIBRARIES.items() if not can_open(library)]
    missing += [package for program, package in programs.items() if not shutil.which(program)]
    if missing and not apt_install(missing):
        print(f"system libraries are missing; as root: apt-get install {' '.join(missing)}", file=sys.stderr)


def can_open(library: str) -> bool:
    """Whether the loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages where this user may; False when it may not or they cannot be had."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    print(f"installing {' '.join(packages)} ...", flush=True)
    for attempt in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(attempt, env=environment, capture_output=True, text=True)
        if done.returncode == 0 and attempt is install:
            return True
    print(done.stderr.strip()[-500:], file=sys.stderr)
    return False


if __name__ == "__main__":
    sys.exit(main())
