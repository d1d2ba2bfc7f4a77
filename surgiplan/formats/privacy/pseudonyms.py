"""New names, UIDs and dates in place of the true ones: the same under one secret, untraceable without it."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydicom.uid import UID

from ..dicom.headers import Identity

Dates = Literal["remove", "shift", "keep"]
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"[0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?")
_DATE_TIME = re.compile(r"[0-9]{8}([0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?)?([+-][0-9]{4})?")
_MOST_DAYS = 3650


@dataclass(frozen=True)
class Options:
    """What may stay beside the image; as given here nothing does.

    dates: "remove", "shift" all dates of a patient by one number of days, or "keep" them in full
    descriptors: keep of descriptions the words that are known to name nobody
    uids: keep the UIDs
    characteristics: keep sex, age, size, weight, smoking and pregnancy of the patient
    burned_in: copy pictures that may show text too (screen captures, ultrasound, colour)
    """

    dates: Dates = "remove"
    descriptors: bool = False
    uids: bool = False
    characteristics: bool = False
    burned_in: bool = False


@dataclass(frozen=True)
class Person:
    """Who a patient is from now on.

    pseudonym: stands for name and ID
    days: by how many days the dates go back
    """

    pseudonym: str
    days: int


@dataclass(frozen=True)
class Pseudonyms:
    """Pseudonyms that follow from a secret (HMAC-SHA-256).

    secret: 16 bytes or more, random; who has it can check a guess, nobody can turn it round
    """

    secret: bytes

    def uid(self, uid: str) -> str:
        """The UID in place of this one: 2.25 and a 122-bit number (PS3.5 B.2)."""
        return f"2.25.{int.from_bytes(self._hash('uid', uid)[:16]) >> 6}"

    def person(self, identity: Identity) -> Person:
        """Who this patient is from now on; told apart by ID, else by name and birth date."""
        known = identity.patient_id or f"{identity.patient_name}\0{identity.birth_date}"
        number = self._hash("person", known)
        return Person(f"P{number[:5].hex().upper()}", 1 + int.from_bytes(number[8:16]) % _MOST_DAYS)

    def label(self, text: str) -> str:
        """A short label in place of this one, so that equal labels stay equal."""
        return f"S{self._hash('label', text)[:4].hex().upper()}"

    def digest(self, text: str) -> str:
        """A digest that only the holder of the secret can check."""
        return self._hash("digest", text).hex()

    def _hash(self, what: str, text: str) -> bytes:
        return hmac.digest(self.secret, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256")


def registered(uid: str) -> bool:
    """Whether a UID is one of the standard, such as a SOP class, and so names no instance."""
    return bool(UID(uid).name != uid)


def well_formed(uid: str) -> bool:
    """Whether a text is a UID."""
    return len(uid) <= 64 and _UID.fullmatch(uid) is not None


def dated(text: str, vr: str, options: Options, person: Person) -> str:
    """A date or time as the options let it stay; "" when it must not, or when it is none.

    text: one value as it stands in the file
    vr: DA, TM or DT
    """
    form = {"DA": _DATE, "TM": _TIME, "DT": _DATE_TIME}[vr]
    if options.dates == "remove" or form.fullmatch(text) is None:
        return ""
    if options.dates == "keep" or vr == "TM":
        return text
    try:
        day = datetime.strptime(text[:8], "%Y%m%d") - timedelta(days=person.days)
    except (ValueError, OverflowError):
        return ""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}" + text[8:]
