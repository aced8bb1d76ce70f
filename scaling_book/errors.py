"""Foreseen faults of the book's machinery; see `scaling_core.base.errors`."""

from scaling_core.base.errors import ForeseenError


class ProfileError(ForeseenError):
    """The profile asked for does not exist."""


class FileError(ForeseenError):
    """A file of the book is damaged or absent; the message names it."""


class ClaimsError(ForeseenError):
    """A claims file is not a valid ledger; the message names file, claim and fault."""


class RecordError(ForeseenError):
    """A chapter recorded something its claims file does not allow."""


class RecordMissing(ForeseenError):
    """A record that should be rendered or judged does not exist."""


class AcceptError(ForeseenError):
    """The record must not become a reference; the message says why."""


class RenderError(ForeseenError):
    """The book could not be rendered; the message says what and where."""

    exit_code = 1
