"""`cuewire demo`: two versions of a prompt, a real model on this machine, and an honest comparison."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cuewire.cli.demo_prompt import CHOICES, DRAFTS, MODEL, NAME, PARAMETERS, Draft, Sentence, sentences
from cuewire.cli.demo_report import HEADINGS, Comparison, Score, Trial, compare, notes, row, score, verdict
from cuewire.cli.output import Column, program, tell, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import one_line
from cuewire.model.errors import OutputError, PromptNotFound

if TYPE_CHECKING:
    from cuewire.ports import App

AT_A_TIME = 4
SENTENCES = sentences()
SHOWN = {sentence.text: at % 3 == 0 for at, sentence in enumerate(SENTENCES)}
WARM_UP = Sentence(text="The sun is shining.", label="positive")
DETAILS = ("correct",)


def demo(context: typer.Context) -> None:
    """Compare two versions of a prompt on a real model.

    Needs no key, no account and no server. Starts a small chat model on this machine, runs a zero-shot and a few-shot
    version of a sentiment prompt over forty labelled sentences, and says which did better and whether that is enough to
    call a winner. All of it is recorded in a database of its own, or in that of --database.
    """
    session: Session = context.obj
    if session.database is None:
        folder = session.settings.data_folder
        folder.mkdir(parents=True, exist_ok=True)
        session = session.at(f"sqlite:///{folder / 'demo.db'}")
    _get_model(session)
    trials = asyncio.run(_compare(session))
    scores, comparison = summed_up(trials)
    if session.is_json:
        found = {"scores": scores, "comparison": comparison, "trials": trials}
        write_json({"database": session.settings.database_url, **found})
    else:
        _show(session, trials, scores, comparison)


def summed_up(trials: Sequence[Trial]) -> tuple[tuple[Score, Score], Comparison]:
    """Return the score of each version, and the second against the first."""
    first, second = sorted({trial.version for trial in trials})
    before, after = ([trial for trial in trials if trial.version == version] for version in (first, second))
    scores = score(first, DRAFTS[0].idea, before), score(second, DRAFTS[1].idea, after)
    return scores, compare(before, after)


def _get_model(session: Session) -> None:
    from cuewire.wiring import find_local_model, pull_local_model

    if find_local_model(session.settings) is None:
        pull_local_model(session.settings, lambda step: tell(session, f"the model: {step}"))


async def _compare(session: Session) -> list[Trial]:
    async with session.open() as app:
        numbers = [await _publish(app, draft) for draft in DRAFTS]
        tell(session, f"published {NAME}: version {numbers[0]} (zero-shot) and version {numbers[1]} (few-shot)")
        tell(session, f"starting {MODEL} on this machine")
        await _try(app, numbers[0], WARM_UP)  # loading the model must not count as the latency of a version
        tell(session, f"running both over {len(SENTENCES)} sentences, {AT_A_TIME} calls at a time")
        with _watched(session, total=len(SENTENCES) * len(numbers)) as arrived:
            return await _run_all(app, numbers, arrived)


async def _publish(app: App, draft: Draft) -> int:
    """Return the number of the version that says what the draft says; an earlier demo may have published it."""
    try:
        versions = await app.prompts.versions(NAME)
    except PromptNotFound:
        versions = ()
    for version in versions:
        if version.messages == draft.messages and version.model == MODEL and version.parameters == PARAMETERS:
            return version.number
    published = await app.prompts.publish(
        NAME, draft.messages, model=MODEL, output=CHOICES, parameters=PARAMETERS, note=f"{draft.idea}, from the demo"
    )
    return published.number


async def _run_all(app: App, versions: Sequence[int], arrived: Callable[[Trial], None]) -> list[Trial]:
    """Try each sentence on each version, some at a time; the first error that is none of the model's ends it."""
    work = iter([(version, sentence) for sentence in SENTENCES for version in versions])
    trials: list[Trial] = []

    async def worker() -> None:
        for version, sentence in work:
            trials.append(await _try(app, version, sentence))
            arrived(trials[-1])

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(worker())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return trials


async def _try(app: App, version: int, sentence: Sentence) -> Trial:
    """Run one sentence, report whether the answer was right, and return what the record says of it."""
    try:
        result = await app.run(f"{NAME}@{version}", {"text": sentence.text}, metadata={"by": "demo"})
        execution_id, answer = result.id, str(result.value)
    except OutputError as error:
        if error.execution_id is None:
            raise
        execution_id, answer = error.execution_id, None
    is_correct = answer == sentence.label
    await app.report(execution_id, correct=is_correct)
    record = await app.executions.get(execution_id)
    return Trial(
        version=version,
        sentence=sentence.text,
        execution_id=execution_id,
        answer=answer,
        text=record.text or "",
        is_correct=is_correct,
        duration_ms=record.duration_ms or 0.0,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cost_usd=record.cost_usd,
    )


@contextmanager
def _watched(session: Session, *, total: int) -> Iterator[Callable[[Trial], None]]:
    """Give what to call with each trial: on a terminal a bar moves, and some answers are shown."""
    if not session.is_live:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(no_color=not session.colors_stdout, highlight=False)
    waiting: dict[str, Trial] = {}
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def arrived(trial: Trial) -> None:
            bar.advance(task)
            other = waiting.pop(trial.sentence, None)
            if other is None:
                waiting[trial.sentence] = trial
            elif SHOWN[trial.sentence]:
                pair = sorted((other, trial), key=lambda one: one.version)
                console.print(_example(pair, width=console.width), markup=False)

        yield arrived


def _example(pair: Sequence[Trial], *, width: int) -> str:
    answers = "".join(
        f"{trial.version} {'✓' if trial.is_correct else '✗'} {one_line(trial.text, width=15):17}" for trial in pair
    )
    return f"  {answers}{one_line(pair[0].sentence, width=width - len(answers) - 3)}"


def _show(session: Session, trials: Sequence[Trial], scores: tuple[Score, Score], comparison: Comparison) -> None:
    columns = [
        Column(title, is_number=at > 0, is_detail=title in DETAILS, is_free=False) for at, title in enumerate(HEADINGS)
    ]
    write("\n" if session.is_live else "")
    write_table(session, columns, [row(one) for one in scores], empty="")
    paragraphs = [*verdict(comparison, scores), *notes(scores)]
    write("\n" + "\n".join(_wrapped(paragraph) for paragraph in paragraphs) + "\n\n")
    write("\n".join(_next_steps(session, trials, scores)) + "\n")


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, width=min(shutil.get_terminal_size().columns, 100))


def _next_steps(session: Session, trials: Sequence[Trial], scores: tuple[Score, Score]) -> Iterator[str]:
    command, (before, after) = program(), scores
    telling = next((t for t in trials if t.answer is None), next((t for t in trials if not t.is_correct), trials[0]))
    kind = "of the wrong kind" if telling.answer is None else "wrong" if not telling.is_correct else "right"
    steps = [
        (f"an answer that is {kind}", f"{command} executions show {telling.execution_id}"),
        ("what changed", f"{command} prompts diff {NAME} {before.version} {after.version}"),
        ("a sentence of your own", f'{command} run {NAME}@{after.version} -v text="Not bad at all"'),
        (
            f"roll version {after.version} out; with {before.version} at the end, back",
            f"{command} prompts label {NAME} production {after.version}",
        ),
    ]
    yield "All of it is recorded. To look further:"
    yield f"  export CUEWIRE_DATABASE_URL={shlex.quote(session.settings.database_url)}"
    for what, line in steps:
        yield f"  # {what}"
        yield f"  {line}"
