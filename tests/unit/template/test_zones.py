"""Time zones come from the machine's files, by name, and nothing else does."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cuewire.model.errors import TemplateError
from cuewire.template.zones import Zones, zones

TOKYO = next(Path(folder, "Asia/Tokyo") for folder in zoneinfo.TZPATH if Path(folder, "Asia/Tokyo").is_file())
NO_ZONES = [
    *("", "Mars/Base", "../../../etc/passwd", "/etc/passwd", "Asia", "zone.tab", "Europe/../UTC", "posix/UTC"),
    *("a" * 5_000, "U\0TC"),
]


def test_a_zone_is_found_by_name() -> None:
    there = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(zones().get("Europe/Berlin"))

    assert (there.hour, there.utcoffset()) == (14, timedelta(hours=2))


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_no_zone_is_told(name: str) -> None:
    with pytest.raises(TemplateError, match="there is no time zone"):
        zones().get(name)


def test_zones_that_were_read_before_need_no_file(tmp_path: Path) -> None:
    (tmp_path / "Asia").mkdir()
    (tmp_path / "posix/Asia").mkdir(parents=True)
    (tmp_path / "zone.tab").touch()
    for name in ("Asia/Tokyo", "posix/Asia/Tokyo"):
        (tmp_path / name).write_bytes(TOKYO.read_bytes())
    found = Zones([str(tmp_path), str(tmp_path / "absent")])
    found.read_all()
    (tmp_path / "Asia/Tokyo").unlink()

    assert str(found.get("Asia/Tokyo")) == "Asia/Tokyo"
    assert found.get("Asia/Tokyo") is found.get("Asia/Tokyo")


def test_a_later_folder_is_asked_for_what_the_first_has_not(tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Oslo").write_bytes(b"something else")
    found = Zones([str(tmp_path), str(TOKYO.parents[1])])

    assert str(found.get("Asia/Tokyo")) == "Asia/Tokyo"
    with pytest.raises(TemplateError, match="tzdata"):
        found.get("Europe/Oslo")


def test_the_package_of_zones_is_used_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "tzdata"
    (package / "zoneinfo/Nowhere").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "zoneinfo/Nowhere/Land").write_bytes(TOKYO.read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    zones.cache_clear()

    assert str(zones().get("Nowhere/Land")) == "Nowhere/Land"

    zones.cache_clear()
