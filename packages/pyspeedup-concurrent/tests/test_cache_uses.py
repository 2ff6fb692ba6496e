"""What functions of a Cache do, and where their results are kept."""

import itertools
import threading
from collections import UserDict

import pytest
from pyspeedup.concurrent import Buffer, Cache
from pyspeedup.concurrent._caching.calls import Normalizer
from pyspeedup.concurrent._caching.local import LocalMethod, Memory, fill, shell
from pyspeedup.concurrent.engines import Serial, Threads

ENGINES = ["serial", "threads", "processes"]


class Watched(UserDict):
    """A mapping that is no dict, and counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    def __getitem__(self, key):
        self.reads += 1
        return super().__getitem__(key)


# Functions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_may_use_a_buffer(engine):
    def squares():
        for n in itertools.count():
            yield n * n

    @Cache(engine=engine)
    def square(n):
        with Buffer(squares, 4) as ahead:
            return ahead[n]

    assert [*square.map(range(6))] == [n * n for n in range(6)]


def test_a_function_may_use_a_buffer_of_the_program():
    with Buffer(lambda: (n * n for n in itertools.count()), 8) as squares:
        total = Cache(lambda n: sum(squares[:n]))
        assert [total(n) for n in (3, 5)] == [5, 30]


def test_a_buffer_may_use_a_cache():
    square = Cache(lambda n: n * n, engine="serial")
    with Buffer(lambda: (square(n % 3) for n in range(6)), 2) as ahead:
        assert [*ahead] == [0, 1, 4, 0, 1, 4]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_may_use_a_diskdict(engine, tmp_path):
    memory = pytest.importorskip("pyspeedup.memory")

    @Cache(engine=engine, **({} if engine == "serial" else {"workers": 1}))
    def noted(n):
        with memory.DiskDict("notes", file_location=tmp_path) as notes:
            notes[n] = n * n
            return len(notes)

    assert [noted(n) for n in (5, 6, 5)] == [1, 2, 1]
    with memory.DiskDict("notes", file_location=tmp_path) as notes:
        assert dict(notes) == {5: 25, 6: 36}


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_what_is_logged_in_a_worker_comes_out_once(run_program, method):
    done = run_program(
        """
        import logging, multiprocessing, sys
        from pyspeedup.concurrent import Cache

        @Cache
        def speak(n):
            logging.getLogger("somewhere").warning("speaking %s", n)
            return n

        multiprocessing.set_start_method(sys.argv[1])
        logging.warning("before")
        print([speak(1), speak(2), speak(1)])
        logging.warning("after")
        """,
        method,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1, 2, 1]\n"
    words = [line.rpartition(":")[2] for line in done.stderr.splitlines()]
    assert words == ["before", "speaking 1", "speaking 2", "after"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_closure_sees_what_it_closes_over(engine):
    def make(factor, offsets):
        @Cache(engine=engine)
        def scaled(n, *, extra=0):
            return n * factor + sum(offsets) + extra

        return scaled

    tens, hundreds = make(10, [1, 2]), make(100, (5,))
    assert [tens(1), hundreds(1), tens(1, extra=4), hundreds(n=2)] == [13, 105, 17, 205]


@pytest.mark.parametrize("engine", ENGINES)
def test_three_caches_that_need_each_other(engine):
    @Cache(engine=engine)
    def first(n):
        second.apply_async(n - 1)
        return 1 if n < 1 else second(n - 1) + third(n - 2)

    @Cache(engine=engine)
    def second(n):
        third.batch_async((n - 1,), (n - 2,))
        return 1 if n < 1 else third(n - 1) + first(n - 2)

    @Cache(engine=engine)
    def third(n):
        return 1 if n < 1 else first(n - 1) + second(n - 2)

    def plain(n):
        before, last = 1, 1
        for _ in range(n):
            before, last = last, before + last
        return last

    assert [first(60), second(61), third(62)] == [plain(60), plain(61), plain(62)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_asked_for_again_while_it_is_evaluated_by_another_thread(engine):
    @Cache(engine=engine)
    def depth(n):
        return 0 if n == 0 else depth(n - 1) + 1

    found = []
    threads = [threading.Thread(target=lambda: found.append(depth(100))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [100] * 6
    info = depth.cache_info()
    assert info.hits + info.misses >= 6


class Kept:
    """Has methods that ask their own Caches."""

    @Cache
    def asked(self, what):
        return ask(self.asked, what), ask(Kept.asked, what)

    @Cache
    @classmethod
    def of_class(cls, what):
        return (ask(cls.of_class, what),)


def ask(cached, what):
    try:
        return getattr(cached, what)()
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize("what", ["cache_info", "cache_clear", "profile"])
def test_what_only_the_program_can_be_asked_is_explained_in_a_worker(what):
    @Cache
    def inside(what):
        return (ask(inside, what),)

    for answers in (inside(what), Kept().asked(what), Kept.of_class(what)):
        for answer in answers:
            assert f"{what}() is for the program" in answer


@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_where_evaluation_is_in_the_program_all_can_be_asked(engine):
    @Cache(engine=engine)
    def inside(n):
        return inside.cache_info().misses, inside.cache_parameters()["maxsize"]

    assert inside(1) == (1, None)


class Notes:
    """A desk that keeps what it is told."""

    flag = (0,)
    has_room = True

    def __init__(self):
        self.noted = []

    def enter(self, memory, key):
        return None

    def note(self, memory, key):
        self.noted.append((memory, key))

    leave = fail = look = note_lot = enter


def test_a_method_in_a_worker_is_bound_once_for_an_instance_and_each_form_of_its_function():
    def times(self, n):
        return self * n

    class Number(int):
        times = LocalMethod(shell())

    local, desk = vars(Number)["times"].local, Notes()
    memories = [Memory(1, "times"), Memory(1, "times")]
    two, three = Number(2), Number(3)
    for memory in memories:
        fill(local, times, memory, desk, Normalizer(times))
        two.times.apply_async(7)
        assert [two.times(5), three.times(5), two.times(5)] == [10, 15, 10]
        assert two.times is two.times
        assert three.times is not two.times
        two.times.batch_async((5,), (8,), (9,))
    assert [(memory, key[1]) for memory, key in desk.noted] == [
        (memory, n) for memory in memories for n in (7, 9)
    ]
    assert [len(memory.values) for memory in memories] == [2, 2]


# Stores --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_any_mapping_is_a_store(engine):
    store = Watched()
    square = Cache(lambda n, *, sign=1: sign * n * n, engine=engine, store=store)
    square.apply_async(2)
    square.batch_async((3,), (4,))
    assert [square(n) for n in (2, 3, 4)] == [4, 9, 16]
    assert [*square.map(range(2, 6))] == [4, 9, 16, 25]
    assert square.submit(5).result() == square(n=5, sign=1) == 25
    assert square(5, sign=-1) == -25
    assert len(store) == square.cache_info().currsize == 5
    assert square.cache_info().misses == 5


def test_hits_come_from_the_store_and_are_held_nowhere_else():
    store = Watched()
    square = Cache(lambda n: n * n, engine="serial", store=store)
    assert square(3) == 9
    before = store.reads
    assert [square(3), square(3)] == [9, 9]
    assert store.reads >= before + 2
    assert square.cache_info()[:2] == (2, 1)
    (key,) = store
    store[key] = "from the store"
    assert square(3) == square(n=3) == "from the store"
    del store[key]
    square._evaluating.forget()
    assert square(3) == 9


def test_two_functions_share_a_store_and_forget_apart():
    store = {}
    double = Cache(lambda n: 2 * n, engine="serial", store=store)
    triple = Cache(lambda n: 3 * n, engine="serial", store=store)
    assert [double(1), triple(1), double(2)] == [2, 3, 4]
    double.cache_clear()
    assert [double.cache_info().currsize, triple.cache_info().currsize] == [0, 1]


def test_what_others_keep_in_a_store_is_let_be():
    store = {"theirs": 1, ("pyspeedup",): 2, (): 3}
    square = Cache(lambda n: n * n, engine="serial", store=store)
    assert square(3) == 9
    square.cache_clear()
    assert store == {"theirs": 1, ("pyspeedup",): 2, (): 3}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_diskdict_is_a_store(engine, tmp_path):
    memory = pytest.importorskip("pyspeedup.memory")

    def square(n, offset=0):
        return n * n + offset

    for round_ in range(2):
        with memory.DiskDict("squares", file_location=tmp_path) as store:
            cached = Cache(square, engine=engine, store=store)
            cached.apply_async(7)
            assert [*cached.map(range(50))] == [n * n for n in range(50)]
            assert cached(7, offset=1) == 50
            assert cached.cache_info().misses == (0 if round_ else 51)


def test_a_store_that_refuses_is_heard_of_each_time():
    class Full(UserDict):
        def __setitem__(self, key, value):
            raise OSError("no space left")

    cached = Cache(lambda n: n, engine="serial", store=Full())
    for ask in (cached, lambda n: cached.submit(n).result(), lambda n: [*cached.map([n])]):
        with pytest.raises(OSError, match="no space left"):
            ask(1)


begun, go_on = threading.Event(), threading.Event()


def wait_at_the_gate(n):
    begun.set()
    go_on.wait()
    return n


@pytest.mark.parametrize("make_engine", [Serial, Threads])
def test_what_is_under_way_at_clear_does_not_come_into_the_store(make_engine):
    engine, store, found = make_engine(), {}, []
    wait = Cache(wait_at_the_gate, engine=engine, store=store)
    thread = threading.Thread(target=lambda: found.append(wait(3)))
    thread.start()
    begun.wait()
    wait.cache_clear()
    go_on.set()
    thread.join()
    assert found == [3]
    assert store == {}
    engine.close()
    begun.clear()
    go_on.clear()
