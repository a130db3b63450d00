"""What was last read from a server."""

from __future__ import annotations

from pathlib import Path

from cuewire.remote.last_known import LastKnown
from tests.support.scripted_cuewire import version


async def test_a_reference_that_moves_is_kept_up_to_date_however_many_are_known(tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    known = LastKnown("https://cue.example.com", folder=no_folder)
    for number in range(10_001):
        await known.keep(f"triage-{number}", version(1))

    await known.keep("triage-10000", version(2))

    assert await known.find("triage-10000") == version(2)


async def test_what_is_gone_is_known_no_more_neither_here_nor_to_a_later_process(tmp_path: Path) -> None:
    known = LastKnown("https://cue.example.com", folder=tmp_path)
    await known.keep("triage@production", version(1))
    await known.keep("triage@latest", version(1))

    await known.forget("triage@production")
    await known.forget("triage@production")

    later = LastKnown("https://cue.example.com", folder=tmp_path)
    for each in (known, later):
        assert await each.find("triage@production") is None
        assert await each.find("triage@latest") == version(1)
