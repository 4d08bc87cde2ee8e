"""Commands for accounts of staff, and for keys of other systems."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table

from journey.bootstrap import App, public_address
from journey.cli.shared import actor, opened, out
from journey.domain.access import Role, Scope
from journey.services import accounts, api_keys
from journey.services.context import Refusal
from journey.services.passwords import check_password
from journey.store.database import StoreUnavailable

_user = typer.Typer(no_args_is_help=True, help="Accounts of staff.")
_api_key = typer.Typer(no_args_is_help=True, help="Keys with which other systems use the API.")
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]


def register(app: typer.Typer) -> None:
    app.add_typer(_user, name="user")
    app.add_typer(_api_key, name="api-key")


def say_first_link(app: App) -> None:
    """Prints the link that makes the first admin, as long as nobody has an account."""
    try:
        link = accounts.first_link(app.context)
    except StoreUnavailable:
        return  # the pages and /readyz say so
    if link:
        out.print("Nobody has an account yet. Open this once, within a day, to become the admin:")
        out.print(public_address(app.settings, link))


@_user.command("add")
def add(
    email: Email,
    role: Annotated[Role, typer.Option("--role", help="What the person may do.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Take the password from standard input; no link.")
    ] = False,
) -> None:
    """Make an account. Prints a one-time set-up link on the last line, unless a password is given."""
    with opened() as app:
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        if password is not None:
            _check(password, email)
        link = accounts.invite(app.context, email, role, actor())
        if password is None:
            out.print(f"Send this to {email}; it works once, within a day:")
            out.print(public_address(app.settings, link))
            return
        one = accounts.find(app.context, email)
        accounts.set_up(
            app.context, link.removeprefix("setup/"), email=one.email, name=one.name, password=password
        )
        out.print(f"{one.email} can sign in as {role.value}.")


def _check(password: str, email: str) -> None:
    try:
        check_password(password, email)
    except ValueError as error:
        raise Refusal(f"the password {error}") from None


@_user.command("list")
def list_users() -> None:
    """List the accounts."""
    with opened() as app:
        table = Table("E-mail", "Name", "Role", "Second factor", "State", "Last seen")
        for one in accounts.everyone(app.context):
            table.add_row(
                one.email,
                one.name,
                one.role.value,
                "set" if one.sealed_totp else "none",
                "disabled" if one.disabled_at else "active" if one.password_hash else "invited",
                f"{one.seen_at:%Y-%m-%d %H:%M}Z" if one.seen_at else "never",
            )
    out.print(table)


@_user.command("link")
def link(email: Email) -> None:
    """Print a new set-up link, for a lost one or a lost password."""
    with opened() as app:
        one = accounts.find(app.context, email)
        out.print(public_address(app.settings, accounts.new_setup_link(app.context, one.id, actor())))


@_user.command("disable")
def disable(email: Email) -> None:
    """End an account's sessions and let nobody sign in with it."""
    with opened() as app:
        accounts.disable(app.context, accounts.find(app.context, email).id, actor())
    out.print(f"{email} cannot sign in any more.")


@_user.command("enable")
def enable(email: Email) -> None:
    """Let somebody sign in again."""
    with opened() as app:
        accounts.enable(app.context, accounts.find(app.context, email).id, actor())
    out.print(f"{email} can sign in again.")


@_user.command("reset-second-factor")
def reset_second_factor(email: Email) -> None:
    """Forget a lost phone; the next sign-in sets up a new one."""
    with opened() as app:
        accounts.reset_second_factor(app.context, accounts.find(app.context, email).id, actor())
    out.print(f"{email} sets up a new second factor at the next sign-in.")


@_api_key.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What uses it, such as the booking system.")],
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="read or write; may be repeated. Default: both.")
    ] = None,
) -> None:
    """Make a key. It is printed alone on the last line, and never again."""
    with opened() as app:
        key = api_keys.add(app.context, name, scope or list(Scope), actor())
    out.print("Keep this key where only that system reads it; it is not shown again:")
    typer.echo(key)


@_api_key.command("list")
def list_keys() -> None:
    """List the keys: never the keys themselves."""
    with opened() as app:
        table = Table("Name", "Scopes", "Made", "Last used", "State")
        for one in api_keys.everyone(app.context):
            used = f"{one.used_at:%Y-%m-%d %H:%M}Z" if one.used_at else "never"
            state = "revoked" if one.revoked_at else "active"
            table.add_row(one.name, ", ".join(one.scopes), f"{one.created_at:%Y-%m-%d}", used, state)
    out.print(table)


@_api_key.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """End a key at once."""
    with opened() as app:
        api_keys.revoke(app.context, name, actor())
    out.print(f"{name} has no access any more.")
