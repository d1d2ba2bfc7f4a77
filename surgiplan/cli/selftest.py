"""The verb `selftest`: does this installation keep its promises?"""

import sys
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from .. import SAFETY_LINE, __version__
from ..errors import StepFailed
from ..selftest import Outcome, document, run
from ..selftest.page import lines
from .words import say


def selftest(arguments: Namespace) -> int:
    """Measure, print as it goes, and fail when a promise is not kept."""
    outcomes = []
    for outcome in run(arguments.quick):
        outcomes.append(outcome)
        if not arguments.json:
            print("\n".join(lines(outcome)), flush=True)
    failed = [one.row.key for one in outcomes if one.verdict == "FAIL"]
    kept = sum(one.verdict == "PASS" for one in outcomes)
    if arguments.to is not None:
        arguments.to.write_text(document(outcomes), encoding="utf-8")
    data = {"surgiplan": __version__, "python": sys.version.split()[0], "use": SAFETY_LINE}
    rows = [_told(one) for one in outcomes]
    say(arguments, data | {"passed": not failed, "rows": rows}, f"{kept} rows hold. {SAFETY_LINE}")
    if failed:
        raise StepFailed(
            f"rows {', '.join(failed)} of the selftest do not hold: do not plan with this installation, "
            "and report the output of surgiplan selftest --json"
        )
    return 0


def _told(outcome: Outcome) -> dict[str, Any]:
    row = outcome.row
    return {
        "row": row.key,
        "name": row.name,
        "goal": row.goal,
        "anchor": row.anchor,
        "verdict": outcome.verdict,
        "figures": [asdict(one) | {"holds": one.holds} for one in outcome.figures],
        "seconds": round(outcome.seconds, 2),
        "note": outcome.trouble or row.absent,
    }
