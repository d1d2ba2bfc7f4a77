"""What can go wrong, one class per remedy.

A message says what is wrong, where, by how much, and what to do. Whatever is not a
SurgiplanError is a bug in surgiplan itself.
"""


class SurgiplanError(Exception):
    """Something the user can put right; its text is shown as it stands."""


class BadInput(SurgiplanError):
    """The data cannot be used as it is: choose other data."""


class Usage(SurgiplanError):
    """The request is not understood: an unknown step, operation, field or value."""


class StepFailed(SurgiplanError):
    """An operation cannot give a result with these parameters: edit this step."""


class NeedsHand(SurgiplanError):
    """A person must place something (a plane, points, paint) before this step can run."""


class Mismatch(SurgiplanError):
    """Two values do not lie in one space: other frame of reference or other grid."""


class Cancelled(SurgiplanError):
    """The work was stopped on request; nothing was changed."""


class CaseError(SurgiplanError):
    """The case file cannot be opened, read or written."""


class Locked(CaseError):
    """The plan is locked or approved: unlock it, or work on a copy of the case."""
