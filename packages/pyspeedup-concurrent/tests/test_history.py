import pytest
from pyspeedup.concurrent._caching.history import MOST_BYTES, MOST_SPANS, History
from pyspeedup.concurrent._caching.messages import Call, Done


def done(size, begun, waits=()):
    call = Call(1, 0, bytes(size))
    return Done(
        call, None, listening=True, read=0, begun=begun, ended=begun, tallies={}, waits=waits
    )


@pytest.mark.parametrize(("size", "waits"), [(0, 0), (100, 1), (1000, 0), (1000, 3), (10**6, 0)])
def test_a_history_is_bounded_in_number_and_in_bytes_and_keeps_the_last(size, waits):
    history = History()
    for begun in range(MOST_SPANS + 500):
        history.add(7, done(size, float(begun), [(0.5, 1.0)] * waits))
    kept = [*history._spans]
    assert len(kept) <= MOST_SPANS
    assert sum(len(span[1].arguments) for span in kept) == history._bytes <= MOST_BYTES
    calls = [span[3] for span in kept if span[2] != "wait"]
    assert calls == [*map(float, range(MOST_SPANS + 500))][-len(calls) :]
    assert len(kept) >= min(MOST_SPANS, MOST_BYTES // 1000) - 5
