"""Ours, with the stage timer around each step of a request at the server: CPU microseconds of one by stage.

The server runs in this process and the load generator in another. What granian's own threads take is what is left of
the process's CPU when the loop's thread and Python's other threads are taken off.
"""

from __future__ import annotations

import asyncio
import time

from bench.sides.gateway import MANY, Load, Loads, Target, free_port, load_from_arguments
from bench.sides.gateway_ours import BODIES, database_url, prepared
from bench.sides.meter import Meter, print_figures, run_on_uvloop
from bench.sides.ours_stages import STAGES, by_stage, thread_cpu_s
from bench.sides.stage_clock import StageClock
from cuewire.config import load as load_settings
from cuewire.server.serve import Address, serve_app
from cuewire.wiring import connect

SERVER_STAGES = (
    ("guard", "cuewire.server.guard:Guard.__call__"),
    ("guard: exchange made", "cuewire.server.exchange:Exchange.__init__"),
    ("guard: head", "cuewire.server.guard:Guard._check_head"),
    ("guard: admission", "cuewire.server.guard:Guard._admit"),
    ("guard: key", "cuewire.registry.api_keys:KeyRing.recognise"),
    ("guard: metrics", "cuewire.server.metrics:Metrics.answered"),
    ("route", "cuewire.server.routes.openai:OpenAIRoutes.complete"),
    ("body arrives", "cuewire.server.exchange:Exchange.body"),
    ("JSON in", "cuewire.server.routes.openai:read_chat"),
    ("watch for a hang-up", "cuewire.server.routes.openai:run_for"),
    ("JSON out", "cuewire.server.routes.openai:completion"),
    ("reply", "cuewire.server.exchange:Exchange.reply"),
    ("reply: send", "cuewire.server.exchange:Exchange.send"),
)


async def measure(load: Load, clock: StageClock) -> None:
    """Serve, load it, and print the stages."""
    key = await prepared()
    app = await connect(database_url(), settings=load_settings())
    port, ready, ended = free_port(), asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_app(app, Address(host="127.0.0.1", port=port), ended, lambda _: ready.set()))
    await ready.wait()
    target = Target(port, "/v1/chat/completions", BODIES[load.kind], {"Authorization": f"Bearer {key}"})
    loads = Loads(target)
    await asyncio.to_thread(loads.run, connections=MANY, seconds=load.warm_s)
    threads, own, meter = thread_cpu_s(), time.thread_time(), Meter()
    clock.reset()
    found = await asyncio.to_thread(loads.run, connections=MANY, seconds=load.seconds)
    count, whole, own = found["good"], meter.cpu_s(), time.thread_time() - own
    spent = by_stage(clock, int(count))
    others = {name: cpu_s - threads.get(name, 0.0) for name, cpu_s in thread_cpu_s().items()}
    spent["granian's own threads"] = (whole - own - sum(others.values())) / count * 1e6
    for name, cpu_s in others.items():
        spent[f"thread {name}"] = cpu_s / count * 1e6
    print_figures({**spent, "(all, with the timer's own cost)": whole / count * 1e6})
    ended.set()
    await serving
    await app.close()


if __name__ == "__main__":
    stage_clock = StageClock()
    for stage, target in (*SERVER_STAGES, *STAGES):
        stage_clock.wrap(stage, target)
    run_on_uvloop(measure(load_from_arguments(), stage_clock))
