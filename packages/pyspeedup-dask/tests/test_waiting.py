import random
import sys

import cloudpickle
import pytest
from pyspeedup.concurrent import Cache

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def test_a_chain_far_longer_than_there_are_threads(make_engine):
    @Cache(engine=make_engine(threshold=0))
    def depth(n):
        return 0 if n == 0 else depth(n - 1) + 1

    assert depth.submit(40).result(PATIENCE) == 40


@pytest.mark.parametrize("seed", range(3))
def test_shared_parts_of_any_shape_are_answered(make_engine, seed):
    choice = random.Random(seed)
    needs = {n: choice.sample(range(n), min(n, choice.randrange(5))) for n in range(40)}

    def plainly(n):
        if n not in known:
            known[n] = n + sum(map(plainly, needs[n])) % 1_000_003
        return known[n]

    known = {}
    engine = make_engine(threshold=0)

    @Cache(engine=engine)
    def value(n):
        value.batch_async(*((m,) for m in needs[n][1:]))
        return n + sum(value(m) for m in needs[n]) % 1_000_003

    value.batch_async(*((n,) for n in choice.sample(range(40), 10)))
    assert [value.submit(n).result(PATIENCE) for n in (39, 38, 20)] == [*map(plainly, (39, 38, 20))]


def test_a_call_that_needs_itself_ends_in_a_recursion_error(make_engine):
    @Cache(engine=make_engine(threshold=0))
    def itself(n):
        return itself(n) + 1

    with pytest.raises(RecursionError):
        itself.submit(1).result(PATIENCE)


def be_patient(seconds):
    from pyspeedup.dask import _waiting

    before, _waiting.PATIENCE = _waiting.PATIENCE, seconds
    return before


@pytest.fixture
def impatient_engine(make_engine):
    """An engine whose workers look for rings soon."""
    engine = make_engine(threshold=0)
    assert engine.workers == 2
    on_workers = engine._link._client.run
    before = on_workers(be_patient, 0.3)
    yield engine
    on_workers(be_patient, max(before.values()))


def test_calls_that_need_each_other_end_in_a_recursion_error(impatient_engine):
    @Cache(engine=impatient_engine)
    def ring(n):
        return ring((n + 1) % 3) + 1

    ring.batch_async((0,), (1,), (2,))
    with pytest.raises(RecursionError):
        ring.submit(0).result(PATIENCE)
