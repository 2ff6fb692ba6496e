"""The console command ``pyspeedup``: finds its subcommands in the installed distributions.

A distribution adds one by an entry point in the group ``pyspeedup.commands``, whose name is the
subcommand's and whose object is a `Command`: a function that is given the subcommand's own
`argparse.ArgumentParser`, adds arguments, and sets ``run``, a function from the parsed arguments to
the exit status. The first line of its docstring is its help. Only the command that is run is
imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import TypeAlias

from pyspeedup.core.errors import PyspeedupError

__all__ = ["COMMAND_GROUP", "Command", "main"]

COMMAND_GROUP = "pyspeedup.commands"

Command: TypeAlias = Callable[[argparse.ArgumentParser], None]
"""Adds a subcommand's arguments to its parser and sets ``run`` by ``set_defaults``."""

USAGE_ERROR = 2
FAILURE = 1
INTERRUPTED = 130  # as shells have it: 128, and the number of the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``pyspeedup`` on `arguments` (default: the command line) and return its exit status.

    >>> main(["no-such-command"])
    2
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    commands = {entry.name: entry for entry in entry_points(group=COMMAND_GROUP)}
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_overview(commands))
        return 0 if arguments else USAGE_ERROR
    if arguments[0] == "--version":
        print(f"pyspeedup {version('pyspeedup-core')}")
        return 0
    if arguments[0] not in commands:
        print(f"pyspeedup: no command {arguments[0]!r}\n{_overview(commands)}", file=sys.stderr)
        return USAGE_ERROR
    return _run(commands[arguments[0]], arguments[1:])


def _run(entry: EntryPoint, arguments: Sequence[str]) -> int:
    command: Command = entry.load()
    parser = argparse.ArgumentParser(f"pyspeedup {entry.name}", description=_summary(command))
    command(parser)
    parsed = parser.parse_args(arguments)
    try:
        return _finished(parsed)
    except BrokenPipeError:  # whoever read our output has seen enough
        _silence_stdout()
        return FAILURE
    except (PyspeedupError, OSError, ValueError) as error:
        print(f"pyspeedup {entry.name}: {error}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print(f"pyspeedup {entry.name}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _finished(parsed: argparse.Namespace) -> int:
    """Run a command until its output is out of our hands, and return its exit status."""
    status = int(parsed.run(parsed))
    sys.stdout.flush()
    return status


def _silence_stdout() -> None:
    """Let the interpreter's last flush of a broken pipe go nowhere, instead of into a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _overview(commands: dict[str, EntryPoint]) -> str:
    width = max(map(len, commands), default=0)
    lines = ["usage: pyspeedup COMMAND [ARGUMENT ...]", "", "commands:"]
    lines += [f"  {name:{width}}  {_help_of(commands[name])}" for name in sorted(commands)]
    return "\n".join([*lines, "", "pyspeedup COMMAND --help tells more of one"])


def _help_of(entry: EntryPoint) -> str:
    try:
        return _summary(entry.load())
    except Exception as error:  # noqa: BLE001 -- one broken command must not hide the others
        return f"(cannot be loaded: {type(error).__name__}: {error})"


def _summary(command: Command) -> str:
    return (command.__doc__ or "").strip().partition("\n")[0]
