"""A segmenter that the tests make: a small program that reads and writes real NIfTI files."""

import json
import os
import sys
from pathlib import Path

PROGRAM = """
import os, subprocess, sys, time
from pathlib import Path
import nibabel, numpy as np

scan, labels, manner, outside = sys.argv[1:5]
image = nibabel.load(scan)
grey = np.asarray(image.dataobj)
found = (1 * (grey > 300) + 2 * (grey > 900)).astype(np.uint8)
affine = image.affine.copy()
Path("beside.txt").write_text("what is written into the working folder goes with it")
Path(outside, "seen.txt").write_text("\\n".join([
    os.getcwd(), repr(image.header["descrip"].tobytes()), os.environ.get("SURGIPLAN_PASSPHRASE", "no passphrase"),
    os.environ["https_proxy"], os.environ["TMPDIR"],
    oct(os.stat(os.getcwd()).st_mode & 0o777)]))
if manner == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(outside, "pids.txt").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)
if manner == "die":
    print("\\n".join(f"line {n}" for n in range(50)) + "\\n\\x1b[31mno \\x07model\\x1b[0m\\rthe model is not installed",
          file=sys.stderr)
    sys.exit(3)
if manner == "crash":
    os.kill(os.getpid(), 11)
if manner == "chatter":
    for stream in (sys.stdout, sys.stderr):
        stream.write("x" * 5_000_000)
if manner == "shifted":
    affine[:3, 3] += affine[:3, 0]
if manner == "coarse":
    found, affine[:3, :3] = found[::2, ::2, ::2], 2 * affine[:3, :3]
if manner == "turned":
    image = nibabel.Nifti1Image(found, affine)
    image = image.as_reoriented(nibabel.orientations.ornt_transform(
        nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt("PIR")))
    found, affine = np.asarray(image.dataobj), image.affine
if manner == "fractions":
    found = found / 2
if manner == "negative":
    found = found.astype(np.int16) - 1
if manner == "nothing":
    found[:] = 0
if manner == "elsewhere":
    labels = str(Path(outside, "labels.nii.gz"))
if manner == "silent":
    sys.exit(0)
nibabel.save(nibabel.Nifti1Image(found, affine), str(Path(outside, "true.nii.gz")) if manner == "link" else labels)
if manner == "link":
    os.symlink(Path(outside, "true.nii.gz"), labels)
if manner == "locks":
    os.mkdir("locked"); Path("locked", "a").write_text("a"); os.chmod("locked", 0)
"""  # noqa: E501
LICENCE, SEPARATE = "MIT, made by the tests", "the thorough model needs a licence of its own"


def describe(folder: Path, outside: Path, **changes: object) -> dict[str, object]:
    """Write program and description into a folder; gives the description."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "standin.py"
    program.write_text(PROGRAM, encoding="utf-8")
    content: dict[str, object] = {
        "title": "Stand-in",
        "model": "threshold, {manner}",
        "command": [sys.executable, str(program), "{scan}", "{labels}", "{manner}", str(outside)],
        "version": [sys.executable, "-c", "print('stand-in 1.2.3')"],
        "scan": "in/scan.nii.gz",
        "labels": "out/labels.nii.gz",
        "options": {
            "manner": {"words": [], "default": "good"},
            "thorough": {"words": ["--thorough", "{value}"], "choices": ["yes", "no"]},
        },
        "names": {"always": {"1": "knob"}},
        "licence": LICENCE,
        "separate_licences": {"thorough=yes": SEPARATE},
        "minutes": 2,
        **changes,
    }
    (folder / "standin.json").write_text(json.dumps(content), encoding="utf-8")
    return content


def is_gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that its parent has not asked for counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
