"""Every error has a status, and comes back from its problem as what it was."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from cuewire.model import errors
from cuewire.model.errors import CuewireError, InvalidInput, ProviderTimeout, RateLimited, TemplateSyntaxError
from cuewire.wire.problems import _TITLES, REFUSALS, STATUSES, Problem, Refused, error_of, problem_of


def family(root: type[CuewireError]) -> Iterator[type[CuewireError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


def crossed(error: CuewireError) -> CuewireError:
    """Return what a client raises for an error of the server."""
    return error_of(msgspec.json.decode(msgspec.json.encode(problem_of(error)), type=Problem))


def facts(error: CuewireError) -> dict[str, object]:
    return {name: value for name, value in vars(error).items() if name != "snippet"}


def test_each_error_of_the_model_has_a_status_of_its_own_choice() -> None:
    ours = {kind for kind in family(CuewireError) if kind.__module__ == errors.__name__}

    assert ours <= set(STATUSES)


def test_each_status_has_a_title() -> None:
    assert {*STATUSES.values(), *(status for status, _ in REFUSALS.values())} <= set(_TITLES)


@pytest.mark.parametrize("kind", STATUSES, ids=lambda kind: kind.__name__)
def test_an_error_crosses_the_wire_as_itself(kind: type[CuewireError]) -> None:
    error = kind("what happened", hint="what to do")
    error.execution_id = "018bcfe5-6800-7fff-bfff-ffffffffffff"

    found = crossed(error)

    assert type(found) is kind
    assert facts(found) == facts(error)


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("bad", problems=(("/inputs/a", "is missing"), ("/inputs/b", "is not text"))),
        TemplateSyntaxError("unexpected '}'", line=3, column=7),
        ProviderTimeout("no byte", phase="first_byte"),
        RateLimited("slow down", status=429, provider_code="rpm", retry_after_s=2.5),
        errors.OutputError("the answer is no number", field="/", text="many"),
        errors.RecordNotWritten("the disk is full", text="an answer that was paid for"),
    ],
    ids=lambda error: error.code,
)
def test_what_an_error_knows_beside_its_message_crosses_too(error: CuewireError) -> None:
    assert facts(crossed(error)) == facts(error)


def test_what_a_provider_said_stays_with_the_server() -> None:
    error = RateLimited("slow down", snippet="<html>internal host db-7</html>")

    assert b"db-7" not in msgspec.json.encode(problem_of(error))


def test_a_problem_stays_small_however_much_is_wrong() -> None:
    error = InvalidInput("x" * 100_000, problems=tuple((f"/{'k' * 1_000}", "y" * 1_000) for _ in range(1_000)))

    assert len(msgspec.json.encode(problem_of(error))) < 12_000


@pytest.mark.parametrize("code", REFUSALS)
def test_what_the_server_refuses_by_itself_becomes_the_nearest_error(code: str) -> None:
    status, kind = REFUSALS[code]

    assert problem_of(Refused(code, "no")).status == status
    assert type(crossed(Refused(code, "no"))) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AccessDenied),
        (404, errors.NotFound),
        (418, InvalidInput),
        (500, errors.ServerError),
        (503, errors.ServerUnavailable),
    ],
)
def test_a_code_of_a_later_version_becomes_what_its_status_says(status: int, kind: type[CuewireError]) -> None:
    problem = Problem(type="urn:x", title="x", status=status, detail="no", code="from_the_future")

    assert type(error_of(problem)) is kind
