"""Cache against the plain function."""

import copy
import functools
import os
import pickle
import signal
import sys
import textwrap
import threading
import types

import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.concurrent.engines import Processes, Serial, Threads
from pyspeedup.core import UnknownNameError, WorkerError

ENGINES = ["serial", "threads", "processes"]


def plain_fibonacci(n):
    before, last = 1, 1
    for _ in range(n):
        before, last = last, before + last
    return before


# The document's own examples -------------------------------------------------------------------


def test_the_documents_simple_cache():
    @Cache
    def fibonacci(n):
        if n < 2:
            return 1
        return fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(5) == 8
    assert fibonacci(0) == fibonacci(1) == 1


def test_the_documents_apply_async():
    @Cache
    def fibonacci(n):
        if n < 2:
            return 1
        fibonacci.apply_async(n - 1)
        fibonacci.apply_async(n - 2)
        return fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(100) == 573147844013817084101


def test_the_documents_batch_async():
    @Cache
    def fibonacci(n):
        if n < 2:
            return 1
        fibonacci.batch_async((n - 1,), (n - 2,))
        return fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(200) == 453973694165307953197296969697410619233826


# Keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_all_spellings_of_a_call_are_one(engine):
    @Cache(engine=engine)
    def scaled(n, factor=2, *, offset=0):
        return n * factor + offset

    assert scaled(1) == scaled(n=1) == scaled(1, 2) == scaled(factor=2, n=1, offset=0) == 2
    assert scaled.cache_info()[:2] == (3, 1)
    assert scaled(1, offset=5) == 7
    assert scaled(1, 3) == 3
    assert scaled.cache_info().currsize == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_every_kind_of_parameter_arrives(engine):
    def collected(a, /, b=3, *c, d=4, **e):
        return (a, b, c, d, sorted(e.items()))

    cached = Cache(collected, engine=engine)
    for args, kwargs in [((1,), {}), ((1, 2, 3, 4), {"d": 5, "z": 6}), ((1,), {"b": 2, "y": 0})]:
        assert cached(*args, **kwargs) == collected(*args, **kwargs)
        assert cached(*args, **kwargs) == collected(*args, **kwargs)
    assert cached.cache_info()[:2] == (3, 3)


def test_equal_arguments_are_the_same_call():
    half = Cache(lambda n: n / 2)
    assert half(1) == half(1.0) == half(True) == 0.5
    assert half.cache_info().misses == 1


def test_an_argument_that_cannot_be_compared_with_everything_is_no_obstacle():
    class Picky:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            return self.__dict__ == other.__dict__ if type(other) is Picky else other.missing

    assert Cache(lambda picky, n: n + 1)(Picky(), 1) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unhashable_argument_is_named(engine):
    @Cache(engine=engine)
    def total(label, numbers):
        return label, sum(numbers)

    with pytest.raises(TypeError, match="unhashable type: 'list'"):  # in the words of functools
        total("a", [1, 2])
    with pytest.raises(TypeError, match=r"total\(\): argument 'numbers' is \[1, 2\].*'list'"):
        total.submit("a", [1, 2])
    with pytest.raises(TypeError, match="argument 'numbers'"):
        total.apply_async("a", numbers=[1, 2])
    with pytest.raises(TypeError, match="argument 'numbers'"):
        total.batch_async(("a", [1, 2]))
    assert total("a", (1, 2)) == ("a", 3)


def test_an_unhashable_argument_of_a_nested_call_is_named():
    @Cache
    def outer(n):
        return inner([n])

    @Cache
    def inner(numbers):
        return sum(numbers)

    with pytest.raises(TypeError, match="argument 'numbers' is"):
        outer(3)


def test_a_default_that_cannot_be_compared_with_everything_is_no_obstacle():
    class Stubborn:
        __hash__ = object.__hash__

        def __eq__(self, other):
            raise RuntimeError("not with me")

    stubborn = Stubborn()

    @Cache(engine="serial")
    def f(n, *, k=stubborn):
        return n

    assert f(1) == 1


def test_an_unhashable_default_does_not_matter():
    @Cache
    def measured(n, weights=[2, 3]):  # noqa: B006 -- the point
        return n * sum(weights)

    assert measured(2) == measured(n=2) == 10


@pytest.mark.parametrize("args", [(), (1, 2, 3)])
def test_wrong_arguments_are_a_type_error(args):
    cached = Cache(lambda a, b=1: a)
    with pytest.raises(TypeError, match="argument"):
        cached(*args)
    with pytest.raises(TypeError, match="argument"):
        cached(c=1)


def test_a_bare_value_in_batch_async_says_what_to_write():
    @Cache
    def square(n):
        return n * n

    with pytest.raises(TypeError, match=r"write \(3,\) instead of 3"):
        square.batch_async((2,), 3)
    assert square.cache_info().currsize == 0
    square.batch_async()
    assert square(3) == 9


# Results ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("result", [None, False, 0, (), "", float("inf")])
def test_every_result_is_remembered(tmp_path, engine, result):
    log = tmp_path / "log"

    def record(_n):
        with log.open("a") as file:
            file.write("x")
        return result

    cached = Cache(record, engine=engine)
    assert [cached(1), cached(1), cached(1)] == [result] * 3
    assert log.read_text() == "x"


@pytest.mark.parametrize("engine", ENGINES)
def test_errors_arrive_and_are_not_remembered(tmp_path, engine):
    log = tmp_path / "log"

    class OwnError(Exception):
        def __init__(self, code):
            super().__init__(f"code {code}")
            self.code = code

    @Cache(engine=engine)
    def fail(n):
        with log.open("a") as file:
            file.write("x")
        raise OwnError(n)

    for _ in range(2):
        with pytest.raises(OwnError, match=r"^code 7$") as caught:
            fail(7)
        assert caught.value.code == 7
    assert log.read_text() == "xx"
    assert fail.cache_info().currsize == 0


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_errors_that_end_programs_reach_the_caller(kind):
    def fail():
        raise kind("from there")

    cached = Cache(fail)
    with pytest.raises(kind, match="from there"):
        cached()
    assert Cache(abs)(-3) == 3


def test_the_cause_shows_the_worker():
    @Cache
    def outer(n):
        return 1 // n

    with pytest.raises(ZeroDivisionError) as caught:
        outer(0)
    assert "return 1 // n" in str(caught.value.__cause__)


def test_a_result_that_cannot_travel_is_explained():
    cached = Cache(lambda: threading.Lock())  # noqa: PLW0108 -- a function of Python, as users write
    with pytest.raises(TypeError, match="lock"):
        cached()


def test_a_result_that_cannot_travel_is_of_use_inside_a_worker():
    @Cache
    def make(n):
        return lambda: threading.Lock() and n

    @Cache
    def held(n):
        lock = guard(n)
        with lock:
            return n

    @Cache
    def guard(n):
        return threading.Lock()

    assert held(3) == 3
    assert make(4)() == 4


def test_values_larger_than_a_pipe():
    @Cache
    def repeat(data, n):
        return data * n

    data = b"x" * 3_000_000
    assert repeat(data, 5) == data * 5


def test_classes_of_the_program_keep_their_identity():
    class Point:
        def __init__(self, x):
            self.x = x

        def __hash__(self):
            return hash(self.x)

        def __eq__(self, other):
            return isinstance(other, Point) and self.x == other.x

    mirror = Cache(lambda point: Point(-point.x) if isinstance(point, Point) else None)
    assert type(mirror(Point(3))) is Point
    assert mirror(Point(3)) == Point(-3)


# The face of functools -----------------------------------------------------------------------------


def test_it_looks_like_the_function():
    def power(base: int, exponent: int = 2) -> int:
        """Raise."""
        return base**exponent

    power.colour = "red"
    cached = Cache(power)
    assert cached.__wrapped__ is power
    assert (cached.__name__, cached.__doc__, cached.__module__) == ("power", "Raise.", __name__)
    assert cached.__qualname__ == power.__qualname__
    assert cached.colour == "red"
    import inspect

    assert inspect.signature(cached) == inspect.signature(power)
    assert repr(cached).startswith("<Cache of ")


def test_info_clear_and_parameters_are_those_of_functools():
    cached = Cache(lambda n: n + 1, maxsize=2)
    twin = functools.lru_cache(maxsize=2)(lambda n: n + 1)
    for n in (1, 2, 1, 3, 2, 1, 3):
        assert cached(n) == twin(n)
        assert tuple(cached.cache_info()) == tuple(twin.cache_info())
    assert cached.cache_parameters() == twin.cache_parameters()
    assert cached.cache_info()._fields == twin.cache_info()._fields
    cached.cache_clear()
    twin.cache_clear()
    assert tuple(cached.cache_info()) == tuple(twin.cache_info())


def test_a_memory_of_size_zero_remembers_nothing():
    cached = Cache(lambda n: n, maxsize=0, engine="serial")
    assert [cached(1), cached(1)] == [1, 1]
    assert tuple(cached.cache_info()) == (0, 2, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_clear_reaches_wherever_results_are(tmp_path, engine):
    source = tmp_path / "source"
    source.write_text("1")

    @Cache(engine=engine)
    def read(n):
        return int(source.read_text()) if n == 0 else read(n - 1) + 1

    assert read(3) == 4
    source.write_text("10")
    assert read(3) == 4
    read.cache_clear()
    assert read(3) == 13
    assert read(0) == 10


def test_clear_lets_workers_see_what_changed_around_the_function():
    namespace = {"offset": 1}
    exec("def shifted(n): return n + offset", namespace)
    shifted = Cache(namespace["shifted"])
    assert shifted(1) == 2
    namespace["offset"] = 10
    assert shifted(1) == 2
    shifted.cache_clear()
    assert shifted(1) == 11


# Names ---------------------------------------------------------------------------------------------


def test_a_name_that_still_holds_the_bare_function_is_fast_too():
    def slow(n):
        return 1 if n < 2 else slow(n - 1) + slow(n - 2)

    fast = Cache(slow)
    assert fast(90) == plain_fibonacci(90)


def test_a_global_that_was_rebound_after_wrapping():
    namespace = {"Cache": Cache}
    source = """
        def fib(n):
            return 1 if n < 2 else fib(n - 1) + fib(n - 2)
        fib = Cache(globals()["fib"])
    """
    exec(textwrap.dedent(source), namespace)
    assert namespace["fib"](90) == plain_fibonacci(90)


def test_two_caches_that_call_each_other():
    @Cache
    def even(n):
        return n == 0 or odd(n - 1)

    @Cache
    def odd(n):
        return n != 0 and even(n - 1)

    assert even(5001) is False
    assert odd(5001) is True


def test_methods_and_their_hints():
    class Tower:
        def __init__(self, base):
            self.base = base

        def __hash__(self):
            return hash(self.base)

        def __eq__(self, other):
            return type(other) is Tower and self.base == other.base

        @Cache
        def height(self, n):
            """Count."""
            if n == 0:
                return self.base
            self.height.apply_async(n - 1)
            self.height.batch_async((n - 1,), (n // 2,))
            return self.height(n - 1) + 1

    tower = Tower(10)
    assert tower.height(3000) == 3010
    assert Tower.height(tower, 3000) == 3010
    assert tower.height.cache_info()[:2] == (1, 1)
    tower.height.apply_async(7)
    tower.height.batch_async((8,), (9,))
    with pytest.raises(TypeError, match="write"):
        tower.height.batch_async(8)
    assert [tower.height(n) for n in (7, 8, 9)] == [17, 18, 19]
    assert Tower(1).height(2) == 3
    assert tower.height.__doc__ == "Count."


class Shapes:
    """Has Caches above and below what makes a class method or a static one."""

    side = 3

    @Cache
    @classmethod
    def scaled(cls, n):
        """Scale."""
        if n < 1:
            return cls.side
        cls.scaled.apply_async(n - 1)
        cls.scaled.batch_async((n - 1,), (n - 2,))
        mapped = [*cls.scaled.map([n - 1, 0])]
        return mapped[0] + cls.scaled(n - 1) - cls.scaled.submit(n=n - 1).result() + mapped[1]

    @Cache
    @staticmethod
    def square(n):
        if n < 1:
            return 0
        Shapes.square.batch_async((n - 1,), (n - 2,))
        (mapped,) = Shapes().square.map([n - 1])
        return mapped + Shapes.square.submit(n - 1).result() - Shapes().square(n - 1) + 2 * n - 1

    @staticmethod
    @Cache
    def cube(n):
        Shapes.cube.apply_async(n - 1)
        return 0 if n == 0 else Shapes.cube(n - 1) + 3 * n * (n - 1) + 1

    @Cache(engine="serial")
    @classmethod
    def named(cls, n):
        return cls.__name__ if n == 0 else cls.named(n - 1)


class Small(Shapes):
    side = 1


@pytest.mark.parametrize("local", [False, True])
def test_class_methods_and_their_hints(local):
    wide, small = Shapes, Small
    if local:

        class wide:  # noqa: N801 -- the same, in a class that is found nowhere else
            side = 3
            scaled = Cache(classmethod(Shapes.scaled.__func__.__wrapped__))

        class small(wide):  # noqa: N801 -- likewise
            side = 1

    assert [wide.scaled(9), small.scaled(9), wide().scaled(9)] == [30, 10, 30]
    wide.scaled.apply_async(10)
    small().scaled.batch_async((10,), (11,))
    assert [*wide.scaled.map([10, 11])] == [33, 36]
    assert [small.scaled.submit(n).result() for n in (10, 11)] == [11, 12]
    assert wide.scaled.__wrapped__(0) == 3
    assert wide.scaled.cache_info().currsize == 6
    assert wide.scaled.__doc__ == "Scale."


def test_static_methods_and_their_hints():
    assert Shapes.square(9) == Shapes().square(9) == 81
    assert [*Shapes.square.map([9, 10])] == [81, 100]
    assert Shapes.square.submit(n=3).result() == 9
    assert Shapes.cube(5) == Shapes().cube(5) == 125


def test_class_methods_where_names_mean_the_cache():
    assert [Shapes.named(9), Small.named(9), Small().named(3)] == ["Shapes", "Small", "Small"]


def test_a_class_method_below_another_engine_decorator_still_takes_calls():
    class Below:
        @classmethod
        @Cache(engine="serial")
        def name(cls, n):
            return cls.__name__ * n

    assert Below.name(2) == "BelowBelow"


def test_a_cache_of_a_class_method_that_is_in_no_class():
    named = Cache(classmethod(lambda cls, n: cls.__name__ * n), engine="serial")
    assert named(int, 2) == "intint"
    with pytest.raises(TypeError, match="use Buffer"):
        Cache(staticmethod(lambda: (yield)))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_class_methods_of_a_program_and_their_hints(run_program, method):
    done = run_program(
        """
        import multiprocessing, sys
        from pyspeedup.concurrent import Cache

        class Wide:
            side = 3
            @Cache
            @classmethod
            def scaled(cls, n):
                cls.scaled.batch_async((n - 1,), (n - 2,))
                return cls.side if n < 1 else cls.scaled(n - 1) + cls.side
            @Cache
            @staticmethod
            def count(n):
                Wide.count.batch_async((n - 1,), (n - 2,))
                return 0 if n < 1 else Wide.count(n - 1) + 1

        class Small(Wide):
            side = 1

        if __name__ == "__main__":
            multiprocessing.set_start_method(sys.argv[1])
            print([*Small.scaled.map([2000, 5])], Wide.scaled(2000), Wide().count(2000))
        """,
        method,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[2001, 6] 6003 2000\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """An importable module whose decorated function is also used by a function beside it."""
    name = f"imported_by_{os.getpid()}_{id(tmp_path)}"
    (tmp_path / f"{name}.py").write_text(
        textwrap.dedent("""
            from pyspeedup.concurrent import Cache

            @Cache
            def fibonacci(n):
                return 1 if n < 2 else previous(n) + fibonacci(n - 2)

            def previous(n):
                return fibonacci(n - 1)
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__(name)
    sys.modules.pop(name, None)


def test_a_decorated_function_of_an_imported_module(module):
    assert module.fibonacci(80) == plain_fibonacci(80)
    assert module.previous(80) == plain_fibonacci(79)


def test_recursion_goes_deep():
    @Cache
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    assert depth(10_000) == 10_000


def test_recursion_without_end_is_a_recursion_error():
    @Cache
    def endless(n):
        return endless(n)

    with pytest.raises(RecursionError):
        endless(1)
    assert Cache(abs)(-1) == 1


def test_a_function_that_uses_threads_and_the_cache_in_them():
    @Cache
    def square(n):
        return n * n

    @Cache
    def total(n):
        found = []
        threads = [threading.Thread(target=lambda m=m: found.append(square(m))) for m in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(found)

    assert total(5) == 30


# Who computes --------------------------------------------------------------------------------------


def test_calls_are_evaluated_elsewhere():
    assert Cache(os.getpid)() != os.getpid()
    assert Cache(os.getpid, engine="threads")() == os.getpid()
    assert Cache(threading.get_ident, engine="serial")() == threading.get_ident()


def test_thousands_of_calls_take_no_more_processes_than_workers():
    @Cache(workers=2)
    def who(n):
        return n, os.getpid()

    for n in range(5000):
        who.apply_async(n)
    answers = [who(n) for n in range(5000)]
    assert [n for n, _ in answers] == [*range(5000)]
    assert len({pid for _, pid in answers}) <= 2


def test_caches_share_their_workers():
    first, second = Cache(os.getpid, workers=1), Cache(lambda: os.getpid(), workers=1)  # noqa: PLW0108 -- another function
    assert first() == second()


def test_the_number_of_workers_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("PYSPEEDUP_WORKERS", "3")
    assert Processes().workers == Threads().workers == 3
    for wrong in ("0", "-1", "many"):
        monkeypatch.setenv("PYSPEEDUP_WORKERS", wrong)
        with pytest.raises(ValueError, match="PYSPEEDUP_WORKERS.*" + wrong):
            Processes()


def test_an_engine_object_is_taken_as_it_is():
    with Processes(workers=1) as engine:
        assert Cache(lambda n: n + 1, engine=engine)(1) == 2
    with pytest.raises(RuntimeError, match="closed"):
        Cache(lambda n: n + 1, engine=engine)(1)
    assert Cache(lambda n: n + 1, engine=Serial())(1) == 2


def test_closing_shared_engines_loses_no_result():
    square = Cache(lambda n: n * n)
    assert square(3) == 9
    close_shared_engines()
    assert square(3) == 9
    assert square(4) == 16


def test_threads_that_ask_for_the_same_call_have_it_computed_once(tmp_path):
    log = tmp_path / "log"

    @Cache(workers=2)
    def record(n):
        with log.open("a") as file:
            file.write("x")
        return n * n

    barrier, answers = threading.Barrier(8), []

    def ask():
        barrier.wait()
        answers.append(record(12))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [144] * 8
    assert log.read_text() == "x"


def test_threads_wait_at_the_same_time():
    meeting = threading.Barrier(4, timeout=60)

    @Cache(engine="threads", workers=4)
    def meet(n):
        if n == 0:
            meet.batch_async((1,), (2,), (3,), (4,))
            return sum(meet(m) for m in (1, 2, 3))
        meeting.wait()
        return n

    # Three hints run beside the caller only if the pool's idle threads take them.
    meet.batch_async((1,), (2,), (3,), (4,))
    assert [meet(n) for n in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_what_is_printed_comes_out_once_and_in_order(capfd):
    @Cache
    def speak(n):
        print("speaking", n)
        return n

    print("before", flush=True)
    assert [speak(1), speak(2), speak(1)] == [1, 2, 1]
    print("after", flush=True)
    assert capfd.readouterr().out.split() == ["before", "speaking", "1", "speaking", "2", "after"]


# Workers that die ----------------------------------------------------------------------------------


def test_a_killed_worker_is_replaced_and_its_call_begun_again(tmp_path):
    mark = tmp_path / "mark"

    @Cache
    def survive(n):
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return n + 1

    assert survive(1) == 2


def test_a_call_that_kills_its_workers_is_a_worker_error():
    @Cache(workers=2)
    def die(n):
        os.kill(os.getpid(), signal.SIGKILL)

    bystander = Cache(lambda n: n * n, workers=2)
    for n in range(50):
        bystander.apply_async(n)
    with pytest.raises(WorkerError, match="signal 9") as caught:
        die(1)
    assert caught.value.exitcode == -signal.SIGKILL
    assert caught.value.pid not in (None, os.getpid())
    assert [bystander(n) for n in range(50)] == [n * n for n in range(50)]


def test_a_worker_that_exits_is_named_with_its_code():
    with pytest.raises(WorkerError, match="code 7") as caught:
        Cache(lambda: os._exit(7))()
    assert caught.value.exitcode == 7


def test_a_forked_process_has_workers_of_its_own():
    square = Cache(lambda n: (n * n, os.getppid()))
    assert square(3) == (9, os.getpid())
    pid = os.fork()
    if pid == 0:
        right = square(4) == (16, os.getpid()) and square(3)[0] == 9
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert square(5) == (25, os.getpid())


# Bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [3, None, "f"])
def test_only_functions_are_taken(wrong):
    with pytest.raises(TypeError, match="needs a function"):
        Cache(wrong)


def test_generators_are_sent_to_buffer():
    def count():
        yield 1

    async def later():
        return 1

    with pytest.raises(TypeError, match="use Buffer"):
        Cache(count)
    with pytest.raises(TypeError, match="asynchronous"):
        Cache(later)
    with pytest.raises(TypeError, match="partial is a generator"):
        Cache(functools.partial(count))
    with pytest.raises(TypeError, match="partial is asynchronous"):
        Cache(functools.partial(later))


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"engine": "procesess"}, UnknownNameError, "did you mean 'processes'"),
        ({"engine": 3}, TypeError, "engine must be .* not 3"),
        ({"engine": Serial(), "workers": 2}, ValueError, "workers=2"),
        ({"engine": "serial", "workers": 3}, ValueError, "workers=3 is not for .*'serial'"),
        ({"workers": 0}, ValueError, "workers must be at least 1, not 0"),
        ({"workers": "two"}, TypeError, "workers must be an int, not 'two'"),
        ({"maxsize": -1}, ValueError, "maxsize .* not -1"),
        ({"maxsize": 1.5}, TypeError, "maxsize .* not 1.5"),
        ({"maxsize": 1, "store": {}}, ValueError, "exclude each other"),
        ({"store": []}, TypeError, r"store must be a MutableMapping, .* not \[\]"),
    ],
)
def test_bad_options_are_named(options, kind, words):
    with pytest.raises(kind, match=words):
        Cache(abs, **options)


class Adds:
    """A callable without a name of its own."""

    def __init__(self, n):
        self.n = n

    def __call__(self, m):
        return self.n + m


@pytest.mark.parametrize("engine", ["processes", "threads", "serial"])
@pytest.mark.parametrize("function", [functools.partial(pow, 2), Adds(27)], ids=["partial", "own"])
def test_a_callable_without_a_name_is_called_by_that_of_its_class(function, engine):
    cached, kept = Cache(function, engine=engine), Cache(function, engine=engine, store={})
    assert cached.__name__ == type(function).__name__
    for _ in range(2):
        assert cached(5) == kept(5) == 32
    both = Cache(lambda n: cached(n) + 1, engine=engine)
    assert both(5) == 33


def test_a_function_that_cannot_travel_is_explained():
    lock = threading.Lock()

    def guarded(n):
        with lock:
            return n

    cached = Cache(guarded)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"guarded.*'lock'"):
            cached(1)


def test_an_argument_that_cannot_travel_is_explained():
    with pytest.raises(TypeError, match="the arguments of"):
        Cache(lambda lock: 1)(threading.Lock())


# Stores and copies ---------------------------------------------------------------------------------


def test_a_store_keeps_results_for_the_next_cache(tmp_path):
    store, log = {}, tmp_path / "log"

    def square(n):
        with log.open("a") as file:
            file.write("x")
        return n * n

    first = Cache(square, store=store)
    assert [first(3), first(4)] == [9, 16]
    second = Cache(square, store=store)
    assert [second(3), second(4)] == [9, 16]
    assert log.read_text() == "xx"
    assert second.cache_info().currsize == 2
    assert Cache(lambda n: -n, store=store)(3) == -3
    second.cache_clear()
    assert second.cache_info().currsize == 0
    assert len(store) == 1


def adding(n):
    return lambda m: n + m


@pytest.mark.parametrize(
    ("one", "other", "argument"),
    [
        (adding(3), adding(4), 5),
        (functools.partial(pow, 3), functools.partial(pow, 4), 5),
        (Adds(3), Adds(4), 5),
        (Adds(3).__call__, Adds(4).__call__, 5),
        ("a b".split, "b".split, "a"),
    ],
    ids=["closure", "partial", "own", "method", "builtin"],
)
def test_a_store_tells_apart_what_differs_in_the_values_it_brings_along(one, other, argument):
    store = {}
    for function in (one, other, one, other):
        assert Cache(function, engine="serial", store=store)(argument) == function(argument)
    assert len(store) == 2


def test_a_store_refuses_a_function_that_it_cannot_tell_apart():
    lock = threading.Lock()

    def guarded(n):
        with lock:
            return n

    with pytest.raises(TypeError, match=r"store cannot .*guarded.*lock"):
        Cache(guarded, engine="threads", store={})


def test_a_store_that_fails_is_heard_of():
    class Full(dict):
        def __setitem__(self, key, value):
            raise OSError("no space left")

    cached = Cache(abs, store=Full())
    with pytest.raises(OSError, match="no space left"):
        cached(-1)


def test_a_copy_is_the_same_cache():
    square = Cache(lambda n: n * n)
    assert copy.copy(square) is copy.deepcopy(square) is square
    assert pickle.loads(pickle.dumps(square)) is square


def test_a_cache_travels_into_the_functions_of_other_engines():
    square = Cache(lambda n: n * n, engine="serial")
    assert Cache(lambda n: square(n) + 1)(3) == 10


def test_it_is_a_plain_attribute_of_modules():
    module = types.ModuleType("somewhere")
    module.square = Cache(lambda n: n * n)
    assert module.square(3) == 9
