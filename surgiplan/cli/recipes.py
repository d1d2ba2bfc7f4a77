"""Recipes, procedures and plan files: of the program, of the user's folder or of any file, put on a case."""

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput, NeedsHand, Usage
from ..recipes.files import content_of, joined, known, named, steps_of
from ..recipes.procedure import Procedure, chosen_for, procedures
from ..recipes.progress import Missing, Outcome, limits_words, missing, outcome
from ..recipes.schema import procedure_of, read_procedure
from ..session import Failed, Ready, Result, Waiting
from .verbs import entry_of, line_of, opened
from .words import say

_SIGNS = {"pass": "pass", "warn": "WARN", "open": "open"}


def recipes(arguments: Namespace) -> int:
    """List the recipes with what each makes, what it needs and where it asks for a hand."""
    rows = []
    for name, file in known().items():
        content = content_of(file)
        rows.append({"name": name} | {key: str(content.get(key, "")) for key in ("title", "needs", "hand")})
    lines, wide = list[str](), max(len(row["name"]) for row in rows) + 2
    for row in rows:
        lines.append(f"{row['name']:<{wide}}{row['title']}")
        lines += [f"{'':{wide}}{word}: {row[word]}" for word in ("needs", "hand") if row[word]]
    say(arguments, rows, "\n".join(lines))
    return 0


def list_procedures(arguments: Namespace) -> int:
    """List the procedures, or tell all of one: what it works on, what the hand gives, what is checked."""
    known_ones = {name: read_procedure(name, file) for name, file in procedures().items()}
    if arguments.name and arguments.name not in known_ones:
        raise Usage(f"there is no procedure {arguments.name!r}; there are: {', '.join(known_ones)}")
    chosen = [known_ones[arguments.name]] if arguments.name else list(known_ones.values())
    lines = []
    for one in chosen:
        lines.append(f"{one.name:<14}{one.title}")
        lines += [f"{'':14}needs: {one.needs}"] if not arguments.name else _told(one)
    say(arguments, [_row(one) for one in chosen], "\n".join(lines))
    return 0


def apply(arguments: Namespace) -> int:
    """Put the steps of a plan file, a recipe or a procedure on this case and compute them."""
    content = content_of(named(arguments.plan))
    procedure, values = None, _values(arguments.given)
    if "stages" in content:
        procedure = procedure_of(arguments.plan.stem, content, _count(values)).prefixed(arguments.prefix)
    elif values or arguments.prefix:
        raise Usage("--given and --prefix are for procedures; see: surgiplan procedures")
    with opened(arguments.case) as session:
        if procedure is not None:
            procedure = procedure.using(chosen_for(procedure, session.plan, values.pop("given", {})))
            before = f"{arguments.prefix}_" if arguments.prefix else ""
            made = procedure.put_on(session.plan, {before + name: one for name, one in values.items()})
        else:
            made = joined(session.plan, steps_of(arguments.plan), arguments.keep)
        session.commit(made, f"apply {arguments.plan.stem}")
        session.pursue().result()
        results = session.results()
        entries = [entry_of(made, name, result) for name, result in results.items()]
    checked = _checked(procedure, results) if procedure is not None else []
    lines = [line_of(entry) for entry in entries]
    lines += [f"{_SIGNS[one.verdict]:<8}{one.text}" for one in checked]
    told = [{"title": o.check.title, "verdict": o.verdict, "value": o.value, "text": o.text} for o in checked]
    say(arguments, {"steps": entries} | ({"checks": told} if procedure else {}), "\n".join(lines))
    if procedure is not None and (wanted := missing(procedure, made)):
        raise _needs(procedure, wanted)
    _raise_first(results)
    return 0


def _raise_first(results: Mapping[str, Result]) -> None:
    troubles = [r.error for r in results.values() if isinstance(r, Failed | Waiting) and r.error is not None]
    troubles.sort(key=lambda problem: isinstance(problem, NeedsHand))
    if troubles:
        raise troubles[0]


def _needs(procedure: Procedure, wanted: list[Missing]) -> NeedsHand:
    told = "\n  ".join(map(str, wanted))
    return NeedsHand(
        f"{procedure.name} waits for a hand; give these with --given, or place them in the window:\n  {told}"
    )


def _checked(procedure: Procedure, results: Mapping[str, Result]) -> list[Outcome]:
    values = {name: result.value for name, result in results.items() if isinstance(result, Ready)}
    return [outcome(check, values) for check in procedure.checks]


def _values(file: Path | None) -> dict[str, Any]:
    """What the hand gives, from a JSON file; BadInput when it is none."""
    if file is None:
        return {}
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadInput(f"{file.name} cannot be read as JSON: {problem}") from problem
    if not isinstance(given, dict) or not all(
        isinstance(one, dict) or (name == "count" and isinstance(one, int)) for name, one in given.items()
    ):
        raise BadInput(f"{file.name} must name steps, each with its parameters; see docs/procedures.md")
    return given


def _count(values: dict[str, Any]) -> int | None:
    number = values.pop("count", None)
    return None if number is None else int(number)


def _told(one: Procedure) -> list[str]:
    """A procedure in full, in words."""
    lines = [one.about, f"needs: {one.needs}"]
    lines += [
        f"works on {g.name}: {g.title} ({g.kind}{', may stay out' if g.optional else ''})" for g in one.given
    ]
    if one.count is not None:
        lines.append(
            f"count: {one.count.title}, {one.count.low} to {one.count.high} (here {one.count.number})"
        )
    for n, stage in enumerate(one.stages, 1):
        lines.append(f"{n}. {stage.title}: {stage.words}")
        lines += [
            f"   {stage.step}: {name}{' (may stay out)' * (name in stage.optional)}" for name in stage.marks
        ]
    lines += [f"check: {check.title}, {limits_words(check)}" for check in one.checks]
    return [f"{'':4}{line}" for line in (*lines, f"from: {one.source}")]


def _row(one: Procedure) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "about": one.about,
        "needs": one.needs,
        "given": [
            {"name": g.name, "title": g.title, "kind": g.kind, "optional": g.optional} for g in one.given
        ],
        "stages": [
            {"title": s.title, "words": s.words, "step": s.step, "marks": s.marks, "optional": s.optional}
            for s in one.stages
        ],
        "checks": [{"title": c.title, "of": c.of, "limits": limits_words(c)} for c in one.checks],
    }
