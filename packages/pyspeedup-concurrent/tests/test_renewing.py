"""After `cache_clear` whoever calls a function has its new form, in every worker and however it came there."""

import itertools
import linecache
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.concurrent.engines import processes
from pyspeedup.concurrent.engines.processes import Processes

PATIENCE = 60


def ask(function, *calls):
    """Begin calls at the same time, and return what they come to."""
    futures = [function.submit(*call) for call in calls]
    return [future.result(PATIENCE) for future in futures]


def scaled_by(factor, engine):
    """Return two Caches of which the second calls the first, and the variables of both."""
    variables = {"factor": factor}
    exec(
        "def scaled(n): return factor * n\ndef around(n, way): return way, scaled(n)",
        variables,
    )
    for name in ("scaled", "around"):
        variables[name] = Cache(variables[name], engine=engine)
    return variables["scaled"], variables["around"], variables


@pytest.fixture(params=[1, 2])
def some(request):
    with Processes(workers=request.param) as made:
        yield made


def known_in_all(engine, around, path, name):
    """Have each worker compute one call of `around`, as they meet within."""
    place = path / name
    place.mkdir()
    workers = engine.workers

    def meeting(n, _way):
        (place / str(n)).touch()
        while len([*place.iterdir()]) < workers:
            os.sched_yield()
        return around(n, name)

    together = Cache(meeting, engine=engine)
    return ask(together, *((n, name) for n in range(workers)))


def test_after_a_clear_another_function_calls_the_new_form_in_every_worker(some, tmp_path):
    scaled, around, variables = scaled_by(1, some)
    assert [scaled(1), around(2, "at first")] == [1, ("at first", 2)]
    known_in_all(some, around, tmp_path, "old")
    for factor in (2, 3):
        variables["factor"] = factor
        scaled.cache_clear()
        found = known_in_all(some, around, tmp_path, f"by {factor}")
        assert [value for _, value in found] == [factor * n for n in range(some.workers)]
        assert ask(scaled, *((n,) for n in range(6))) == [factor * n for n in range(6)]


def test_what_one_worker_publishes_of_the_new_form_is_not_of_the_old_one(engine, tmp_path):
    """A dear function, so that values go by the board; the callers bring the news, the call itself comes last."""
    variables = {"factor": 1, "sleep": time.sleep}
    exec(
        "def scaled(n):\n sleep(.002)\n return factor * n\ndef around(n): return scaled(n)",
        variables,
    )
    for name in ("scaled", "around"):
        variables[name] = Cache(variables[name], engine=engine)
    scaled, around = variables["scaled"], variables["around"]
    assert ask(around, *((n,) for n in range(4))) == [0, 1, 2, 3]
    variables["factor"] = 2
    scaled.cache_clear()
    assert ask(around, *((n,) for n in range(4, 12))) == [2 * n for n in range(4, 12)]
    assert ask(scaled, *((n,) for n in range(12))) == [2 * n for n in range(12)]


def test_the_caller_keeps_what_it_remembers_itself(some):
    scaled, around, variables = scaled_by(1, some)
    assert around(3, "kept") == ("kept", 3)
    variables["factor"] = 2
    scaled.cache_clear()
    assert around(4, "new") == ("new", 8)
    assert around(3, "kept") == ("kept", 3)
    number = around._evaluator()[1]
    assert some.submit(number, (3, "kept"), {}).result(PATIENCE) == ("kept", 3), "in the worker"


def test_what_is_never_called_by_the_program_itself_is_renewed_too(some, tmp_path):
    scaled, around, variables = scaled_by(1, some)
    known_in_all(some, around, tmp_path, "old")
    variables["factor"] = 2
    scaled.cache_clear()
    found = known_in_all(some, around, tmp_path, "new")
    assert [value for _, value in found] == [2 * n for n in range(some.workers)]


def test_a_worker_that_comes_later_has_the_new_form_from_an_old_shipment(some, tmp_path):
    scaled, around, variables = scaled_by(1, some)
    assert around(1, "at first") == ("at first", 1)
    variables["factor"] = 2
    scaled.cache_clear()
    assert around(2, "told") == ("told", 4)
    killed = {hand.child.pid for hand in [*some._pool._hands]}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    while killed & {hand.child.pid for hand in [*some._pool._hands]}:
        time.sleep(0.001)  # until they are replaced
    found = known_in_all(some, around, tmp_path, "replaced")
    assert [value for _, value in found] == [2 * n for n in range(some.workers)]
    assert ask(scaled, (1,), (5,)) == [2, 10]


def test_a_worker_killed_between_the_clear_and_the_call_changes_nothing(some):
    scaled, around, variables = scaled_by(1, some)
    assert around(1, "at first") == ("at first", 1)
    variables["factor"] = 2
    for hand in [*some._pool._hands]:
        os.kill(hand.child.pid, signal.SIGKILL)
    scaled.cache_clear()
    assert [value for _, value in ask(around, *((n, "after") for n in range(6)))] == [
        2 * n for n in range(6)
    ]


@pytest.mark.parametrize("cleared", ["even", "odd"])
@pytest.mark.parametrize("first", ["even", "odd"])
def test_of_two_that_call_each_other_either_is_renewed(some, cleared, first):
    """The other one was told nothing, so its form may be the old one or, where it comes first now, the new."""
    variables = {"step": 1}
    exec(
        "def even(n, way): return (('even', step), *odd(n - 1, way)) if n else ()\n"
        "def odd(n, way): return (('odd', step), *even(n - 1, way)) if n else ()",
        variables,
    )
    for name in ("even", "odd"):
        variables[name] = Cache(variables[name], engine=some)
    assert {step for _, step in variables[first](5, "old")} == {1}
    for step in (2, 3):
        variables["step"] = step
        variables[cleared].cache_clear()
        for each in (variables["even"], variables["odd"]):
            for chain in ask(each, *((n, f"at {step}") for n in range(2, 8))):
                assert {found for name, found in chain if name == cleared} == {step}


def test_a_method_is_renewed_where_another_function_calls_it(some):
    variables = {"factor": 1, "Cache": lambda f: Cache(f, engine=some)}
    exec(
        "class Scale:\n"
        "    @Cache\n"
        "    def by(self, n): return factor * n\n"
        "    def __eq__(self, other): return True\n"
        "    def __hash__(self): return 7\n"
        "def around(n, way): return Scale().by(n)\n",
        variables,
    )
    around = Cache(variables["around"], engine=some)
    assert around(2, "old") == 2
    variables["factor"] = 3
    vars(variables["Scale"])["by"].cache_clear()
    assert ask(around, *((n, "new") for n in range(4))) == [0, 3, 6, 9]
    assert [variables["Scale"]().by(n) for n in range(4)] == [0, 3, 6, 9]


def test_the_form_is_that_of_the_next_call_and_not_of_the_clear(some):
    scaled, around, variables = scaled_by(1, some)
    assert around(1, "old") == ("old", 1)
    scaled.cache_clear()
    variables["factor"] = 2
    assert around(1, "new") == ("new", 2)
    assert scaled(1) == 2


def test_what_cannot_be_pickled_any_more_is_forgotten_and_spoken_of_to_nobody(some, tmp_path):
    text = tmp_path / "text"
    text.write_text("old")
    variables = {"part": 1, "text": text}
    exec(
        "def read(n): return n, part and text.read_text()\ndef around(n): return read(n)",
        variables,
    )
    for name in ("read", "around"):
        variables[name] = Cache(variables[name], engine=some)
    read, around = variables["read"], variables["around"]
    assert around(1) == (1, "old")
    text.write_text("new")
    variables["part"] = threading.Lock()
    read.cache_clear()
    assert ask(around, *((n,) for n in range(2, 8))) == [(n, "new") for n in range(2, 8)]
    with pytest.raises(TypeError, match="cannot be sent"):
        read(1)
    variables["part"] = 0
    assert ask(read, *((n,) for n in range(8))) == [(n, 0) for n in range(8)]
    assert around(9) == (9, 0)


class ArrivesLater:
    """Can be unpickled only while a file is not there."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return raise_while_there, (self.path,)


def raise_while_there(path):
    if Path(path).exists():
        raise ImportError("not today")
    return "there"


def test_news_that_cannot_be_unpickled_are_the_error_of_its_calls_alone_and_tried_again(
    some, tmp_path
):
    obstacle = tmp_path / "obstacle"
    variables = {"part": "old"}
    exec(
        "def read(n): return n, part\n"
        "def around(n): return read(n)\n"
        "def apart(n): return read if n < 0 else n\n",
        variables,
    )
    for name in ("read", "around", "apart"):
        variables[name] = Cache(variables[name], engine=some)
    read, around, apart = (variables[name] for name in ("read", "around", "apart"))
    assert [around(1), apart(1)] == [(1, "old"), 1]
    variables["part"] = ArrivesLater(str(obstacle))
    obstacle.touch()
    read.cache_clear()
    assert apart(2) == 2
    for _ in range(2):
        with pytest.raises(ImportError, match="not today"):
            around(2)
        with pytest.raises(ImportError, match="not today"):
            read(2)
    obstacle.unlink()
    assert [around(2), read(2), apart(3)] == [(2, "there"), (2, "there"), 3]


def test_two_threads_that_clear_and_call_never_see_what_was_before_their_clear(engine):
    """Each has a function of its own to change, and each other's to pickle."""
    wrong = []

    def work(seed):
        scaled, around, variables = scaled_by(0, engine)
        for turn in range(1, 40):
            variables["factor"] = turn
            scaled.cache_clear()
            found = around.submit(seed, turn).result(PATIENCE)
            if found != (turn, turn * seed):
                wrong.append((found, turn, seed))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class Unpacked(dict):
    """Ends who looks at it again and again, and nothing comes of it."""

    def values(self):
        self.looks += 1
        assert self.looks < 50, "this would go on for ever"
        return super().values()


def interrupted_at(line, of, act):
    """Do `act`, with a Ctrl-C at the so manieth line of the functions `of`; tell whether it came to that."""
    codes = {function.__code__ for function in of}
    begun = itertools.count()

    def trace(frame, event, _arg):
        if frame.f_code not in codes:
            return None
        text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        is_line = event == "line" and not text.startswith("with")  # or it would leave a lock held
        if is_line and next(begun) == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(former)
    return False


def test_an_interrupt_at_any_line_leaves_clears_and_calls_as_they_were(some, monkeypatch):
    monkeypatch.setattr(processes, "_unpacked", Unpacked())
    of = [
        getattr(processes, f"_{name}")
        for name in ("begin_generation", "shipment_for_call", "pack_renewed", "tell_of")
    ]
    scaled, around, variables = scaled_by(0, some)
    assert around(1, "at first") == ("at first", 0)

    def clear_and_call():
        scaled.cache_clear()
        around(1, f"interrupted at {line}")

    for line in itertools.count():
        variables["factor"] = line + 1
        processes._unpacked.looks = 0
        if not interrupted_at(line, of, clear_and_call):
            break
        assert around(1, f"after {line}")[0] == f"after {line}"
        scaled.cache_clear()
        assert around(1, f"cleared after {line}") == (f"cleared after {line}", line + 1)
        assert scaled(1) == line + 1
    assert line > 10


def test_who_was_told_of_a_clear_is_told_of_the_new_form_though_it_was_interrupted(some):
    """Wherever it was interrupted: workers that have dropped the old form must not be left with none."""
    scaled, around, variables = scaled_by(0, some)
    assert around(1, "at first") == ("at first", 0)
    for line in itertools.count():
        variables["factor"] = line + 1
        before = processes._tidings
        if not interrupted_at(line, [processes._begin_generation], scaled.cache_clear):
            break
        if processes._tidings is not before:
            assert around(1, f"at {line}") == (f"at {line}", line + 1)
    assert line > 3


HELPERS = """
import os
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.cache import close_shared_engines
from pathlib import Path

@Cache(workers={workers})
def read(n):
    return n, Path({text!r}).read_text()

held = [read]  # where no name is bound anew

def through(n):
    return read(n), held[0](n)
"""
PROGRAM = """
import multiprocessing
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
multiprocessing.set_start_method({start!r})
import helpers_of_renewing as helpers
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.cache import close_shared_engines

@Cache(workers={workers})
def around(n, way):
    return helpers.through(n)

text = Path({text!r})
def right(now):
    return [((n, now), (n, now)) for n in range(3)]

assert [around(n, "old") for n in range(3)] == right("old")
text.write_text("new")
helpers.read.cache_clear()
assert [around(n, "new") for n in range(3)] == right("new")
text.write_text("newer")
helpers.read.cache_clear()
assert [around(n, "newer") for n in range(3)] == right("newer")
print("fine")
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_what_a_worker_has_by_fork_or_import_is_renewed_too(tmp_path, start):
    """A function of an importable module calls a Cache of that module, which never was called before."""
    text = tmp_path / "text"
    text.write_text("old")
    parts = {"workers": 2, "start": start, "text": str(text), "folder": str(tmp_path)}
    (tmp_path / "helpers_of_renewing.py").write_text(HELPERS.format(**parts))
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(**parts))
    found = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "fine\n"), found.stderr


def test_a_large_function_that_was_renewed_reaches_a_worker_that_waits(engine, tmp_path):
    """All it needs to know does not fit into a pipe unread; and it is not answered by the old form."""
    variables = {"part": b"old", "path": tmp_path, "sched_yield": os.sched_yield}
    exec(
        "def size(n): return n, part[:5]\n"
        "def around(n): return size(n)\n"
        "def slow(n):\n"
        "    (path / f'begun {n}').touch()\n"
        "    while not (path / 'go on').exists(): sched_yield()\n"
        "    return n\n"
        "def waits(n): return size(n), slow(7)\n",
        variables,
    )
    for name in ("size", "around", "slow", "waits"):
        variables[name] = Cache(variables[name], engine=engine)
    assert variables["around"](0) == (0, b"old")
    futures = [variables["slow"].submit(7), variables["waits"].submit(1)]
    while not (tmp_path / "begun 7").exists():
        os.sched_yield()
    variables["part"] = b"large" * 100_000
    variables["size"].cache_clear()
    later = [variables["around"].submit(n) for n in range(1, 5)]
    (tmp_path / "go on").touch()
    assert [future.result(PATIENCE) for future in later] == [(n, b"large") for n in range(1, 5)]
    assert futures[0].result(PATIENCE) == 7
    assert futures[1].result(PATIENCE)[1] == 7


def test_an_engine_that_stays_hears_of_what_was_defined_anew_with_another():
    """A shared engine is closed and made anew; one of the user's own knows the function by its former number."""
    with Processes(workers=1) as own:
        variables = {"factor": 1}
        exec("def scaled(n): return factor * n\ndef around(n, way): return scaled(n)", variables)
        scaled = variables["scaled"] = Cache(variables["scaled"], workers=1)
        around = Cache(variables["around"], engine=own)
        assert [scaled(1), around(1, "old")] == [1, 1]
        close_shared_engines()
        variables["factor"] = 2
        scaled.cache_clear()
        assert [scaled(3), around(3, "new")] == [6, 6]
        variables["factor"] = 3
        scaled.cache_clear()
        assert [around(3, "newer"), scaled(3)] == [9, 9]
