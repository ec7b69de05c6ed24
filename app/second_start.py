"""One engine per profile: the lock, and what a second start does."""

from __future__ import annotations

from sync.client.profile import Profile, ProfileLock
from sync.contract.problems import ProblemError


def take_profile(profile: Profile) -> ProfileLock | None:
    """Become the engine of the profile; None when the running one has raised its window instead.

    Raises:
        ProblemError: PROFILE_IN_USE, when the running one has no window or does not answer.
    """
    lock = profile.lock()
    if lock is not None:
        return lock
    from sync.client.local_socket import hand_over

    if hand_over(profile.socket):
        return None
    raise ProblemError(
        "PROFILE_IN_USE",
        f"Another program without a window uses the profile {profile.folder}, or one that does not answer.",
        "Close it, or choose another folder with --profile.",
    )
