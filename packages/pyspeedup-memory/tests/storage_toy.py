"""A structure of one number a page: the least that can sit on a volume and in a handle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pyspeedup.memory._content import Content
from pyspeedup.memory._handle import Handle


class ToyContent(Content):
    """Keys of str, each with a value in a page of its own; changes wait in RAM for `write_back`."""

    kind = "toy"

    def __init__(self, volume, *, max_pages, ram_limit, sync_every):
        super().__init__(volume, max_pages=max_pages, ram_limit=ram_limit, sync_every=sync_every)
        self.flushes = 0
        self.restart()

    def restart(self):
        self.pages = json.loads(self.volume.state or b"{}")
        self.values = {}

    def write_back(self, *, leave_out_refused=False):
        self.flushes += 1
        for key, value in list(self.values.items()):
            data = self.volume.serializer.dumps(value)
            if key not in self.pages:
                self.pages[key] = self.volume.append(data)
            elif self.volume.read(self.pages[key]) != data:
                self.volume.write(self.pages[key], data)
            del self.values[key]
        return json.dumps(self.pages).encode()

    def get(self, key):
        if key not in self.values:
            self.values[key] = self.volume.serializer.loads(self.volume.read(self.pages[key]))
        return self.values[key]

    def set(self, key, value):
        self.require_writable()
        self.values[key] = value
        self.changed()

    def all_keys(self):
        return [*self.pages, *(key for key in self.values if key not in self.pages)]


class OtherContent(ToyContent):
    """The same under another name."""

    kind = "other"


class Toy(Handle[ToyContent]):
    """A handle on it."""

    content_class = ToyContent

    def __getitem__(self, key):
        with self._content.lock:
            return self._content.get(key)

    def __setitem__(self, key, value):
        with self._content.lock:
            self._content.set(key, value)

    def content(self):
        with self._content.lock:
            return {key: self._content.get(key) for key in self._content.all_keys()}


class Other(Toy):
    """A handle on a structure of another kind."""

    content_class = OtherContent


def start(script, *arguments):
    """Start another interpreter on `script`, which can import this module; its output is piped."""
    folder = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": folder},
    )


def run(script, *arguments):
    """Run `script` to its end and return what it printed; it must end well."""
    with start(script, *arguments) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert not errors, errors
    return output.strip()
