"""The command line: the same verbs without a window."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from .. import SAFETY_LINE, __version__
from ..acts import intake
from ..errors import BadInput, CaseError, NeedsHand, SurgiplanError, Usage
from ..formats import dicom
from ..formats.meshes import UNITS_MM
from . import (
    approving,
    compare,
    crash,
    demo,
    differing,
    imports,
    privacy,
    recipes,
    segmenting,
    selftest,
    verbs,
    verifying,
)

EXIT_CODES: tuple[tuple[type[SurgiplanError], int], ...] = (
    (Usage, 2),
    (BadInput, 10),
    (NeedsHand, 12),
    (CaseError, 13),
    (SurgiplanError, 11),
)
Run = Callable[[argparse.Namespace], int]
OpenWindow = Callable[[Path | None, bool], int]


def main(argv: Sequence[str], open_window: OpenWindow) -> int:
    """Run one command; gives the exit code.

    0 fine, 2 usage, 10 refused input, 11 a step failed, 12 needs a hand, 13 case file, 40 a bug.

    argv: the words after the name of the program
    open_window: shows the window on a case or path; kept out of here, since this room knows no Qt
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    words, fields = _without_fields(argv)
    arguments = _parser().parse_args(words)
    arguments.words = fields
    try:
        if arguments.verb == "open":
            return open_window(arguments.path, arguments.safe_graphics)
        if arguments.verb == "demo":
            return demo.demo(arguments, open_window)
        code: int = arguments.run(arguments)
        return code
    except SurgiplanError as problem:
        print(f"surgiplan: {problem}", file=sys.stderr)
        return next(code for kind, code in EXIT_CODES if isinstance(problem, kind))
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("surgiplan: stopped", file=sys.stderr)
        return 11
    except Exception as problem:
        place = crash.write_report(problem)
        print(
            f"surgiplan: a fault in surgiplan ({type(problem).__name__}). What was committed is safe.",
            file=sys.stderr,
        )
        print(f"surgiplan: the details stand in {place}", file=sys.stderr)
        return 40


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in two plain lines, however many words a command knows."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and leave with 2."""
        self.exit(2, f"{self.prog}: {message}\n{self.prog}: --help says how\n")


def _without_fields(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of `add` and `edit` without the parameters of the operation, and those parameters.

    They are set apart first, since argparse takes a value such as -3,0,5 for an option.
    """
    kept, fields = list(argv[:1]), list[str]()
    rest = list(argv[1:])
    if kept and kept[0] in ("add", "edit"):
        while rest:
            word = rest.pop(0)
            own = word.split("=")[0] in ("--json", "--suggest", "--help") or not word.startswith("--")
            (kept if own else fields).append(word)
            if not own and "=" not in word and rest and not rest[0].startswith("--"):
                fields.append(rest.pop(0))
                while "=" in fields[-1] and rest and "=" in rest[0] and not rest[0].startswith("--"):
                    fields.append(rest.pop(0))  # landmarks are several words: name=x,y,z name=x,y,z
            elif word == "--suggest" and rest:
                kept.append(rest.pop(0))
    return _with_places(kept + rest), fields


def _with_places(words: list[str]) -> list[str]:
    """The words with `--at X` as one, since X may begin with a minus."""
    for n, word in enumerate(words[:-1]):
        if word == "--at":
            return [*words[:n], f"--at={words[n + 1]}", *words[n + 2 :]]
    return words


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="surgiplan", description=SAFETY_LINE, epilog="surgiplan ops: the operations.")
    parser.add_argument("--version", action="version", version=f"surgiplan {__version__}")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int] | None, about: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        made.set_defaults(run=run)
        made.add_argument("--json", action="store_true", help="print the result as JSON")
        return made

    _add_looking(command)
    _add_planning(command)
    _add_reviewing(command)
    _add_assistance(command)
    return parser


def _add_looking(command: Callable[..., argparse.ArgumentParser]) -> None:
    made = command("demo", None, "walk the whole job once on phantoms, or on a CT of yours")
    made.add_argument("--out", type=Path, help="folder for all that is written; demo-output if not given")
    made.add_argument(
        "--dicom", type=Path, help="a CT of yours (folder, file or zip) instead of the phantoms"
    )
    made.add_argument("--window", action="store_true", help="open the window on the case at the end")
    made = command("series", verbs.series, "list the DICOM series of a folder, file or zip")
    made.add_argument("path", type=Path)
    made = command("deidentify", privacy.deidentify, "copy DICOM files without the patient's identity")
    made.add_argument("path", type=Path, help="a folder, a file or a zip archive; it is not changed")
    made.add_argument("out", type=Path, help="a folder that does not exist yet or is empty")
    privacy.add_options(made)
    made.add_argument("--burned-in", action="store_true", help="copy pictures that may show text too")
    made = command("show", verbs.show, "compute a case and show its steps and findings")
    made.add_argument("case", type=Path)
    made = command("render", verbs.render, "draw a case into a PNG picture, without a display")
    made.add_argument("case", type=Path)
    made.add_argument("--view", choices=("3d", "axial", "coronal", "sagittal", "four"), default="four")
    made.add_argument("--to", type=Path, required=True)
    made.add_argument("--size", default="1280x960", help="width x height in pixels")
    made.add_argument("--at", help="the place the slices go through: x,y,z LPS mm")
    made = command("compare", compare.compare, "tell how well two masks or shapes agree: Dice, HD95 ...")
    about = "a mesh file, a label map (FILE or FILE:SEGMENT), or CASE:STEP"
    made.add_argument("a", help=about)
    made.add_argument("b", help=about)
    made.add_argument("--tolerance", type=float, default=1.0, help="of the NSD in mm; 1 if not given")
    made = command("verify", verifying.verify, "check the case file, recompute everything and compare")
    made.add_argument("case", type=Path)
    made = command("selftest", selftest.selftest, "measure this installation on phantoms, beside the goals")
    made.add_argument("--quick", action="store_true", help="fewer shapes: under 20 seconds")
    made.add_argument("--to", type=Path, help="write the outcome as a Markdown page as well")
    made = command("ops", verbs.ops, "the manual: all operations, or one in full")
    made.add_argument("name", nargs="?")
    made.add_argument("--markdown", action="store_true", help="of measure: the page of all definitions")
    made = command("open", None, "open the window")
    made.add_argument("path", type=Path, nargs="?", help="a case, a DICOM folder or zip, a volume or a mesh")
    made.add_argument("--safe-graphics", action="store_true", help="draw in software, for bad drivers")


def _add_planning(command: Callable[..., argparse.ArgumentParser]) -> None:
    made = command(
        "import", imports.import_, "bring a DICOM series, a volume, a label map or a mesh into a case"
    )
    made.add_argument("path", type=Path)
    made.add_argument("--case", type=Path, required=True, help="the case file; made when it does not exist")
    made.add_argument("--series", default="", help="UID of the series; else the largest usable one")
    made.add_argument(
        "--accept",
        action="append",
        default=[],
        choices=dicom.CHOICES,
        help="use a refused series all the same; what was wrong is written into the journal: "
        + "; ".join(f"{word}: {what}" for word, what in dicom.CHOICES.items()),
    )
    made.add_argument("--name", default="", help="name of the new step")
    made.add_argument("--side", choices=("R", "L"), default="", help="planned side of the case")
    made.add_argument(
        "--modality", choices=intake.MODALITIES, default="", help="what a NIfTI, NRRD or MetaImage file is"
    )
    made.add_argument("--unit", choices=tuple(UNITS_MM), default="", help="the unit of a mesh file")
    made.add_argument("--labels", action="store_true", help="a label map: each label becomes a mask")
    made.add_argument("--on", default="", metavar="STEP", help="the scan on whose voxels a label map lies")
    made.add_argument("--deidentify", action="store_true", help="the case keeps no identity of the patient")
    privacy.add_options(made)
    made = command("add", verbs.add, "add a step: --field value for each parameter, see: surgiplan ops NAME")
    made.add_argument("case", type=Path)
    made.add_argument("operation")
    made.add_argument("name")
    made.add_argument("--suggest", default="", help="take parameters it proposes, such as otsu")
    made.usage = "surgiplan add [--json] [--suggest METHOD] case operation name --field value ..."
    made = command("edit", verbs.edit, "change parameters of a step; all below follows")
    made.add_argument("case", type=Path)
    made.add_argument("name")
    made.usage = "surgiplan edit [--json] case name --field value ..."
    made = command("remove", verbs.remove, "take a step out that no other step uses")
    made.add_argument("case", type=Path)
    made.add_argument("name")
    made = command(
        "export",
        verbs.export,
        "write an up-to-date result: a shape (.stl .ply .obj .3mf .glb), a scan (.nii.gz .nrrd .mha),"
        " a mask (.seg.nrrd too), or its figures (.json)",
    )
    made.add_argument("case", type=Path)
    made.add_argument("name", help="a step, or step.output")
    made.add_argument("--to", type=Path, required=True)
    made = command("undo", verbs.undo, "go back to the plan before the last change")
    made.add_argument("case", type=Path)
    made = command("redo", verbs.redo, "take back the last undo")
    made.add_argument("case", type=Path)
    made = command("plan", verbs.plan, "print the plan as JSON, to read, compare or apply elsewhere")
    made.add_argument("case", type=Path)


def _add_reviewing(command: Callable[..., argparse.ArgumentParser]) -> None:
    made = command("diff", differing.diff, "tell what distinguishes two plans, and what comes of it")
    about = "a case, or a plan file as the verb plan writes it"
    made.add_argument("a", type=Path, help=about)
    made.add_argument("b", type=Path, nargs="?", help=f"{about}; left out to compare revisions of a")
    made.add_argument("--from", type=int, dest="revision", help="a revision; the present one if not given")
    made.add_argument("--to", type=int, help="a revision; the present one if not given")
    made.add_argument("--compute", action="store_true", help="compute what the cases do not know yet")
    why, by = "the reason, for the journal", "who does it, for the journal"
    made = command("lock", approving.lock, "let nothing change the plan until it is unlocked")
    made.add_argument("case", type=Path)
    made.add_argument("--why", required=True, help=why)
    made.add_argument("--by", default="", help=by)
    made = command("unlock", approving.unlock, "let the plan be changed again; voids an approval")
    made.add_argument("case", type=Path)
    made.add_argument("--why", required=True, help=why)
    made.add_argument("--by", default="", help=by)
    made = command("approve", approving.approve, "compute everything, freeze it as approved, lock the plan")
    made.add_argument("case", type=Path)
    made.add_argument("--by", required=True, help="who approves the plan; kept in the journal and the report")


def _add_assistance(command: Callable[..., argparse.ArgumentParser]) -> None:
    command("segmenters", segmenting.segmenters, "list the segmenters of others that can be asked")
    made = command(
        "segment-with", segmenting.segment_with, "let an installed segmenter find masks in a scan of a case"
    )
    segmenting.add_options(made)
    command("recipes", recipes.recipes, "list the recipes: plans that can be applied by name")
    made = command(
        "procedures",
        recipes.list_procedures,
        "list the procedures: recipes with landmarks to place and checks",
    )
    made.add_argument("name", nargs="?", help="tell all of one")
    made = command(
        "apply",
        recipes.apply,
        "put the steps of a plan file, a recipe or a procedure on a case and compute them",
    )
    made.add_argument("case", type=Path)
    made.add_argument("plan", type=Path, help="a plan file, or the name of a recipe or procedure")
    made.add_argument(
        "--keep", action="store_true", help="keep the steps of the case; else its sources alone stay"
    )
    made.add_argument(
        "--given",
        type=Path,
        metavar="FILE.json",
        help="for a procedure: what the hand gives, such as landmarks by step, and which results it works on",
    )
    made.add_argument("--prefix", default="", help="for a procedure: put before the names of its steps")
