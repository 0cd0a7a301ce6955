"""The commands."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from bridge import __version__
from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError
from bridge.settings import Settings, problems

app = typer.Typer(
    name="voicebridge",
    help="A self-hosted Voice API: POST a message, a telephone rings, the text is spoken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

keys = typer.Typer(help="Who may use which account.", no_args_is_help=True)
app.add_typer(keys, name="keys")


def main() -> None:
    """Run a command; what went wrong is told in one line, without a traceback."""
    try:
        app()
    except ValidationError as error:
        print("\n".join(problems(error)), file=sys.stderr)
        sys.exit(WRONG_SETTINGS)
    except VoicebridgeError as error:
        print(f"{error.id}: {error}", file=sys.stderr)
        sys.exit(error.exit_status)


@app.command()
def serve() -> None:
    """Run the daemon until SIGTERM or Ctrl-C."""
    import uvloop  # noqa: PLC0415 - the other commands start faster without what serving takes

    from bridge.daemon import serve as run  # noqa: PLC0415

    uvloop.run(run(Settings()))


@app.command()
def call(
    number: Annotated[str, typer.Argument(help="The number to call, country code first.")],
    text: Annotated[str, typer.Argument(help="What is said; each comma is a pause of half a second.")],
    sender: Annotated[str | None, typer.Option("--from", help="The caller id, country code first.")] = None,
    language: Annotated[str, typer.Option(help="The language that is spoken.")] = "en",
    wait: Annotated[bool, typer.Option("--wait", help="Show the timeline until the call is over.")] = False,
) -> None:
    """Call a number through the daemon at VOICEBRIDGE_URL and say a text."""
    from bridge.admin.client import place_call  # noqa: PLC0415

    url = os.environ.get("VOICEBRIDGE_URL", "http://127.0.0.1:8080")
    settings = Settings()
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    delivered = asyncio.run(
        place_call(url, key, {"from": sender, "to": number, "text": text, "language": language}, wait=wait)
    )
    raise typer.Exit(0 if delivered else 1)


@app.command()
def doctor() -> None:
    """Check everything the daemon needs, and say what to do about what is missing."""
    from bridge.admin.doctor import examine  # noqa: PLC0415

    raise typer.Exit(0 if asyncio.run(examine(Settings())) else 1)


@app.command("asterisk-config")
def asterisk_config(
    directory: Annotated[Path, typer.Argument(help="The folder that gets the files.")],
    complete: Annotated[
        bool, typer.Option("--complete", help="A whole configuration, not just files to include in your own.")
    ] = False,
    asterisk: Annotated[str | None, typer.Option("--asterisk", help="Which of several: host:port of its AMI.")] = None,
) -> None:
    """Write the configuration for Asterisk that fits these settings."""
    from bridge.admin.asterisk_config import write_configuration  # noqa: PLC0415

    write_configuration(directory, Settings(), complete=complete, asterisk=asterisk)
    print(f"written to {directory}")


@keys.command("add")
def add_key(
    account: Annotated[str, typer.Argument(help="The account; its first key makes it.")],
    user: Annotated[
        str | None, typer.Option("--user", help="A user with a password instead of an API key; it is asked for.")
    ] = None,
) -> None:
    """Make an API key, which is shown once, or a user for Basic authentication."""
    from bridge.admin.keys import add_key as add  # noqa: PLC0415
    from bridge.admin.keys import add_user  # noqa: PLC0415

    if user is None:
        print(asyncio.run(add(Settings(), account)))
    else:
        asyncio.run(add_user(Settings(), account, user, _password()))


@keys.command("list")
def list_keys() -> None:
    """Show all keys and users, also those that were revoked."""
    from bridge.admin.keys import list_keys as list_all  # noqa: PLC0415

    asyncio.run(list_all(Settings()))


@keys.command("revoke")
def revoke_key(number: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """Close the door to a key or a user, within seconds also at a daemon that runs."""
    from bridge.admin.keys import revoke_key as revoke  # noqa: PLC0415

    asyncio.run(revoke(Settings(), number))


@app.command("after-restore")
def after_restore(
    call_again: Annotated[
        bool, typer.Option("--call-again", help="Leave what waited waiting, to be called (again).")
    ] = False,
) -> None:
    """Make a database that was restored from a backup fit to be served, while no daemon runs on it."""
    from bridge.admin.restore import after_restore as run  # noqa: PLC0415

    done = asyncio.run(run(Settings(), call_again=call_again, now=datetime.now(UTC)))
    print(f"{done.known} messages ended as they did, {done.unknown} with an unknown result")


@app.command()
def migrate(
    revision: Annotated[
        str | None, typer.Argument(help="Such as 0006; without it that of this version.", show_default=False)
    ] = None,
) -> None:
    """Change the schema of the database, also back to that of an earlier version, while no daemon runs on it."""
    from bridge.admin.schema import change_schema  # noqa: PLC0415

    before, after = change_schema(Settings(), revision)
    print(f"the schema was {before} and is {after}")


@app.command()
def version() -> None:
    """Tell the version."""
    print(__version__)


def _password() -> str:
    """Asked for twice at a terminal, else the first line of the input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
