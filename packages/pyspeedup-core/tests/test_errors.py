"""Each error is also the built-in that a caller would catch, and travels whole."""

from __future__ import annotations

import copy
import pickle

import pytest
from pyspeedup.core import errors

BUILT_INS = {
    errors.PluginError: RuntimeError,
    errors.UnknownNameError: LookupError,
    errors.DuplicateNameError: ValueError,
    errors.SerializationError: ValueError,
    errors.StoreError: OSError,
    errors.StoreCorruptedError: errors.StoreError,
    errors.StoreLockedError: errors.StoreError,
    errors.UntrustedStoreError: errors.StoreError,
    errors.WorkerError: RuntimeError,
}


@pytest.mark.parametrize("error", BUILT_INS)
def test_an_error_is_ours_and_the_built_in(error):
    assert issubclass(error, errors.PyspeedupError)
    assert issubclass(error, BUILT_INS[error])


def test_every_error_is_in_the_table_and_drawn_in_the_docstring():
    others = {"PyspeedupError", "PluginWarning"}
    assert {error.__name__ for error in BUILT_INS} | others == set(errors.__all__)
    assert all(name in errors.__doc__ for name in errors.__all__)


@pytest.mark.parametrize("error", BUILT_INS)
@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_travels_with_its_message(error, travel):
    arrived = travel(error("what happened"))
    assert type(arrived) is error
    assert str(arrived) == "what happened"


@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_numbers_travel_too(travel):
    locked = travel(errors.StoreLockedError("in use", pid=4711))
    assert (locked.pid, str(locked)) == (4711, "in use")
    died = travel(errors.WorkerError("killed", pid=4711, exitcode=-9))
    assert (died.pid, died.exitcode, str(died)) == (4711, -9, "killed")


def test_what_is_unknown_about_a_process_is_none():
    assert errors.StoreLockedError("in use").pid is None
    assert (errors.WorkerError("gone").pid, errors.WorkerError("gone").exitcode) == (None, None)


def test_a_plugin_that_is_left_out_is_a_warning():
    assert issubclass(errors.PluginWarning, RuntimeWarning)
