"""The default serializer keeps the contract, and its bytes stay what they are."""

from __future__ import annotations

import pickle

import pytest
from pyspeedup.core import PickleSerializer, SerializationError
from pyspeedup.core.testing import SerializerContract


class TestPickleSerializer(SerializerContract):
    def make_serializer(self):
        return PickleSerializer()


class Unwritable:
    def __reduce__(self):
        raise RuntimeError("made of glass")


class Unreadable:
    def __reduce__(self):
        return (int, ("not a number",))


def test_bytes_are_of_the_protocol_that_every_supported_python_reads():
    assert PickleSerializer().dumps([1])[:2] == b"\x80\x05"
    assert pickle.loads(PickleSerializer().dumps([1])) == [1]


def test_a_refusal_names_the_type_and_chains_the_cause():
    with pytest.raises(SerializationError, match=r"type Unwritable.*made of glass") as caught:
        PickleSerializer().dumps(Unwritable())
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_bytes_that_cannot_be_read_name_the_reason():
    data = PickleSerializer().dumps(Unreadable())
    with pytest.raises(SerializationError, match=r"ValueError: invalid literal") as caught:
        PickleSerializer().loads(data)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_class_that_is_gone_is_named():
    with pytest.raises(SerializationError, match="no_such_module"):
        PickleSerializer().loads(b"\x80\x05cno_such_module\nThing\n.")


def test_deep_recursion_is_a_serialization_error():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(SerializationError, match="list"):
        PickleSerializer().dumps(nested)
    while nested:
        nested = nested.pop()
