"""Ours, with the stage timer around each step of a call: prints CPU microseconds of one call by stage.

STAGES names where each step is looked up; a step that is not there any more stops the run, so that the list
stays true.
"""

from __future__ import annotations

import threading
import time

import cuewire
from bench.sides.meter import (
    Load,
    Meter,
    drive_quietly,
    folder,
    load_from_arguments,
    print_figures,
    run_on_uvloop,
)
from bench.sides.ours import Client
from bench.sides.stage_clock import StageClock, measure_cost

STAGES = (
    ("face", "cuewire.engine.app:LocalApp.run"),
    ("run", "cuewire.engine.run:Engine.run"),
    ("resolve", "cuewire.registry.resolver:Resolver.resolve"),
    ("open", "cuewire.engine.record:Records.open"),
    ("open: recorder", "cuewire.stores.record_writer:RecordWriter.open"),
    ("open: row", "cuewire.stores.record_rows:OpenRow.__init__"),
    ("check inputs", "cuewire.engine.asking:check_inputs"),
    ("messages", "cuewire.engine.asking:render_messages"),
    ("render", "cuewire.template.render:TemplateRenderer.render"),
    ("plan", "cuewire.engine.asking:make_plan"),
    ("answer", "cuewire.engine.asking:answer"),
    ("call", "cuewire.engine.call:Caller.call"),
    ("provider", "cuewire.providers.openai_compatible:OpenAICompatible.call"),
    ("request encode", "cuewire.providers.openai_compatible:encode_request"),
    ("transport: send", "cuewire.outbound.http1_transport:Http1Transport.send"),
    ("transport: read", "cuewire.outbound.http1_connection:Http1Response.read"),
    ("transport: data arrives", "cuewire.outbound.http1_connection:Connection.data_received"),
    ("parse: decode", "cuewire.providers.openai_answer:decode_answer"),
    ("parse: answer", "cuewire.providers.openai_answer:whole_answer"),
    ("price: rates", "cuewire.prices.genai:GenaiPriceBook.rates"),
    ("price", "cuewire.engine.call:price_answer"),
    ("check", "cuewire.engine.candidate:parse_answer"),
    ("close", "cuewire.engine.record:OpenRecord.succeed"),
    ("close: recorder", "cuewire.stores.record_writer:RecordWriter.close"),
    ("close: rows", "cuewire.stores.record_rows:ClosedRows.__init__"),
    ("close: hand over", "cuewire.stores.writer:Writer.submit"),
)


def thread_cpu_s() -> dict[str, float]:
    """Give the CPU seconds of every other thread by name."""
    here = threading.get_ident()
    return {
        thread.name: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None and thread.ident != here
    }


def by_stage(clock: StageClock, calls: int) -> dict[str, float]:
    """Give microseconds per call by stage."""
    spent_ns = clock.without_own_cost_ns(measure_cost())
    return {stage: max(spent, 0.0) / calls / 1_000 for stage, spent in spent_ns.items()}


async def measure(load: Load, clock: StageClock) -> None:
    """Drive the small template and print the stages."""
    async with cuewire.open(f"sqlite:///{folder()}/bench.db") as app:
        client = Client(app)
        await client.publish()
        await drive_quietly(Load("call", load.in_flight, 1.0, 5.0, load.warm), client.call)
        threads, meter = thread_cpu_s(), Meter()
        clock.reset()
        calls = await drive_quietly(load, client.call)
        spent, total = by_stage(clock, calls), meter.cpu_s() / calls * 1e6
        for name, cpu_s in thread_cpu_s().items():
            spent[f"thread {name}"] = (cpu_s - threads.get(name, 0.0)) / calls * 1e6
    print_figures({**spent, "(all, with the timer's own cost)": total})


if __name__ == "__main__":
    stage_clock = StageClock()
    for stage, target in STAGES:
        stage_clock.wrap(stage, target)
    run_on_uvloop(measure(load_from_arguments(), stage_clock))
