"""Which processes are alive: each open database holds a lock on a file of its own, which the kernel drops at death."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path


class Owner:
    """One opening of a database file. The locks lie in the folder `<file>-owners`, one file an owner.

    An id that is gone never comes back, so whoever finds an owner dead may act on it without holding anything.
    """

    def __init__(self, database: Path, owner_id: int) -> None:
        """Take the lock; the next free id is used if this one is taken."""
        self._folder = database.with_name(f"{database.name}-owners")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._descriptor, unnamed = tempfile.mkstemp(dir=self._folder, prefix="new-")
        # Locked before it gets its name: whoever sees the name without a lock knows that its owner is dead.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self.id = self._named(unnamed, owner_id)
        os.unlink(unnamed)

    def release(self) -> None:
        """Let go of the lock; what this owner left running now counts as left by a dead one."""
        self._path(self.id).unlink(missing_ok=True)
        os.close(self._descriptor)

    def is_gone(self, owner_id: int) -> bool:
        """Tell whether no process holds this owner's lock any more."""
        try:
            descriptor = os.open(self._path(owner_id), os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not see each other
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def bury(self) -> None:
        """Remove the files of dead owners, once nothing that they left is stored as running."""
        for path in self._folder.iterdir():
            is_named = len(path.name) == 16
            if is_named and self.is_gone(int(path.name, 16)):
                path.unlink(missing_ok=True)

    def _named(self, unnamed: str, owner_id: int) -> int:
        while True:
            try:
                os.link(unnamed, self._path(owner_id))
            except FileExistsError:
                owner_id += 1
            else:
                return owner_id

    def _path(self, owner_id: int) -> Path:
        return self._folder / f"{owner_id:016x}"
