"""Processes that share a board: each call is computed by one of them, whoever is killed meanwhile."""

import json
import os
import signal
from collections import Counter

import pytest

METHODS = ["fork", "spawn", "forkserver"]

PREAMBLE = """
import json, multiprocessing, os, random, signal, sys, time, zlib
from pyspeedup.concurrent._caching import board_region
from pyspeedup.concurrent._caching.board import Board, BoardMemory, Done, Running, Unshared, Wait

def start(method, target, *args):
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *args), daemon=True)
    process.start()
    theirs.close()
    return process, ours
"""

STRESS = (
    PREAMBLE
    + """
def value_of(key):
    return key * 3 + zlib.crc32(key).to_bytes(4, "little") * (zlib.crc32(key) % 50)

def work(connection, memory, place, life, keys):
    board = Board(memory, place, life)
    connection.send("ready")
    connection.recv()
    computed, read = [], 0
    for key in keys:
        while True:
            found = board.claim(key, life)
            if found is None or isinstance(found, Unshared):
                computed.append(key.decode())
                value = value_of(key)
                if found is None:
                    board.publish(key, value, 0.5)
                break
            if isinstance(found, Done):
                assert found == Done(value_of(key), 0.5), (key, found)
                read += 1
                break
            assert board.wait(key, life) is not Wait.RING
            time.sleep(0)
        board.unwait(life)
    counts = board.counts
    connection.send((computed, read, memory.region.missed, counts.unshared, counts.unpublished))

if __name__ == "__main__":
    memory = BoardMemory(3)
    rng = random.Random(4)
    keys = [b"f(%d)" % rng.randrange(3000) for _ in range(4000)]
    workers = [start(sys.argv[1], work, memory, place, place + 1, keys) for place in range(3)]
    for _, connection in workers:
        connection.recv()
    for _, connection in workers:
        connection.send("go")
    told = [connection.recv() for _, connection in workers]
    for process, _ in workers:
        process.join()
    memory.close()
    print(json.dumps({"told": told, "keys": len(set(keys)), "codes": [p.exitcode for p, _ in workers]}))
"""
)


@pytest.mark.parametrize("method", METHODS)
def test_of_three_processes_one_computes_each_call_and_the_others_read_it(run_program, method):
    result = run_program(STRESS, method)
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["codes"] == [0, 0, 0]
    computed = Counter(key for worker in told["told"] for key in worker[0])
    read, unlocked, unshared, unpublished = map(sum, [*zip(*told["told"], strict=True)][1:])
    assert (unlocked, unshared, unpublished) == (0, 0, 0)
    assert len(computed) == told["keys"]
    assert max(computed.values()) == 1
    assert read == 3 * 4000 - len(computed)


KILLED_WITH_THE_LOCK = (
    PREAMBLE
    + """
def hold(connection, memory):
    board = Board(memory, 0, 1)
    board.publish(b"f(0)", b"zero", 1.0)
    board.claim(b"f(1)", 7)
    with memory.region:
        assert not memory.region.missed
        connection.send("I have it")
        time.sleep(60)

def go_on(connection, memory):
    board_region.PATIENCE = 0.05
    board = Board(memory, 1, 2)
    assert board.claim(b"f(2)", 8) is None
    board_region.PATIENCE = 60  # it is not waited for again
    assert board.claim(b"f(3)", 8) is None
    connection.send(memory.region.missed)
    connection.recv()
    found = board.look(b"f(0)"), board.claim(b"f(1)", 8), board.look(b"f(1)")
    connection.send((found[0][0].decode(), found[1], found[2].place, memory.region.missed))

if __name__ == "__main__":
    memory = BoardMemory(2)
    holder, connection = start(sys.argv[1], hold, memory)
    connection.recv()
    other, line = start(sys.argv[2], go_on, memory)
    without = line.recv()
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    memory.bury(1)
    line.send("it is dead")
    after = line.recv()
    other.join()
    memory.close()
    print(json.dumps([without, holder.exitcode, after, other.exitcode]))
"""
)


@pytest.mark.parametrize(
    "methods", [("fork", "spawn"), ("spawn", "forkserver"), ("forkserver", "fork")]
)
def test_others_go_on_while_the_lock_is_held_and_have_it_when_its_holder_is_killed(
    run_program, methods
):
    result = run_program(KILLED_WITH_THE_LOCK, *methods)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [2, -signal.SIGKILL, ["zero", None, 1, 2], 0]


WRAPPING = (
    PREAMBLE
    + """
def write(connection, memory):
    board = Board(memory, 0, 1)
    rng = random.Random(2)
    for number in range(20_000):
        key = b"%d" % (number % 7)
        board.publish(key, number.to_bytes(4, "little") * rng.randrange(1, 200), float(number))
    connection.send(memory.words[memory.place_at(0) + 1])

if __name__ == "__main__":
    memory = BoardMemory(2, log=4096)
    board = Board(memory, 1, 2)
    writer, connection = start(sys.argv[1], write, memory)
    seen = 0
    while not connection.poll():
        for number in range(7):
            found = board.look(b"%d" % number)
            if found is not None:
                times = len(found.data) // 4
                assert found.data == int(found.seconds).to_bytes(4, "little") * times
                assert int(found.seconds) % 7 == number
                seen += 1
    rounds = connection.recv()
    writer.join()
    memory.close()
    print(json.dumps([seen > 100, rounds > 1000, writer.exitcode]))
"""
)


def test_no_torn_value_is_read_from_a_log_that_begins_anew(run_program):
    result = run_program(WRAPPING, "fork")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [True, True, 0]


LARGE = (
    PREAMBLE
    + """
def work(connection, memory):
    board = Board(memory, 0, 1)
    board.claim(b"f(1)", 7)
    board.publish(b"f(1)", bytes(range(256)) * 4096, 1.0)
    connection.send("done")
    time.sleep(60)

if __name__ == "__main__":
    memory = BoardMemory(2, log=4096)
    board = Board(memory, 1, 2)
    process, connection = start(sys.argv[1], work, memory)
    connection.recv()
    alive = board.look(b"f(1)").data == bytes(range(256)) * 4096
    process.kill()
    process.join()
    memory.bury(1)
    memory_after = board.look(b"f(1)")
    memory.close()
    print(json.dumps([alive, process.exitcode, memory_after]))
"""
)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="processes cannot read such files here")
@pytest.mark.parametrize("method", METHODS)
def test_a_large_value_is_read_while_its_worker_lives(run_program, method):
    result = run_program(LARGE, method)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [True, -signal.SIGKILL, None]
