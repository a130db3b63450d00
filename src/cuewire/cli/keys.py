"""`cuewire keys`: who may use the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cuewire.cli.access import parse_duration, with_database
from cuewire.cli.output import Column, note, program, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.actors import ROLES, check_role
from cuewire.model.api_keys import ApiKey, IssuedKey

if TYPE_CHECKING:
    from cuewire.engine.app import LocalApp

keys = typer.Typer(help="API keys of the server: make, list, revoke.", no_args_is_help=True)


@keys.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="whose key it is, or what it is for")],
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help=f"{', '.join(ROLES)}; admin unless said otherwise")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="ACTION", help="for this only, as in run or prompts:*; may be repeated")
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="for this prompt only, or for all that begin so: team/*; may be repeated"),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="a user whose key it is, and whose role it does not exceed")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="how long it opens anything, as in 30d or 12h")
    ] = None,
) -> None:
    """Make an API key and show it, this once."""
    session: Session = context.obj
    lasts = None if expires is None else parse_duration(expires)

    async def issue(app: LocalApp) -> IssuedKey:
        return await app.keys.issue(
            name,
            by=app.actor,
            role=None if role is None else check_role(role),
            scopes=scope or None,
            prompts=prompt or None,
            user=user,
            expires_at=None if lasts is None else app.clock.now() + lasts,
        )

    issued = with_database(session, issue, what="API keys")
    if session.is_json:
        write_json({**_shown(issued.key), "key": issued.text})
        return
    write(issued.text + "\n")
    note(session, f"it is shown this once; take it back with: {program()} keys revoke {issued.key.id}")


@keys.command("list")
def list_(context: typer.Context) -> None:
    """List API keys, oldest first, without their secrets."""
    session: Session = context.obj
    found = with_database(session, lambda app: app.keys.list(by=app.actor), what="API keys")
    if session.is_json:
        write_json({"items": [_shown(key) for key in found]})
        return
    columns = [
        *(Column("id"), Column("name", is_free=True), Column("user"), Column("role")),
        *(Column("for", is_free=True, is_detail=True), Column("made (UTC)", is_detail=True)),
        *(Column("expires (UTC)"), Column("revoked (UTC)")),
    ]
    table = [
        (
            *(key.id, key.name, key.user.name if key.user else UNKNOWN, key.role),
            *(" ".join([*(key.scopes or ()), *(key.prompts or ())]) or UNKNOWN, moment(key.created_at)),
            *(moment(key.expires_at), moment(key.revoked_at)),
        )
        for key in found
    ]
    write_table(session, columns, table, empty=f"no keys; make one with: {program()} keys create NAME")


@keys.command()
def revoke(context: typer.Context, id: Annotated[str, typer.Argument(help="the key's id, as listed")]) -> None:
    """Revoke an API key, for good; servers forget it within a second."""
    session: Session = context.obj
    revoked = with_database(session, lambda app: app.keys.revoke(id, by=app.actor), what="API keys")
    if session.is_json:
        write_json({"id": revoked.id, "name": revoked.name, "revoked_at": revoked.revoked_at})
    else:
        write(f"{revoked.id} ({revoked.name}) opens nothing any more\n")


@keys.command()
def link(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="the key's id, as listed")],
    url: Annotated[str, typer.Option(metavar="URL", help="where the server is")] = "http://127.0.0.1:8470",
) -> None:
    """Make a link that signs one browser in, once, to do what the API key may do."""
    session: Session = context.obj
    secret = with_database(session, lambda app: app.sign_ins.invite(id), what="API keys")
    address = f"{url.rstrip('/')}/#{secret}"
    if session.is_json:
        write_json({"link": address})
        return
    write(address + "\n")
    note(session, f"it works once and for 15 minutes; end its session with: {program()} keys revoke {id}")


def _shown(key: ApiKey) -> dict[str, object]:
    from cuewire.wire.keys import KeyShape

    return msgspec.structs.asdict(KeyShape.of(key))
