import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.concurrent._processes.remote_error import RemoteTraceback, box, unbox
from pyspeedup.core import WorkerError


class PlainError(Exception):
    pass


class TwoArgumentsError(Exception):
    def __init__(self, name, code):
        super().__init__(f"{name} failed with {code}")
        self.name = name
        self.code = code


class DecoratedError(Exception):
    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code


class LockedError(Exception):
    def __init__(self):
        super().__init__("held")
        self.lock = threading.Lock()


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def raised(error):
    def fail():
        raise error

    with pytest.raises(BaseException, check=lambda found: found is error) as caught:
        fail()
    return caught.value


@given(
    st.sampled_from(
        [ValueError, KeyError, PlainError, KeyboardInterrupt, SystemExit, StopIteration]
    ),
    st.lists(st.one_of(st.integers(), st.text(), st.none())),
)
def test_type_and_arguments_arrive(kind, args):
    arrived = unbox(box(raised(kind(*args))))
    assert type(arrived) is kind
    assert arrived.args == tuple(args)


def test_attributes_and_notes_arrive():
    error = PlainError("spam")
    error.detail = {"a": 1}
    error.add_note("look here")
    arrived = unbox(box(raised(error)))
    assert arrived.detail == {"a": 1}
    assert arrived.__notes__ == ["look here"]


def test_cause_shows_the_line_that_raised():
    def innermost():
        raise PlainError("spam")

    try:
        innermost()
    except PlainError as error:
        arrived = unbox(box(error))
    assert isinstance(arrived.__cause__, RemoteTraceback)
    assert 'raise PlainError("spam")' in str(arrived.__cause__)
    assert "in innermost" in str(arrived.__cause__)


def test_cause_shows_the_causes_there():
    try:
        try:
            {}["missing"]
        except KeyError as error:
            raise PlainError("no such thing") from error
    except PlainError as error:
        arrived = unbox(box(error))
    assert "KeyError: 'missing'" in str(arrived.__cause__)


@pytest.mark.parametrize(
    "error",
    [
        TwoArgumentsError("spam", 3),
        DecoratedError(5),
        OSError(2, "gone", "/nowhere"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        ImportError("x", name="y"),
    ],
)
def test_awkward_constructors_do_not_change_the_error(error):
    arrived = unbox(box(raised(error)))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.args == error.args
    assert vars(arrived).items() >= vars(error).items()


def test_an_exception_that_cannot_be_pickled_is_shown():
    arrived = unbox(box(raised(LockedError())))
    assert type(arrived) is WorkerError
    assert "LockedError: held" in str(arrived)
    assert "raised" in str(arrived.__cause__)


def test_an_exception_whose_text_fails_still_travels():
    assert type(unbox(box(raised(MuteError())))) is MuteError


def test_local_classes_keep_their_identity():
    class LocalError(Exception):
        pass

    assert type(unbox(box(raised(LocalError("x"))))) is LocalError


def test_a_deep_recursion_is_cut_to_the_frames_near_the_error():
    def deep(n):
        return deep(n - 1) if n else 1 // 0

    try:
        deep(400)
    except ZeroDivisionError as error:
        text = str(unbox(box(error)).__cause__)
    assert "1 // 0" in text
    assert text.count("\n") < 400
