"""Runs each client, unchanged, against a real server, and prints what worked.

Each client has an environment of its own with pinned versions, made the first time. First what docs/clients.md shows of
it is run as it stands, then its script, in which each check is a function.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checks.clients.document import faults
from checks.clients.environments import HERE, NODE, environment_of, variables
from checks.clients.ground import ground
from checks.clients.processes import run
from tests.support.serving import Serving

CLIENTS: Mapping[str, tuple[str, ...]] = {
    "openai": ("with_openai.py", "with_openai_embeddings.py"),
    "litellm": ("with_litellm.py", "with_litellm_embeddings.py"),
    "langchain-openai": ("with_langchain.py", "with_langchain_embeddings.py"),
    "llm": ("with_llm.py",),
    "promptfoo": ("with_promptfoo.py",),
    "inspect-ai": ("with_inspect.py",),
}
"""The scripts of each client; its name is also that of its pins and of its section in the document."""
ENDS_WITHIN_S = 600
MAX_FAULT = 1_000


@dataclass
class Found:
    """What was found of a client: each check with its fault, which is empty if it worked."""

    client: str
    version: str = "-"
    checks: list[tuple[str, str]] = field(default_factory=list)


def main() -> int:
    """Check the clients that the command line names; 0 if all that was checked works."""
    parser = argparse.ArgumentParser(prog="checks/clients/run.py", description=__doc__)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"{', '.join(CLIENTS)}; all when none is named")
    chosen = parser.parse_args().clients or list(CLIENTS)
    unknown = set(chosen) - set(CLIENTS)
    if unknown:
        parser.error(f"no such client: {', '.join(sorted(unknown))}; there are {', '.join(CLIENTS)}")
    found = [_found(client) for client in chosen]
    _print(found)
    return int(any(fault for each in found for _, fault in each.checks))


def _found(client: str) -> Found:
    print(f"  {client:<40}", end="\r", file=sys.stderr, flush=True)
    try:
        commands = environment_of(client)
    except (OSError, subprocess.CalledProcessError) as error:
        return Found(client, checks=[("installation", str(error))])
    with tempfile.TemporaryDirectory() as scratch:
        return asyncio.run(_try_on_ground(client, commands, Path(scratch)))


async def _try_on_ground(client: str, commands: Path, scratch: Path) -> Found:
    home, behind = scratch / "client", scratch / "server"
    home.mkdir()
    behind.mkdir()
    async with ground(behind) as server:
        return await asyncio.to_thread(_try, client, commands, home, server)


def _try(client: str, commands: Path, home: Path, server: Serving) -> Found:
    environment = variables(commands, home, CUE=server.url, KEY=server.key)
    found = Found(client)
    for number, fault in enumerate(faults(client, folder=home, environment=environment), start=1):
        found.checks.append((f"docs/clients.md, example {number}", fault))
    python = sys.executable if client in NODE else str(commands / "python")
    for script in CLIENTS[client]:
        command = [python, str(HERE / "scripts" / script)]
        ended = run(command, folder=home, environment=environment, within_s=ENDS_WITHIN_S)
        for line in ended.out.splitlines():
            told = _told(line)
            found.version = told.get("version", found.version)
            if "check" in told:
                found.checks.append((told["check"], told["fault"]))
        if ended.code:
            found.checks.append((script, ended.fault))
    return found


def _told(line: str) -> dict[str, str]:
    """Read a line of a script; what is no line of ours was printed by the client."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _print(found: list[Found]) -> None:
    width = max(len(name) for each in found for name, _ in each.checks)
    for each in found:
        print(f"\n{each.client} {each.version}")
        for name, fault in each.checks:
            print(f"  {name:<{width}}  {' '.join(fault.split())[:MAX_FAULT] or 'ok'}")
    every = [fault for each in found for _, fault in each.checks]
    print(f"\n{len(found)} clients, {every.count('')} checks passed, {len(every) - every.count('')} failed")
