"""De-identification: DICOM files out of a folder, file or zip, into a new folder, without an identity."""

import json
import os
import secrets
import shutil
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import BadInput, CaseError
from ..formats import quarantine
from ..formats.dicom.headers import Identity
from ..formats.privacy.deidentify import Treated, spoken, treated
from ..formats.privacy.profile import EDITION
from ..formats.privacy.pseudonyms import Options, Pseudonyms, dated
from ..formats.privacy.terms import cleaned
from ..formats.sources import Member, Reader, listed
from ..progress import Report, paced, silent
from ..values import Mask, Volume
from .intake import Loaded

NOT_DONE = (
    "no person has looked at the pictures: text burned into them is found only where the file says so",
    "a face can be made out of a scan of a head: see the operation deface",
    "what is rare in itself (an implant, a deformity, an age) can still give somebody away",
)
SECRET_BYTES = 32
_SECONDS = 60.0


def deidentify(
    source: Path, out: Path, options: Options, secret: bytes = b"", report: Report = silent
) -> dict[str, Any]:
    """Write all DICOM files of a source anew, without an identity.

    source: a folder with all below it, one file, or a zip archive; never changed
    out: a folder that does not exist or is empty, outside of the source
    options: what may stay beside the images
    secret: makes the same pseudonyms as another run that had it; a new one, thrown away after, when empty
    report: told how far it is; may raise Cancelled, then nothing is left
    Gives what stands in OUT/report.json too: counts, never an identity. Raises BadInput when the folders
    do not suit or no file can be written, CaseError when the disk does not take it.
    """
    _require_room(source, out)
    pseudonyms = Pseudonyms(secret or secrets.token_bytes(SECRET_BYTES))
    members = listed(source).members
    waiting = out.parent / f".{secrets.token_hex(8)}"
    try:
        waiting.mkdir(parents=True)
        summary = _Summary(options)
        told = paced(report)
        with Reader() as reader:
            for number, member in enumerate(members):
                told(number / len(members), f"file {number + 1} of {len(members)}")
                summary.add(waiting, _read(reader, member, options, pseudonyms))
        if not summary.written:
            raise BadInput(f"none of the {len(members)} files could be de-identified: {summary.reasons()}")
        (waiting / "report.json").write_text(json.dumps(summary.told(), indent=1), encoding="utf-8")
        if out.exists():
            out.rmdir()
        waiting.rename(out)
    except OSError as problem:
        raise CaseError(f"the output was not written ({problem.strerror}): choose another place") from None
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    told(1.0, "de-identified")
    return summary.told()


def without_identity(loaded: Loaded, options: Options, secret: bytes = b"") -> Loaded:
    """What was loaded, as it goes into a case that shall hold no identity; give it to `intake.keep`.

    loaded: from `intake.load`; its patient is empty for a mesh
    options: what may stay: the study date as `dates` says, UIDs, the sex
    secret: as in `deidentify`. Without one the patient stays empty, since no two imports could be compared;
        with one it is a pseudonym, and another patient's series is still refused
    """
    pseudonyms = Pseudonyms(secret or secrets.token_bytes(SECRET_BYTES))

    def renamed(uid: str) -> str:
        return uid if options.uids or not uid else pseudonyms.uid(uid)

    about = loaded.about | {
        "deidentified": spoken(options),
        "warnings": [_nameless(warning, loaded.files) for warning in loaded.warnings],
    }
    if "series_uid" in about:
        uid, hash_, part = str(about["series_uid"]).partition("#")
        about["series_uid"] = renamed(uid) + hash_ + part
    if "files_digest" in about:
        about["files_digest"] = pseudonyms.digest(str(about["files_digest"]))
    value = loaded.value
    if isinstance(value, Volume | Mask):
        value = replace(value, grid=replace(value.grid, frame_uid=renamed(value.grid.frame_uid)))
    patient = dict[str, str]()
    if loaded.patient:
        known = Identity(**loaded.patient)
        person = pseudonyms.person(known)
        stay = replace(
            Identity(),
            patient_id=person.pseudonym if secret else "",
            sex=known.sex if options.characteristics and known.sex in ("M", "F", "O") else "",
            study_date=dated(known.study_date, "DA", options, person),
            study_uid=renamed(known.study_uid),
            laterality=known.laterality if known.laterality in ("R", "L", "B", "U") else "",
        )
        patient = asdict(stay)
    return replace(
        loaded,
        value=value,
        about=about,
        patient=patient,
        warnings=tuple(about["warnings"]),
        name=cleaned(loaded.name).replace(" ", "_"),
        files=(),
    )


def _nameless(sentence: str, names: tuple[str, ...]) -> str:
    """A sentence without the names of files; those of files that were left out stand behind a colon."""
    if "left out: " in sentence:
        sentence = sentence.partition(": ")[0]
    for name in sorted(names, key=len, reverse=True):
        sentence = sentence.replace(name, "a file")
    return sentence


def read_secret(file: Path) -> bytes:
    """The secret in a file that keeps pseudonyms the same over several runs; made when the file is absent.

    Raises BadInput when the file is no such secret, CaseError when it cannot be made.
    """
    try:
        if not file.exists():
            place = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(place, "w", encoding="ascii") as made:
                made.write(secrets.token_hex(SECRET_BYTES) + "\n")
        found = bytes.fromhex(file.read_text(encoding="ascii"))
    except OSError as problem:
        raise CaseError(f"the key file cannot be used ({problem.strerror}): choose another place") from None
    except ValueError:
        found = b""
    if len(found) != SECRET_BYTES:
        raise BadInput("the key file does not hold a key: name a file that does not exist, and one is made")
    return found


def _require_room(source: Path, out: Path) -> None:
    if not source.exists():
        raise BadInput(f"{source} does not exist: check the path")
    inside, outside = source.resolve(), out.resolve()
    if outside == inside or inside in outside.parents:
        raise BadInput("the output lies inside the source, which is never changed: choose another place")
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise BadInput("the output exists and is not an empty folder: choose another place")


def _read(reader: Reader, member: Member, options: Options, pseudonyms: Pseudonyms) -> Treated:
    try:
        with reader.open(member) as stream:
            data = stream.read(member.size + 1)
    except MemoryError:
        raise
    except Exception as problem:  # a damaged archive raises nearly anything
        return Treated(reason=f"it cannot be read ({type(problem).__name__})")
    try:
        made: Treated = quarantine.run(treated, data, options, pseudonyms, name="a file", seconds=_SECONDS)
    except quarantine.Lost:
        return Treated(reason="it is damaged (reading it took too long or too much memory)")
    return made


class _Summary:
    """Writes the files under names that say nothing, and counts."""

    def __init__(self, options: Options) -> None:
        self.options, self.written = options, 0
        self._left, self._changes = Counter[str](), Counter[tuple[str, str]]()
        self._patients, self._kinds = set[str](), Counter[str]()
        self._series: dict[tuple[str, str], int] = {}
        self._files = Counter[int]()

    def add(self, folder: Path, one: Treated) -> None:
        if one.reason:
            self._left[one.reason] += 1
            return
        series = self._series.setdefault((one.patient, one.series), len(self._series) + 1)
        self._files[series] += 1
        place = folder / one.patient / f"S{series:04d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"IM{self._files[series]:06d}.dcm").write_bytes(one.data)
        self.written += 1
        self._patients.add(one.patient)
        self._kinds[one.modality] += 1
        self._changes.update(one.changes or {})

    def reasons(self) -> str:
        return "; ".join(f"{reason} ({count})" for reason, count in self._left.most_common())

    def told(self) -> dict[str, Any]:
        changes: dict[str, dict[str, int]] = {}
        for (element, action), count in sorted(self._changes.items()):
            changes.setdefault(element, {})[action] = count
        return {
            "software": f"surgiplan {__version__}",
            "table": EDITION,
            "profile": spoken(self.options),
            "options": asdict(self.options),
            "files_written": self.written,
            "files_left_out": sum(self._left.values()),
            "left_out_because": dict(self._left.most_common()),
            "patients": len(self._patients),
            "series": len(self._series),
            "modalities": dict(self._kinds),
            "changes": changes,
            "not_done": [
                *NOT_DONE,
                *(["burned-in text was copied on request"] if self.options.burned_in else []),
            ],
        }
