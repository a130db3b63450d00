"""The table of a limited provider: how much of its limit is used, and whether its complaints are heeded."""

from __future__ import annotations

from bench.kit.goals import Ceiling, Floor, Ratio, Table
from bench.kit.sides import Side

TOLD, TOKENS, UNTOLD = "cuewire, requests a minute set", "cuewire, tokens a minute set", "cuewire, no limit set"
LITELLM, OPENAI = "litellm 1.106.2 Router, rpm set", "openai 3.52.0, its own retries"
USED = "limit used %"


def limits(*, seconds: float) -> Table:
    """P6: 1,000 in flight at a provider that holds its key to a token bucket."""
    load = ("--in-flight", "1000", "--seconds", str(seconds))
    ours = (TOLD, TOKENS, UNTOLD)
    peers = (LITELLM, OPENAI)
    return Table(
        key="p6",
        title="A provider's limit of 100 requests a second, 1,000 in flight: how much of it is used, and how",
        figures=(
            *(USED, "spilt %", "answered", "failed", "429s", "requests each", "early", "crossed", "lost", "doubled"),
            *("p50 s", "p99 s", "wall s", "cpu ms each", "rss_mb"),
        ),
        sides=(
            Side(TOLD, "limited_ours.py", ("requests", *load)),
            Side(TOKENS, "limited_ours.py", ("tokens", *load)),
            Side(UNTOLD, "limited_ours.py", ("untold", *load)),
            Side(LITELLM, "with_litellm_router.py", ("requests", *load), "litellm"),
            Side(OPENAI, "with_openai_retries.py", ("requests", *load), "openai"),
        ),
        claims=(
            *(Floor(side, USED, 95) for side in ours),
            *(Ceiling(side, figure, 0) for figure in ("early", "lost", "doubled") for side in ours),
            *(
                Ratio(side, peer, figure)
                for side in (TOLD, UNTOLD)
                for peer in peers
                for figure in ("per_s", "requests each", "p99 s")
            ),
        ),
        is_turned=True,
        most_rounds=1,
    )
