"""The one-page report: what was planned, the figures, the findings and the pictures, in one HTML file."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from .. import SAFETY_LINE, __version__
from ..casefile import CaseFile
from ..formats.files import write_whole
from ..plan.plan import Plan
from ..values import Finding
from .approval import approval_words

_STYLE = """
body{font:10.5pt/1.35 system-ui,'DejaVu Sans',sans-serif;color:#1b1e23;margin:12mm auto;max-width:186mm}
h1{font-size:17pt;margin:0}h2{font-size:11.5pt;margin:5mm 0 1.5mm}
.side{font-size:13pt;font-weight:700}.use{background:#8a5a00;color:#fff;padding:1.5mm 3mm;margin:3mm 0}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.8mm 2mm;border-bottom:.2mm solid #c9ced6;vertical-align:top}
td{overflow-wrap:anywhere}
th{color:#59616b;font-weight:600}td.n{white-space:nowrap}
.pictures{display:flex;flex-wrap:wrap;gap:3mm}figure{margin:0;flex:1 1 45%}img{width:100%;display:block}
figcaption{color:#59616b;font-size:9pt}.danger{color:#b00020;font-weight:600}.warning{color:#8a5a00;font-weight:600}
.approved{color:#00693e;font-weight:600}
footer{color:#59616b;font-size:8.5pt;margin-top:5mm;border-top:.2mm solid #c9ced6;padding-top:2mm}
@page{size:A4;margin:10mm}@media print{body{margin:0}}
"""


@dataclass(frozen=True)
class Report:
    """What goes into a report.

    title: such as "Derotation osteotomy, right femur"
    plan: the plan it is about
    lines: step name, operation and a sentence with its figures, in the order of the plan
    findings: what the planner should look at
    pictures: caption and PNG bytes
    files: what was exported: name of the file and its sha256
    identify: whether to print the patient; nothing identifying stands in it otherwise
    """

    title: str
    plan: Plan
    lines: Sequence[tuple[str, str, str]]
    findings: Sequence[Finding] = ()
    pictures: Sequence[tuple[str, bytes]] = ()
    files: Sequence[tuple[str, str]] = ()
    identify: bool = field(default=False, kw_only=True)


def write_report(case: CaseFile, report: Report, path: Path) -> None:
    """Write the report as one HTML file that needs no other file; journalled.

    Raises CaseError when the disk does not take it; then no half file is left.
    """
    write_whole(path, page(report, case).encode())
    if not case.read_only:
        case.journal("report", file=path.name, pictures=len(report.pictures))


def page(report: Report, case: CaseFile) -> str:
    """The HTML text of a report."""
    side = {"R": "RIGHT", "L": "LEFT"}.get(str(case.fact("side") or ""), "NOT SET")
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    keys = report.plan.keys()
    recipe = keys[report.plan.steps[-1].name] if report.plan.steps else "empty plan"
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(report.title)}</title>",
        f"<style>{_STYLE}</style><h1>{escape(report.title)}</h1>",
        f"<div class=side>Planned side: {side}</div>{_patient(report, case)}{_approval(case)}",
        f"<div class=use>{escape(SAFETY_LINE)}</div>",
        _pictures(report.pictures),
        "<h2>Steps</h2>",
        _table(("Step", "Operation", "Result"), report.lines),
        "<h2>Findings</h2>",
        _findings(report.findings),
        "<h2>Files</h2>" + _table(("File", "SHA-256"), report.files) if report.files else "",
        f"<footer>surgiplan {__version__}, {made}. Recipe {recipe}. Coordinates: patient LPS, millimetres."
        " The residual of a registration is not its accuracy.</footer>",
    ]
    return "\n".join(parts)


def _patient(report: Report, case: CaseFile) -> str:
    known: Any = case.fact("patient")
    if not report.identify or not isinstance(known, Mapping):
        return "<div>Patient: not printed</div>"
    words = (str(known.get(key, "")) for key in ("patient_name", "patient_id", "birth_date"))
    return f"<div>Patient: {escape(', '.join(w for w in words if w))}</div>"


def _approval(case: CaseFile) -> str:
    """Whether the plan is approved, by whom, when, and the digest of that plan."""
    words = approval_words(case)
    approved = case.lock is not None and case.lock.approved
    return f"<div class={'approved' if approved else 'warning'}>{escape(words[:1].upper() + words[1:])}</div>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{body}</table>"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<p>None.</p>"
    rows = (
        f"<tr><td class={f.severity}>{f.severity}</td><td>{escape(f.step)}</td><td>{escape(f.text)}</td></tr>"
        for f in findings
    )
    return f"<table>{''.join(rows)}</table>"


def _pictures(pictures: Sequence[tuple[str, bytes]]) -> str:
    figures = (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{b64encode(png).decode()}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, png in pictures
    )
    return f"<div class=pictures>{''.join(figures)}</div>"
