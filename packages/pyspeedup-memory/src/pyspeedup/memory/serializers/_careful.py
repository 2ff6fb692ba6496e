"""Reads a pickle by the opcodes that ours consist of, none of which sets an attribute or finds a class."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, ClassVar

from pyspeedup.memory.serializers import _plain
from pyspeedup.memory.serializers._plain import Maker

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Mapping

__all__ = ["CarefulUnpickler"]

PERMITTED = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.LONG4),
    *(pickle.SHORT_BINUNICODE, pickle.BINUNICODE, pickle.BINUNICODE8),
    *(pickle.SHORT_BINBYTES, pickle.BINBYTES, pickle.BINBYTES8, pickle.BYTEARRAY8),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS),
    *(pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS),
    *(pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET),
    *(pickle.MEMOIZE, pickle.BINGET, pickle.LONG_BINGET),
    *(pickle.STACK_GLOBAL, pickle.REDUCE),
)
"""What pickle writes in protocol 5 for plain containers and calls. BUILD, NEWOBJ, INST, OBJ, EXT and
all text opcodes are not among them."""


class CarefulUnpickler(pickle._Unpickler):  # noqa: SLF001 -- the one in C cannot be told to refuse an opcode
    r"""Calls nothing but `makers`, and fills nothing but plain containers.

    Slower than the C one by five times and more, so it is for pickles that need it.

    >>> import io
    >>> data = b"\x80\x05]\x94(K\x01K\x02e."
    >>> CarefulUnpickler(io.BytesIO(data), {}).load()
    [1, 2]
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {}

    def __init__(self, file: io.BytesIO, makers: Mapping[str, Maker]) -> None:
        """Read `file`, in which a name is one of `makers`."""
        super().__init__(file)
        self._makers = makers

    def find_class(self, module: str, name: str, /) -> Maker:
        """Return a maker; `UnpicklingError` for any other name."""
        if module != _plain.__name__ or name not in self._makers:
            raise pickle.UnpicklingError(f"a safe pickle does not name {f'{module}.{name}'!r:.100}")
        return self._makers[name]


def _refused(code: int) -> Callable[[Any], None]:
    def refuse(_unpickler: Any) -> None:
        raise pickle.UnpicklingError(f"a safe pickle has no opcode {bytes([code])!r}")

    return refuse


def _on(kind: type, place: int | None, opcode: bytes) -> Callable[[Any], None]:
    """Return the handler of `opcode`, for a `kind` at `place` on the stack; None: below the mark."""
    handler: Callable[[Any], None] = pickle._Unpickler.dispatch[opcode[0]]  # noqa: SLF001 -- as above

    def handle(unpickler: Any) -> None:
        target = unpickler.metastack[-1][-1] if place is None else unpickler.stack[place]
        if type(target) is not kind:
            raise pickle.UnpicklingError(f"a safe pickle does not change a {type(target)!r}")
        handler(unpickler)

    return handle


CarefulUnpickler.dispatch.update(
    {code: _refused(code) for code in range(256)}
    | {code[0]: pickle._Unpickler.dispatch[code[0]] for code in PERMITTED}  # noqa: SLF001 -- as above
    | {
        pickle.REDUCE[0]: _on(Maker, -2, pickle.REDUCE),
        pickle.APPEND[0]: _on(list, -2, pickle.APPEND),
        pickle.APPENDS[0]: _on(list, None, pickle.APPENDS),
        pickle.SETITEM[0]: _on(dict, -3, pickle.SETITEM),
        pickle.SETITEMS[0]: _on(dict, None, pickle.SETITEMS),
        pickle.ADDITEMS[0]: _on(set, None, pickle.ADDITEMS),
    }
)
