"""The one dial: smoke (every line runs), cpu (the default), gpu (the paper's size)."""

import os

from scaling_book.errors import ProfileError

PROFILES = ("smoke", "cpu", "gpu")


def resolve_profile(argument: str = "") -> str:
    """Return the profile: the argument, else ``SCALING_PROFILE``, else ``cpu``.

    Raises
    ------
    ProfileError
        If it is not one of smoke, cpu, gpu.
    """
    profile = argument or os.environ.get("SCALING_PROFILE") or "cpu"
    if profile not in PROFILES:
        raise ProfileError(
            f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}"
        )
    return profile
