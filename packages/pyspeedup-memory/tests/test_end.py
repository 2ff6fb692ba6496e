"""What is saved when nobody closes a store, and one value can no longer be written."""

import os
import subprocess
import sys

import pytest
from pyspeedup.memory import DiskDict, DiskList

PROGRAMS = {
    "dict": """
from pyspeedup.memory import DiskDict
store = DiskDict("things", 2, 1, folder)
store["spoilt"], store["kept"] = [1], [2]
store.sync()
store["spoilt"].append(lambda: 0)
store["kept"].append(3)
store["new"] = 4
""",
    "list": """
from pyspeedup.memory import DiskList
store = DiskList("things", 2, 1, folder)
store.extend([[1], [2]])
store.sync()
store[0].append(lambda: 0)
store[1].append(3)
store.append(4)
""",
}
ENDINGS = {"exit": "", "garbage collection": "del store", "with": "with store: pass"}


def run(program, ending, folder):
    return subprocess.run(
        [sys.executable, "-c", f"folder = {str(folder)!r}\n{program}{ending}\n"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_spoilt_value_of_a_dict_does_not_keep_the_others_from_being_saved(tmp_path, ending):
    result = run(PROGRAMS["dict"], ENDINGS[ending], tmp_path)
    assert "'spoilt' was changed in place and cannot be written" in result.stderr
    with DiskDict("things", file_location=tmp_path) as reopened:
        assert reopened == {"spoilt": [1], "kept": [2, 3], "new": 4}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_spoilt_item_of_a_list_does_not_keep_the_others_from_being_saved(tmp_path, ending):
    result = run(PROGRAMS["list"], ENDINGS[ending], tmp_path)
    assert "was changed in place and cannot be written" in result.stderr
    with DiskList("things", file_location=tmp_path) as reopened:
        assert reopened == [[1], [2, 3], 4]


def test_a_sync_that_is_refused_commits_nothing_and_can_be_repeated(tmp_path):
    with DiskDict("things", file_location=tmp_path) as store:
        store["spoilt"] = [1]
        store.sync()
        store["spoilt"].append(lambda: 0)
        store["new"] = 2
        with pytest.raises(ValueError, match="spoilt"):
            store.sync()
        store["spoilt"].pop()
    with DiskDict("things", file_location=tmp_path) as reopened:
        assert reopened == {"spoilt": [1], "new": 2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("structure", [DiskDict, DiskList])
def test_a_fork_after_a_close_touches_no_descriptor_of_others(tmp_path, structure):
    """A closed handle's numbers may belong to somebody else by then."""
    closed = structure("things", file_location=tmp_path)
    closed.close()
    pipes = [os.pipe() for _ in range(5)]
    child = os.fork()
    if child == 0:
        try:
            for number in (number for pipe in pipes for number in pipe):
                os.fstat(number)
        except OSError:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for number in (number for pipe in pipes for number in pipe):
        os.close(number)
    assert closed.closed
