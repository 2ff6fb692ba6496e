"""A store with a secret: keys that were made to collide do not, and all else is as without."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from array import array
from zlib import crc32

import behaviour_keys
import pytest
from colliding_texts import colliding_texts
from evictions import machine_with_evictions
from pyspeedup.core.cli import main
from pyspeedup.memory import DiskDict, DiskList, register_stable_hash
from pyspeedup.memory._dict.hasher import Hasher
from pyspeedup.memory._dict.hashing import stable_hash
from pyspeedup.memory._storage.header import Header, decode_meta, encode_meta
from pyspeedup.memory._storage.volume import Volume
from pyspeedup.memory.testing import DiskDictMachine
from test_hashing import EQUAL_GROUPS, UNKNOWN, fresh_class, hashes_in_a_new_process

SECRET = bytes(range(16))
COUNT = 400
*TEXTS, ABSENT = colliding_texts(COUNT + 1)


class Keyed(DiskDict):
    """A dict that is always opened with a secret."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, keyed_hash=True, **options)


def secret_of(d):
    return d._content.volume.secret


def candidates(d, keys):
    """Return how many keys are compared while each of `keys` is looked up in the store alone."""
    index, log = d._content.items.keys, d._content.log
    compared = 0
    read = log.record

    def counted(entry):
        nonlocal compared
        compared += 1
        return read(entry)

    log.record = counted
    try:
        for key in keys:
            assert index.find(key) is not None
    finally:
        del log.record
    return compared


# ---- the hash ----------------------------------------------------------------------------------


def test_the_texts_were_made_to_collide():
    assert len(set(TEXTS)) == COUNT
    assert len({crc32(text.encode()) for text in TEXTS}) == 1


@pytest.mark.parametrize(
    "wrapped",
    [
        str,
        str.encode,
        lambda text: (1, text),
        lambda text: ((text,), None),
        lambda text: frozenset({text, 1}),
        lambda text: memoryview(text.encode()),
        lambda text: behaviour_keys.Raw(text.encode()),
        pathlib.PurePosixPath,
        lambda text: behaviour_keys.Named(1, 2, text),
        lambda text: type(text, (), {}),
    ],
    ids=[
        "str",
        "bytes",
        "tuple",
        "nested",
        "frozenset",
        "memoryview",
        "subclass",
        "path",
        "dataclass",
        "class",
    ],
)
def test_what_was_made_to_collide_does_not_wherever_it_occurs(wrapped):
    keys = list(map(wrapped, TEXTS[:60]))
    assert len(set(map(stable_hash, keys))) == 1, "the example is wrong"
    assert len(set(map(Hasher(SECRET).code, keys))) == len(keys)


def test_what_stands_for_a_key_is_hashed_with_the_secret():
    word = fresh_class()
    register_stable_hash(word, lambda key: key.text)
    code = Hasher(SECRET).code
    assert code(word("a")) == code("a") != stable_hash("a")
    assert code((word("a"), 1)) == code(("a", 1))


@pytest.mark.parametrize("group", EQUAL_GROUPS, ids=lambda group: repr(group[0])[:40])
def test_equal_keys_hash_equally(group):
    hashes = set(map(Hasher(SECRET).code, group))
    assert len(hashes) == 1
    assert 0 <= hashes.pop() < 2**32


@pytest.mark.parametrize("key", UNKNOWN[:-1], ids=lambda key: type(key).__name__)
def test_a_key_without_a_rule_has_none_here_either(key):
    assert Hasher(SECRET).code(key) is None


def test_another_secret_gives_other_hashes():
    texts = TEXTS[:50]
    one, other = Hasher(SECRET).codes(texts), Hasher(SECRET[::-1]).codes(texts)
    assert len({*one, *other}) == 100


def test_without_a_secret_it_is_the_stable_hash():
    keys = [key for group in EQUAL_GROUPS for key in group]
    assert list(map(Hasher().code, keys)) == list(map(stable_hash, keys))


@pytest.mark.parametrize("hasher", [Hasher(), Hasher(SECRET)], ids=["plain", "keyed"])
@pytest.mark.parametrize(
    "keys", [["a", "", "é"], ["a", "\ud800"], ["a", b"a", 1, ("a",)], [b"a", b""], []]
)
def test_hashes_of_many_are_those_of_each(hasher, keys):
    assert hasher.codes(keys).tolist() == list(map(hasher.code, keys))


KEYED_GOLDEN = {
    "1": 2654435769,
    "''": 1414736236,
    "'spam'": 2791533334,
    "b'spam'": 2791533334,
    "(1, 'a', None)": 1279991710,
    "PurePosixPath('a/b')": 3882771391,
    "loads": 1771793750,
}
"""What stores on disk were indexed by, with `SECRET`: a change here makes every one of them unreadable."""


@pytest.mark.parametrize("seed", ["0", "4294967295"])
def test_hashes_are_the_same_in_every_process(seed):
    told = hashes_in_a_new_process(seed, code="Hasher(bytes(range(16))).code")
    assert {text: told[text] for text in KEYED_GOLDEN} == KEYED_GOLDEN


# ---- the store ---------------------------------------------------------------------------------


@pytest.mark.parametrize("keyed_hash", [False, True])
@pytest.mark.parametrize("size_limit", [4, 1024])
def test_keys_that_were_made_to_collide_are_all_found(tmp_path, keyed_hash, size_limit):
    with DiskDict("d", size_limit, 2, tmp_path, keyed_hash=keyed_hash) as d:
        d.update(zip(TEXTS, range(COUNT), strict=True))
    with DiskDict("d", size_limit, 2, tmp_path) as d:
        assert list(d.items()) == list(zip(TEXTS, range(COUNT), strict=True))
        assert [d[text] for text in TEXTS] == list(range(COUNT))
        assert ABSENT not in d
        for text in TEXTS[::2]:
            del d[text]
        d[TEXTS[0]] = "again"
        d._content.check()
        assert [text in d for text in TEXTS] == [True, *(n % 2 == 1 for n in range(1, COUNT))]


def test_a_look_up_compares_one_key_instead_of_all(tmp_path):
    compared = {}
    for keyed_hash in (False, True):
        with DiskDict(f"{keyed_hash}", 16, 2, tmp_path, keyed_hash=keyed_hash) as d:
            d.update(dict.fromkeys(TEXTS))
            d.sync()
            compared[keyed_hash] = candidates(d, TEXTS)
    assert compared[False] > COUNT * COUNT // 4
    assert COUNT <= compared[True] <= COUNT + 2


def test_each_store_has_a_secret_of_its_own(tmp_path):
    with Keyed("a", file_location=tmp_path) as a, Keyed("b", file_location=tmp_path) as b:
        assert len(secret_of(a)) == len(secret_of(b)) == 16
        assert secret_of(a) != secret_of(b)


def test_without_the_option_nothing_of_it_is_on_the_disk():
    store = {}
    with DiskDict("d", page_store=store) as d:
        d["a"] = 1
        assert secret_of(d) is None
    assert not any(b"secret" in data for data in store.values())


def test_a_header_without_a_secret_is_written_as_before_there_were_any():
    header = Header("i", "o", "dict", 4, {"name": "json"})
    fields = b'{"identity": "i", "origin": "o", "kind": "dict", "page_size": 4, "serializer": {"name": "json"}}'
    assert encode_meta(header, array("Q"), None).endswith(fields)
    for secret in ("", "00ff"):
        header = header._replace(secret=secret)
        assert decode_meta(encode_meta(header, array("Q"), None), "d")[0] == header


@pytest.mark.parametrize("size_limit", [2, 1024])
def test_what_is_recorded_counts_at_reopening(tmp_path, size_limit):
    with Keyed("d", size_limit, 2, tmp_path) as d:
        d["a"] = 1
        secret = secret_of(d)
    for keyed_hash in (False, True):
        with DiskDict("d", file_location=tmp_path, keyed_hash=keyed_hash) as d:
            assert secret_of(d) == secret
            assert d == {"a": 1}
    with DiskDict("d", file_location=tmp_path, readonly=True) as d:
        assert d["a"] == 1


def test_a_store_that_holds_nothing_yet_remembers_the_option(tmp_path):
    with Keyed("d", file_location=tmp_path) as d:
        secret = secret_of(d)
    with DiskDict("d", file_location=tmp_path) as d:
        assert secret_of(d) == secret


def test_a_store_made_without_refuses_the_option_and_stays_as_it_was(tmp_path):
    with DiskDict("d", file_location=tmp_path) as d:
        d["a"] = 1
        with pytest.raises(ValueError, match=r"d\.pyspeedup was made without keyed_hash=True"):
            Keyed("d", file_location=tmp_path)
        d["b"] = 2
    with pytest.raises(ValueError, match=r"made without keyed_hash=True.*copy its items"):
        Keyed("d", file_location=tmp_path)
    with DiskDict("d", file_location=tmp_path) as d:
        assert d == {"a": 1, "b": 2}


def test_a_second_handle_may_ask_for_what_the_store_has_or_leave_it_out(tmp_path):
    with Keyed("d", file_location=tmp_path) as d:
        for keyed_hash in (False, True):
            with DiskDict("d", file_location=tmp_path, keyed_hash=keyed_hash) as other:
                other["a"] = keyed_hash
        assert d == {"a": True}
    with DiskDict("d", file_location=tmp_path), DiskDict("d", file_location=tmp_path):
        pass


def test_a_list_has_no_keys(tmp_path):
    with pytest.raises(
        ValueError, match=r"keyed_hash=True is for the keys of a DiskDict.*DiskList"
    ):
        DiskList("l", file_location=tmp_path, keyed_hash=True)
    assert not list(tmp_path.iterdir())


def test_a_rollback_a_clear_and_a_compaction_keep_it():
    with Keyed("d", 4, 2, page_store={}) as d:
        d.update(dict.fromkeys(TEXTS[:40], 1))
        with pytest.raises(KeyError), d.transaction():
            d["a"] = d["absent"]
        d._content.compact()
        assert [d[text] for text in TEXTS[:40]] == [1] * 40
        d.clear()
        d.update(dict.fromkeys(TEXTS))
        d.sync()
        assert candidates(d, TEXTS) <= COUNT + 2
        d._content.check()


@pytest.mark.parametrize("page_store", ["file", "sqlite", {}])
def test_a_backup_finds_its_keys_and_goes_on_with_the_same_secret(tmp_path, page_store):
    with Keyed("d", 4, 2, tmp_path, page_store=page_store) as d:
        d.update(dict.fromkeys(TEXTS[:40], 1))
        d.backup(tmp_path / "safe")
        secret = secret_of(d)
    with DiskDict("d", file_location=tmp_path / "safe") as copy:
        assert secret_of(copy) == secret
        assert [copy[text] for text in TEXTS[:40]] == [1] * 40
        copy["new"] = 2
        copy._content.check()


def test_a_journal_is_taken_up_with_it(tmp_path):
    script = (
        "import os, sys\n"
        "from pyspeedup.memory import DiskDict\n"
        "d = DiskDict('d', 4, 2, sys.argv[1], journal=True, keyed_hash=True)\n"
        "d.update({str(n): n for n in range(30)})\n"
        "d['after'] = 1\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert killed.returncode == -9
    with DiskDict("d", file_location=tmp_path) as d:
        assert secret_of(d)
        assert d == {**{str(n): n for n in range(30)}, "after": 1}
        d._content.check()


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import behaviour_keys
from pyspeedup.memory import DiskDict
with DiskDict("keys", 4, 2, sys.argv[2], keyed_hash=sys.argv[3] == "write") as d:
    print(getattr(behaviour_keys, sys.argv[3])(d))
"""


def test_keys_of_all_types_are_found_again_whatever_the_hash_seed(tmp_path):
    counts = []
    for seed, name in enumerate(["write", "read", "delete_every_other", "read_the_rest"]):
        finished = subprocess.run(
            [sys.executable, "-c", PROGRAM, pathlib.Path(__file__).parent, tmp_path, name],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        counts.append(int(finished.stdout))
    keys = len(behaviour_keys.make_keys())
    assert counts == [keys, keys, keys // 2, keys // 2]
    with DiskDict("keys", file_location=tmp_path, trust=True, readonly=True) as d:
        assert secret_of(d)


def test_a_volume_that_is_no_dict_has_no_secret_unless_it_is_told_to():
    assert Volume({}, kind="list", page_size=4).secret is None
    assert len(Volume({}, kind="dict", page_size=4, keyed_hash=True).secret) == 16


# ---- commands ----------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["plain", "keyed"])
def store(request, tmp_path):
    with DiskDict("d", 4, 2, tmp_path, keyed_hash=request.param) as d:
        d.update(zip(TEXTS[:40], range(40), strict=True))
    return tmp_path / "d.pyspeedup", request.param


def run(capsys, *arguments):
    status = main(list(map(str, arguments)))
    assert status == 0, capsys.readouterr().err
    return capsys.readouterr().out


def info(capsys, folder):
    return json.loads(run(capsys, "info", "--json", folder))


def test_info_tells_of_it_and_not_the_secret(store, capsys):
    folder, is_keyed = store
    assert info(capsys, folder)["keyed hash"] is is_keyed
    text = run(capsys, "info", folder)
    (line,) = (line for line in text.splitlines() if line.startswith("keyed hash"))
    assert line.split()[-1] == ("yes" if is_keyed else "no")
    with DiskDict("d", file_location=folder.parent) as d:
        assert secret_of(d) is None or secret_of(d).hex() not in text
    with DiskList("l", file_location=folder.parent):
        pass
    assert info(capsys, folder.parent / "l.pyspeedup")["keyed hash"] is None


@pytest.mark.parametrize("command", ["compact", "repair", "backup"])
def test_a_store_that_is_written_anew_keeps_it(store, capsys, command):
    folder, is_keyed = store
    made = {
        "compact": folder,
        "repair": folder.parent / "d repaired.pyspeedup",
        "backup": folder.parent / "safe" / "d.pyspeedup",
    }[command]
    run(capsys, command, folder, *([folder.parent / "safe"] if command == "backup" else []))
    assert info(capsys, made)["keyed hash"] is is_keyed
    with DiskDict(made.stem, file_location=made.parent) as d:
        assert dict(d.items()) == dict(zip(TEXTS[:40], range(40), strict=True))
        assert [d[text] for text in TEXTS[:40]] == list(range(40))


def test_what_was_exported_is_imported_with_it_or_without(store, capsys, tmp_path):
    folder, _ = store
    lines = tmp_path / "d.jsonl"
    run(capsys, "export", folder, "-o", lines)
    for option in ([], ["--keyed-hash"]):
        run(capsys, "import", lines, folder, "--force", *option)
        assert info(capsys, folder)["keyed hash"] is bool(option)
    run(capsys, "import", lines, folder, "--append")
    assert info(capsys, folder)["items"] == 40


def test_appending_does_not_make_a_plain_store_a_keyed_one(tmp_path, capsys):
    lines = tmp_path / "d.jsonl"
    lines.write_text('{"key":"b","value":2}\n', encoding="utf-8")
    with DiskDict("d", file_location=tmp_path) as d:
        d["a"] = 1
    there = tmp_path / "d.pyspeedup"
    assert main(["import", str(lines), str(there), "--append", "--keyed-hash"]) != 0
    assert "made without keyed_hash=True" in capsys.readouterr().err
    assert info(capsys, there)["items"] == 1


# ---- at random ---------------------------------------------------------------------------------


class WithASecret(DiskDictMachine):
    structure = Keyed
    page_size = 2
    max_pages = 2


TestWithASecret = machine_with_evictions(WithASecret)
