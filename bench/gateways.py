"""The tables of the server: gateways beside each other, and readers that are slow."""

from __future__ import annotations

from bench.kit.goals import Ratio, Table
from bench.kit.sides import Side
from bench.kit.stub import Stub

RAW, STORED = "cuewire, raw model", "cuewire, stored prompt"
LITELLM, PORTKEY, MLFLOW = "litellm proxy 1.106.2", "portkey 1.15.2", "mlflow 3.17.2 gateway"
BARE = "floor: ASGI on granian, no upstream"
HTTP1 = "floor: ASGI on granian, our HTTP/1.1 client"
AIOHTTP = "floor: ASGI on granian, aiohttp"


def gateways(*, seconds: float) -> Table:
    """P3: chat completions through a gateway, 64 connections, and the time it adds at one."""
    load = ("--seconds", str(seconds))
    long = ("--seconds", str(seconds * 2), "--warm-s", str(seconds * 6))
    ours, floor = "gateway_ours.py", "gateway_floor.py"
    return Table(
        key="p3",
        title="Gateways, 64 connections: requests per CPU-second of all processes of the gateway",
        figures=("per_cpu_s", "us_each", "per_s", "p50_ms", "added_p50_ms", "sync_ms", "rss_mb"),
        sides=(
            Side(RAW, ours, ("raw", *load)),
            Side(STORED, ours, ("stored", *load)),
            Side(LITELLM, "with_litellm_proxy.py", ("raw", *long), "litellm_proxy"),
            Side(PORTKEY, "with_portkey.py", ("raw", *long), "portkey"),
            Side(MLFLOW, "with_mlflow_gateway.py", ("raw", *long), "mlflow"),
            Side(BARE, floor, ("bare", *load)),
            Side(HTTP1, floor, ("http1", *load)),
            Side(AIOHTTP, floor, ("aiohttp", *load)),
        ),
        claims=(
            Ratio(RAW, LITELLM, "per_cpu_s", 20),
            Ratio(STORED, LITELLM, "per_cpu_s", 20),
            Ratio(RAW, PORTKEY, "per_cpu_s", 5),
            Ratio(STORED, PORTKEY, "per_cpu_s", 5),
            Ratio(RAW, LITELLM, "added_p50_ms", 20),
            Ratio(STORED, LITELLM, "added_p50_ms", 20),
            Ratio(RAW, MLFLOW, "per_cpu_s"),
            Ratio(RAW, BARE, "per_cpu_s"),
            Ratio(RAW, HTTP1, "per_cpu_s"),
            Ratio(RAW, AIOHTTP, "per_cpu_s"),
        ),
    )


def slow_readers(*, seconds: float) -> Table:
    """Many streams at once, some of whose readers take next to nothing."""
    alone, among = "cuewire, 500 streams", "cuewire, 500 streams, 50 of them read slowly"
    load = ("--seconds", str(seconds))
    return Table(
        key="slow",
        title="Slow readers: the time to the end of 450 other streams, each of 256 KB over 4.3 s",
        figures=("streams", "p50_s", "p99_s", "cpu_share", "peak_mb"),
        sides=(
            Side(alone, "slow_readers.py", ("alone", *load)),
            Side(among, "slow_readers.py", ("slow", *load)),
        ),
        claims=(
            Ratio(among, alone, "p99_s", round(1 / 1.2, 3)),
            Ratio(among, alone, "p50_s"),
            Ratio(among, alone, "peak_mb"),
        ),
        stub=Stub(answer_bytes=256_000, chunks=40, event_us=100_000),
    )
