"""The command tree, and the one place where errors become exit codes."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

import journey.cli.accounts as accounts
import journey.cli.looking as looking
import journey.cli.operating as operating
import journey.cli.patients as patients
import journey.cli.serving as serving
from journey.domain.contact import FieldErrors
from journey.services.context import Refusal
from journey.services.pathway_files import PathwayFileError
from journey.settings import SettingsError
from journey.store.database import StoreUnavailable, Unfit
from journey.store.sealing import SealError

app = typer.Typer(
    name="journey",
    help="The right message to each patient of a procedure clinic, at the right local time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _module in (serving, operating, accounts, patients, looking):
    _module.register(app)

_EXPECTED = (
    Refusal,
    FieldErrors,
    PathwayFileError,
    SettingsError,
    StoreUnavailable,
    Unfit,
    SealError,
)


def main() -> None:
    """Runs a command. Exit codes: 0 done, 1 done with findings, 2 refused with the reason."""
    try:
        app()
    except _EXPECTED as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        sys.exit(2)
