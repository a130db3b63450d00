"""The command `cuewire`: puts the nouns together, and turns what went wrong into an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cuewire import __version__
from cuewire.cli import (
    breakers,
    cache,
    config,
    configurations,
    db,
    demo,
    doctor,
    events,
    executions,
    gallery,
    init,
    keys,
    limits,
    models,
    plan,
    prompt_edits,
    prompt_files,
    prompt_history,
    prompt_imports,
    prompt_lists,
    prompts,
    providers,
    reviews,
    run,
    serve,
    strategies,
    template_types,
    templates,
    users,
)
from cuewire.cli.errors import EXIT_CODES, INTERRUPTED, OK, READER_GONE, explain
from cuewire.cli.session import Session, refuse_server, stay_here

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in EXIT_CODES.items())

# Plain help: it can be copied, and drawing boxes would load Rich before it is needed.
app = typer.Typer(name="cuewire", rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(demo.demo)
app.command()(init.init)
app.command()(run.run)
app.command()(plan.plan)
prompts.prompts.command("list")(prompt_lists.list_)
for _command in (
    *(prompt_lists.versions, prompt_lists.stats, prompt_history.history, prompt_history.rollback),
    *(templates.variables, templates.validate, templates.render),
    *(prompt_edits.edit, prompt_edits.archive, prompt_edits.restore, prompt_edits.clone),
    *(reviews.protect, reviews.unprotect, prompt_files.pull, prompt_files.push, gallery.seed),
):
    prompts.prompts.command()(_command)
prompts.prompts.add_typer(gallery.gallery, name="gallery")
prompts.prompts.command("import")(prompt_imports.import_)
prompts.prompts.command()(prompt_imports.export)
app.add_typer(prompts.prompts, name="prompts")
app.add_typer(reviews.reviews, name="reviews")
app.add_typer(strategies.strategies, name="strategies")
app.add_typer(configurations.configurations, name="configurations")
app.add_typer(template_types.template_types, name="types")
app.add_typer(executions.executions, name="executions")
app.command()(events.events)
app.add_typer(breakers.breakers, name="breakers")
app.add_typer(limits.limits, name="limits")
app.add_typer(cache.cache, name="cache")
app.add_typer(models.models, name="models")
app.add_typer(providers.providers, name="providers")
app.command()(serve.serve)
app.add_typer(keys.keys, name="keys")
app.add_typer(users.users, name="users")
app.add_typer(db.db, name="db")
app.command()(doctor.doctor)
app.add_typer(config.config, name="config")


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(__version__)
        raise typer.Exit


@app.callback(epilog=_EPILOG)
def options(
    context: typer.Context,
    database: Annotated[str | None, typer.Option(metavar="URL", help="as in sqlite:///cue.db")] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="a server to use instead of a database, with CUEWIRE_TOKEN")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="PATH", help="a settings file to use")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout; errors as JSON on stderr")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="no colours; NO_COLOR says the same")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="notes on stderr also when it is no terminal")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="where in the code an error arose")] = False,
    version: Annotated[  # noqa: ARG001  # its callback has answered by now
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Versioned prompts, run on any model, with a durable record of each run.

    These options may stand anywhere in a command.
    """
    session: Session = context.obj
    session.database = database
    session.server = server
    session.config = config
    session.is_json = json
    session.is_verbose = verbose
    session.shows_traceback = traceback
    session.colors = not no_color
    command = context.invoked_subcommand or ""
    if command not in _ON_SERVERS:
        refuse_server(session, command)
        if command not in _AT_DATABASES:
            stay_here(session, command)


_ON_SERVERS = frozenset(
    {
        *("run", "plan", "prompts", "reviews", "strategies", "configurations", "types", "executions", "events"),
        *("breakers", "cache", "config", "limits"),
    }
)
"""The commands that a server can answer, and the one that shows which server that is; all others are about here."""
_AT_DATABASES = frozenset({"keys", "users"})
"""The commands that where a server is set refuse to do anything here, unless the database is named."""


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    code = _run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered has no reader: send it nowhere, or the interpreter complains about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run(arguments: Sequence[str]) -> int:
    session = Session(is_json="--json" in arguments)
    try:
        code = app(args=globals_first(arguments), prog_name="cuewire", obj=session, standalone_mode=False)
    except SystemExit:  # how Typer ends when the output has no reader any more
        return READER_GONE
    except Exception as error:  # noqa: BLE001  # the border: every error becomes a message and an exit code
        return explain(error, session)
    if code == INTERRUPTED:  # how Typer returns from Ctrl-C
        return explain(KeyboardInterrupt(), session)
    return code if isinstance(code, int) else OK


_FLAGS = frozenset({"--json", "--no-color", "--verbose", "--traceback", "--version"})
_WITH_VALUE = frozenset({"--database", "--server", "--config"})


def globals_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the global options moved to the front, where the parser wants them; all before `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments[:end])
    for argument in pending:
        if argument in _FLAGS or argument.partition("=")[0] in _WITH_VALUE and "=" in argument:
            front.append(argument)
        elif argument in _WITH_VALUE:
            front.extend([argument, *([value] if (value := next(pending, None)) is not None else [])])
        else:
            rest.append(argument)
    return [*front, *rest, *arguments[end:]]


if __name__ == "__main__":
    main()
