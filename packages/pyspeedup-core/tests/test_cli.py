"""The console command finds its subcommands in what is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from pyspeedup.core import StoreError, cli, tables


def quiet(parser):
    """Say nothing."""
    parser.set_defaults(run=lambda arguments: 0)


def failing(parser):
    """Fail at a store.

    More about it.
    """
    parser.add_argument("path")

    def run(arguments):
        raise StoreError(f"{arguments.path}: not a store")

    parser.set_defaults(run=run)


def entry(name, command):
    def load():
        if isinstance(command, Exception):
            raise command
        return command

    return SimpleNamespace(name=name, load=load)


@pytest.fixture
def commands(monkeypatch):
    """Install three subcommands, one of them broken."""
    entries = [entry("quiet", quiet), entry("fail", failing), entry("bad", ImportError("no x"))]
    monkeypatch.setattr(
        cli, "entry_points", lambda *, group: entries if group == cli.COMMAND_GROUP else []
    )


def test_without_arguments_it_lists_the_commands_and_asks_for_one(commands, capsys):
    assert cli.main([]) == cli.USAGE_ERROR
    shown = capsys.readouterr().out
    assert "quiet  Say nothing." in shown
    assert "fail   Fail at a store." in shown


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_the_commands_even_if_one_is_broken(commands, capsys, option):
    assert cli.main([option]) == 0
    assert "bad    (cannot be loaded: ImportError: no x)" in capsys.readouterr().out


def test_an_unknown_command_is_named_and_answered_with_the_list(commands, capsys):
    assert cli.main(["spam"]) == cli.USAGE_ERROR
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no command 'spam'" in shown.err
    assert "quiet" in shown.err


def test_a_command_gives_the_exit_status(commands):
    assert cli.main(["quiet"]) == 0


def test_an_error_of_ours_is_a_line_and_not_a_traceback(commands, capsys):
    assert cli.main(["fail", "/data/words"]) == cli.FAILURE
    assert capsys.readouterr().err == "pyspeedup fail: /data/words: not a store\n"


def test_an_interruption_is_a_line_and_not_a_traceback(commands, capsys, monkeypatch):
    def interrupted(parser):
        def run(_arguments):
            raise KeyboardInterrupt

        parser.set_defaults(run=run)

    monkeypatch.setattr(cli, "entry_points", lambda *, group: [entry("slow", interrupted)])
    assert cli.main(["slow"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "pyspeedup slow: interrupted\n"


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_a_reader_that_has_seen_enough_is_no_error_to_tell_of(size):
    program = """
import sys
from types import SimpleNamespace
from pyspeedup.core import cli

def talking(parser):
    parser.set_defaults(run=lambda _: say(int(sys.argv[1])))

def say(size):
    print("x")
    sys.stdout.flush()
    sys.stdin.read()  # until nobody reads our output any more
    print("x" * size)

cli.entry_points = lambda *, group: [SimpleNamespace(name="talk", load=lambda: talking)]
sys.exit(cli.main(["talk"]))
"""
    command = [sys.executable, "-c", program, str(size)]
    pipes = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.read(1)
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.FAILURE


def test_wrong_arguments_of_a_command_are_its_own_usage(commands, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["fail"])
    assert caught.value.code == cli.USAGE_ERROR
    assert "usage: pyspeedup fail" in capsys.readouterr().err


def test_the_version_is_shown(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pyspeedup ")


def test_plugins_are_listed_as_a_table(capsys):
    assert cli.main(["plugins"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["kind", "name", "distribution", "version", "source", "plugin"]
    pickle_row = next(row.split() for row in rows if row.split()[:2] == ["serializer", "pickle"])
    assert pickle_row[:3] == ["serializer", "pickle", "pyspeedup-core"]
    assert pickle_row[4:] == ["built-in", "pyspeedup.core._plugin"]


def test_plugins_are_listed_as_json(capsys):
    assert cli.main(["plugins", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"kind", "name", "distribution", "version", "source", "plugin"} == set(rows[0])
    assert ("serializer", "pickle") in {(row["kind"], row["name"]) for row in rows}


def test_the_installed_command_runs():
    program = "import sys; from pyspeedup.core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "plugins"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "pickle" in result.stdout


def test_columns_of_a_table_are_as_wide_as_their_widest_cell():
    table = tables.format_table(["a", "name"], [["long cell", ""], ["b", 5]])
    assert table == "a          name\nlong cell  -\nb          5"


def test_a_table_without_rows_is_its_header():
    assert tables.format_table(["a", "b"], []) == "a  b"
