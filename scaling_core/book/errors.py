"""Faults we foresee: each ends the command line with one message and its exit code."""


class BookError(ValueError):
    """A foreseen fault; ``exit_code`` is 1 for a failed check, 2 for misuse."""

    exit_code = 2


class UsageError(BookError):
    """A name the caller gave does not exist; the message lists those that do."""


class ProfileError(BookError):
    """The profile asked for does not exist."""


class ClaimsError(BookError):
    """A claims file is not a valid ledger; the message names file, claim and fault."""


class RecordError(BookError):
    """A chapter recorded something its claims file does not allow."""


class RecordMissing(BookError):
    """A record that should be rendered or judged does not exist."""


class AcceptError(BookError):
    """The record must not become a reference; the message says why."""


class RenderError(BookError):
    """The book could not be rendered; the message says what and where."""

    exit_code = 1
