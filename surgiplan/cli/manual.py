"""The manual, made from the operations themselves."""

from dataclasses import MISSING
from typing import Any

from ..plan.operation import Field, Operation, Ref
from ..plan.plan import Operations
from .words import FORMS


def overview(operations: Operations) -> str:
    """One line per operation, under the headings of the menu."""
    lines: list[str] = []
    for group in dict.fromkeys(cls.spec.group for cls in operations.values()):
        lines += [group]
        for cls in operations.values():
            if cls.spec.group == group:
                lines.append(f"  {cls.spec.name:<15}{cls.spec.summary}")
    return "\n".join(lines)


def page(cls: type[Operation[Any]]) -> str:
    """All there is to say of one operation: what it gives, and each parameter."""
    spec = cls.spec
    gives = ", ".join(f"{name or 'result'}: {kind.__name__}" for name, kind in spec.outputs.items())
    lines = [f"{spec.name} (version {spec.version})", spec.summary, "", f"gives  {gives}", ""]
    for field in spec.fields:
        lines += [f"  --{field.name:<16}{field.help}", f"    {'':<16}{_form(field)}"]
        told = zip(field.choices, field.told, strict=True)
        lines += [f"    {'':<18}{word:<40}{meaning}".rstrip() for word, meaning in told if meaning]
    return "\n".join(lines)


def page_data(cls: type[Operation[Any]]) -> dict[str, Any]:
    """The same as plain data."""
    spec = cls.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "summary": spec.summary,
        "group": spec.group,
        "runs": spec.runs,
        "outputs": {name: kind.__name__ for name, kind in spec.outputs.items()},
        "fields": [_field_data(field) for field in spec.fields],
    }


def _field_data(field: Field) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": field.name,
        "type": f"Ref[{field.takes.__name__}]" if field.takes else _kind(field),
        "help": field.help,
        "required": field.default is MISSING,
        "form": _form(field),
    }
    if field.choices:
        data["choices"] = list(field.choices)
        data |= {"told": list(field.told)} if any(field.told) else {}
    if field.number is not None:
        data |= {"unit": field.number.unit, "low": field.number.low, "high": field.number.high}
    if field.hand is not None:
        data["hand"] = field.hand.what
    return data


def _kind(field: Field) -> str:
    return (
        getattr(field.kind, "__name__", str(field.kind)) if isinstance(field.kind, type) else str(field.kind)
    )


def _form(field: Field) -> str:
    parts: list[str] = []
    if field.takes is not None:
        parts.append(f"{field.takes.__name__}: {FORMS[Ref]}")
    elif any(field.told):
        parts.append("one of these words")
    elif field.choices:
        parts.append(" | ".join(field.choices))
    elif field.number is not None:
        parts.append(f"{field.number.low:g} to {field.number.high:g} {field.number.unit}".rstrip())
    else:
        parts.append(FORMS.get(field.kind, _kind(field)))
    if field.default is MISSING:
        parts.append("required")
    elif field.hand is not None:
        parts.append(f"placed by hand: {field.hand.what}")
    elif field.default is not None and field.takes is None and not hasattr(field.default, "matrix"):
        parts.append(f"default {field.default}")
    return "; ".join(parts)
