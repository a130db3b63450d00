"""The real `cuewire` command where a server is set: each command goes there, not to a database of this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command_line import CommandLine
from tests.support.cuewire_server import CuewireServer


@dataclass
class ServedCommandLine(CommandLine):
    """Starts a server with the environment of the first command, in a folder of its own."""

    servers: list[CuewireServer] = field(default_factory=list)

    def whole_environment(self) -> dict[str, str]:
        """Return the environment of the commands, which know the server but not its database."""
        if not self.servers:
            folder = Path(self.folder, "server")
            folder.mkdir()
            self.servers.append(CuewireServer(folder, self.environment))
            self.servers[0].start()
        server = self.servers[0]
        return super().whole_environment() | {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key}
