"""`cuewire run`, as a real process: in a pipe, on a terminal, with good and bad answers."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from tests.support.command_line import CommandLine
from tests.support.model_server import Hang, ModelServer, Send, chunk, completion, delta, head, plain, stream

STREAM = [Send(head(kind="text/event-stream")), Send(chunk(delta("It is ")))]


@pytest.fixture
async def echo(cue: CommandLine) -> CommandLine:
    """A command line with a prompt `echo` that answers with its own text."""
    (cue.folder / "echo.j2").write_text("{{ text }}")
    assert (await cue("prompts", "publish", "echo", "echo.j2", "--model", "scripted/echo")).code == 0
    return cue


async def with_server(cue: CommandLine, server: ModelServer, *options: str) -> CommandLine:
    """Return the command line with the server as `openai` and a prompt `triage` there."""
    cue.environment |= {"OPENAI_API_KEY": "sk-canary-77", "OPENAI_BASE_URL": server.url}
    (cue.folder / "triage.j2").write_text("Bug or idea? {{ text }}")
    published = await cue("prompts", "publish", "triage", "triage.j2", "--model", "openai/tiny-1", *options)
    assert published.code == 0
    return cue


async def test_in_a_pipe_stdout_holds_the_answer_and_nothing_else(echo: CommandLine) -> None:
    ended = await echo("run", "echo", "-v", "text=It crashes\non save")

    assert (ended.code, ended.out, ended.err) == (0, "It crashes\non save\n", "")


async def test_a_pipe_gets_the_value_that_the_version_promises(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server, "--output", "bug,idea")
        server.script(plain(completion("  Bug.\n")))

        ended = await cue("run", "triage", "-v", "text=It crashes")

    assert ended.out == "bug\n"


async def test_json_is_one_document_with_id_value_cost_and_usage(echo: CommandLine) -> None:
    ended = await echo("run", "echo", "-v", "text=hello you", "--json")

    result = ended.json
    assert (result["value"], result["prompt"], result["version"], result["cost_usd"]) == ("hello you", "echo", 1, 0.0)
    assert result["usage"]["input_tokens"] == 2
    shown = await echo("executions", "show", result["id"], "--json")
    assert shown.json["text"] == "hello you"


async def test_an_unknown_cost_is_null_and_a_dash_never_zero(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script(plain(completion(usage=None)))

        ended = await cue("run", "triage", "-v", "text=x", "--json")
        listed = await cue("executions", "show", ended.json["id"])

    assert ended.json["cost_usd"] is None
    assert ended.json["usage"]["input_tokens"] is None
    assert "cost      - (" in listed.out
    assert "tokens    - in, - out" in listed.out


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["-v", "text=@note.txt"], b"", "from a file"),
        (["-v", "text=@-"], b"from stdin", "from stdin"),
        (["-v", "text=@@home"], b"", "@home"),
        (["-v", "text:=[1, true]"], b"", "[1, True]"),
        (["-v", "text=a=b"], b"", "a=b"),
        (["--inputs", "-"], b'{"text": "from json"}', "from json"),
        (["--inputs", "all.json", "-v", "text=wins"], b"", "wins"),
    ],
)
async def test_inputs_come_from_arguments_files_and_stdin(
    echo: CommandLine, arguments: list[str], stdin: bytes, expected: str
) -> None:
    (echo.folder / "note.txt").write_text("from a file")
    (echo.folder / "all.json").write_text('{"text": "from a file of inputs"}')

    ended = await echo("run", "echo", *arguments, stdin=stdin)

    assert (ended.out, ended.err) == (expected + "\n", "")


async def test_parameters_and_model_of_the_command_win_over_the_version(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server, "--param", "temperature=0", "--param", "max_tokens=9")
        server.script(plain(completion()))

        await cue("run", "triage", "-v", "text=x", "--model", "openai/other", "--param", "temperature=0.5")

    sent = server.received[0].json
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("other", 0.5, 9)


async def test_an_idempotency_key_brings_back_the_stored_answer(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script(plain(completion("once")), plain(completion("twice")))
        arguments = ("run", "triage", "-v", "text=x", "--idempotency-key", "k1", "--json")

        first, second = await cue(*arguments), await cue(*arguments)
        other = await cue("run", "triage", "-v", "text=y", "--idempotency-key", "k1")

    assert (second.json["id"], second.json["text"], second.json["stored"]) == (first.json["id"], "once", True)
    assert len(server.received) == 1
    assert other.code == 5


async def test_verbose_says_on_stderr_what_it_cost(echo: CommandLine) -> None:
    ended = await echo("run", "echo", "-v", "text=hello you", "--verbose")

    assert ended.out == "hello you\n"
    assert "echo@1  scripted/echo  2+2 tokens  cost $0.00" in ended.err


async def test_on_a_terminal_the_answer_appears_as_it_arrives(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script([*STREAM, Hang()])

        seen = await cue.on_terminal("run", "triage", "-v", "text=x", interrupt_after="It is ")

    assert seen.out.startswith("It is \n")
    assert seen.code == 130


async def test_on_a_terminal_the_summary_follows_and_names_the_execution(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server, "--output", "bug,idea")
        server.script(stream(delta("Bu"), delta("g."), delta(finish_reason="stop")))

        seen = await cue.on_terminal("run", "triage", "-v", "text=x")

    answer, summary, execution_id = seen.out.splitlines()
    assert answer == "Bug."
    assert summary.startswith("= bug  triage@1  openai/tiny-1  -+- tokens  cost -")
    assert (await cue("executions", "show", execution_id)).code == 0


async def test_an_answer_cannot_steer_the_terminal(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script(stream(delta("a\x1b]0;owned\x07\x1b[2Jb"), delta(finish_reason="stop")))

        seen = await cue.on_terminal("run", "triage", "-v", "text=x")

    assert seen.err.startswith("a\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}")


async def test_ctrl_c_cancels_the_call_and_the_record_says_so(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script([Hang()])
        process = await cue.start("run", "triage", "-v", "text=x")
        async with asyncio.timeout(10):
            await server.arrived.wait()

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            out, err = await process.communicate()
            await server.received[0].hung_up.wait()

    assert (process.returncode, out) == (130, b"")
    assert err.startswith(b"error: interrupted\n")
    listed = await cue("executions", "list", "--json")
    assert [execution["status"] for execution in listed.json["items"]] == ["cancelled"]


async def test_a_reader_that_goes_away_is_no_news(echo: CommandLine) -> None:
    (echo.folder / "long.txt").write_text("word " * 100_000)
    reader, writer = os.pipe()
    process = await echo.start("run", "echo", "-v", "text=@long.txt", stdout=writer)
    os.close(writer)
    os.close(reader)

    _, err = await process.communicate()

    assert (process.returncode, err) == (141, b"")


async def test_a_failed_call_gives_two_lines_with_the_id_of_its_record(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script(plain({"error": {"message": "no such key sk-canary-77"}}, 401))

        ended = await cue("run", "triage", "-v", "text=x")
        as_json = await cue("run", "triage", "-v", "text=x", "--json")

    assert (ended.code, ended.out, len(ended.err.splitlines())) == (1, "", 2)
    assert ended.err.startswith("error: ")
    assert "sk-canary-77" not in ended.err + as_json.err
    assert as_json.error["code"] == "authentication_failed"
    assert as_json.error["execution_id"] in (await cue("executions", "list")).out
    assert "cuewire executions show " in ended.err


async def test_an_answer_of_the_wrong_kind_fails_and_is_kept(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server, "--output", "bug,idea")
        server.script(plain(completion("I think it is a bug")))

        ended = await cue("run", "triage", "-v", "text=x", "--json")
        shown = await cue("executions", "show", ended.error["execution_id"])

    assert (ended.code, ended.error["code"]) == (1, "output_invalid")
    assert "status    failed" in shown.out
    assert "I think it is a bug" in shown.out


async def test_a_call_that_takes_too_long_is_given_up(cue: CommandLine) -> None:
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script([Hang()])

        ended = await cue("run", "triage", "-v", "text=x", "--timeout", "0.2", "--json")

    assert (ended.code, ended.error["code"]) == (1, "provider_timeout")


async def test_a_pipe_loads_neither_rich_nor_what_a_run_does_not_need(echo: CommandLine) -> None:
    process = await echo.start("run", "echo", "-v", "text=x", python=("-X", "importtime"))

    _, err = await process.communicate()

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in err.decode().splitlines()}
    assert "typer" in loaded
    assert loaded & {"rich", "genai_prices", "alembic", "aiohttp", "fastapi", "xllamacpp"} == set()


async def test_tool_calls_are_shown_as_json(cue: CommandLine) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    async with ModelServer() as server:
        await with_server(cue, server)
        server.script(plain(completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])))

        ended = await cue("run", "triage", "-v", "text=x")

    assert json.loads(ended.out) == [{"id": "c1", "name": "find", "arguments": '{"q": 1}'}]
