"""Leases of a process that does not know of others."""

from __future__ import annotations


class Alone:
    """Implements `Leases`: each is free."""

    async def take(self, key: str) -> bool:
        """Take the lease of a key."""
        return True

    async def wait(self, key: str) -> None:
        """Return at once: nobody else has one."""

    def give_back(self, key: str) -> None:
        """Give back the lease of a key."""

    async def close(self) -> None:
        """Give back all leases."""
