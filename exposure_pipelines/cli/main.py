"""`exposure`: the command line. Each command lives in a file of its own and imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from exposure_pipelines.cli import (
    build,
    connectors,
    data,
    demo,
    doctor,
    estate,
    explain,
    later,
    prune,
    resolve,
    status,
    sync,
    up,
)
from exposure_pipelines.cli.output import say, stderr
from exposure_pipelines.cli.troubles import settings_trouble, trouble_of
from exposure_pipelines.errors import ConfigurationError, WorkFailed


class Commands(TyperGroup):
    """Turns errors that a person should read into a message on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            fail(str(error), 2)
        except WorkFailed as error:
            fail(str(error), 1)
        except KeyboardInterrupt:
            fail("Stopped. What was complete is kept; run the same command again to go on.", 130)
        except BrokenPipeError:
            # the reader of a pipe (head, less) has gone: nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            if told := trouble_of(error):
                fail(told, 2 if settings_trouble(error) else 1)
            raise


def fail(message: str, code: int) -> NoReturn:
    stderr.print(message, style="red", markup=False)
    sys.exit(code)


def show_version(wanted: bool) -> None:
    if wanted:
        say(f"exposure-pipelines {version('exposure-pipelines')}")
        raise typer.Exit


app = typer.Typer(
    name="exposure",
    cls=Commands,
    help=(
        "Exposure management pipelines: pull inventories from security products, merge them into one estate, "
        "ask it questions.\n\nNew here? `exposure demo` shows the whole way on an invented company in two minutes."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command("demo")(demo.demo)
app.command("up")(up.up)
app.add_typer(connectors.app, name="connectors")
app.command("sync")(sync.sync)
app.command("build")(build.build)
app.command("status")(status.status)
app.command("tables")(data.tables)
app.command("export")(data.export)
app.command("query")(later.query)
app.command("explain")(explain.explain)
app.command("resolve")(resolve.resolve)
app.command("explore")(later.explore)
app.add_typer(estate.app, name="estate")
app.command("doctor")(doctor.doctor)
app.command("prune")(prune.prune)


def main() -> None:
    """Run a command: exit code 0 success, 1 the work failed, 2 the call or the configuration was wrong."""
    os.umask(0o077)  # the home holds inventories: nobody else on the machine reads them
    app()


if __name__ == "__main__":
    main()
