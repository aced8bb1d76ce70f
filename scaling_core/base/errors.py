"""Faults we foresee: each ends the command line with one message and its exit code."""


class ForeseenError(ValueError):
    """A foreseen fault; ``exit_code`` is 1 for a failed check, 2 for misuse."""

    exit_code = 2


class UsageError(ForeseenError):
    """A name the caller gave does not exist; the message lists those that do."""
