"""Serializers that memory brings, beside the default of core, which is pickle.

- `SafePickleSerializer`: pickles that can make plain types, and the classes that you allow.
- `JsonSerializer`, `MsgpackSerializer`: plain data, readable from any language.
- `compressed`, `signed`: around any other serializer, and around each other.

>>> from pyspeedup.memory.serializers import SafePickleSerializer, compressed, signed
>>> serializer = signed(compressed(SafePickleSerializer()), key=b"32 bytes from secrets.token_bytes")
>>> serializer.loads(serializer.dumps({"a": (1, 2.5)}))
{'a': (1, 2.5)}
"""

from __future__ import annotations

from pyspeedup.memory.serializers._compressed import CompressedSerializer, compressed
from pyspeedup.memory.serializers._json import JsonSerializer
from pyspeedup.memory.serializers._msgpack import MsgpackSerializer
from pyspeedup.memory.serializers._safe_pickle import SafePickleSerializer
from pyspeedup.memory.serializers._signed import SignedSerializer, signed

__all__ = [
    "CompressedSerializer",
    "JsonSerializer",
    "MsgpackSerializer",
    "SafePickleSerializer",
    "SignedSerializer",
    "compressed",
    "signed",
]
