"""The bytes of a request: unpacked up to a limit, and cut into rows that are not yet read.

JSON as Python's `json` writes it is taken too: the bare words NaN, Infinity and -Infinity read as `math.inf`, which no
valid number is.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from core.error import WatchkeeperError

LARGEST = 64 * 2**20  # bytes, unpacked
DEEPEST = 64  # levels of arrays and objects
LONGEST_INTEGER = 310  # digits; a longer one is no float either

Kind = Literal["json", "ndjson"]

_OTHERS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_OTHERS_OF_LINES = _OTHERS.replace(b"\n", b"")  # the halves of a surrogate pair in two lines are no pair
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CHUNK = 2**20
_DEEP = f"the JSON is nested deeper than {DEEPEST} levels"
_array = msgspec.json.Decoder(list[msgspec.Raw])


class PayloadError(WatchkeeperError):
    """A body that cannot be read at all. `status` is the HTTP status: 400, or 413 where it is too large."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """A row whose JSON has been read by the tolerant reader, which takes everything that Python's `json` writes.

    `typed` is False if strings may hold lone surrogates, which msgspec accepts in some places and not in others.
    """

    value: object
    typed: bool = True


class Broken(msgspec.Struct, frozen=True, gc=False):
    """A row that cannot be read, and why."""

    reason: str


# A row: its JSON, or the value that was read from it.
Row = bytes | msgspec.Raw | Parsed | Broken


def unpack(body: bytes, encoding: str = "") -> bytes:
    """The body without its content encoding: `gzip`, `identity` or nothing. Never makes more than `LARGEST` bytes.

    PayloadError: 400 for a broken gzip, 413 for too many bytes, 415 for another encoding.
    """
    if encoding in {"", "identity"}:
        plain = body
    elif encoding in {"gzip", "x-gzip"}:
        plain = _gunzip(body)
    else:
        raise PayloadError(f"the content encoding {encoding[:40]!r} is not taken; send gzip or none", status=415)
    if len(plain) > LARGEST:
        raise PayloadError(f"the body is larger than {LARGEST >> 20} MiB", status=413)
    return plain


def cut(body: bytes, kind: Kind) -> Sequence[Row]:
    """The rows of a body: elements of a JSON array, one JSON object, or the lines of NDJSON that are not blank.

    PayloadError if there is nothing, or if JSON (not NDJSON, which loses only its broken lines) cannot be read.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body or body.isspace():
        raise PayloadError("the body is empty; send an array of events, [] if there are none")
    if kind == "ndjson":
        return _lines(body)
    if too_deep(body):
        raise PayloadError(_DEEP)
    if body.lstrip()[:1] != b"[":
        return _one(body)
    try:
        return _array.decode(body)
    except RecursionError:
        raise PayloadError(_DEEP) from None
    except (msgspec.DecodeError, UnicodeError):
        rows, typed = parse(body), _no_surrogates(body)
        return [Parsed(row, typed) for row in rows] if isinstance(rows, list) else [Parsed(rows, typed)]


def written(row: Row) -> bytes:
    """The JSON of a row. A value that only the tolerant reader takes is written as Python's `json` writes it, and reads back as the same."""
    if isinstance(row, Broken):
        raise PayloadError(row.reason)
    return json.dumps(row.value).encode() if isinstance(row, Parsed) else bytes(row)


def parse(text: bytes | msgspec.Raw) -> object:
    """The value of a JSON text, with infinite numbers as `math.inf`. PayloadError if it is not JSON."""
    try:
        return json.loads(bytes(text).decode(), parse_constant=_endless, parse_int=_integer)
    except RecursionError:
        raise PayloadError(_DEEP) from None
    except UnicodeDecodeError as error:
        raise PayloadError(f"not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise PayloadError(f"not JSON: {error}") from None


def too_deep(text: bytes) -> bool:
    """Whether a JSON text is nested deeper than `DEEPEST`, however much stack is left. Text that is not JSON is left to the parser."""
    if not _peeled(text):
        return False
    rest = _peeled(_STRING.sub(b"", text))
    return b"{}" in rest or b"[]" in rest


def _peeled(text: bytes, others: bytes = _OTHERS) -> bytes:
    """The brackets (and what else is not in `others`) that are left after `DEEPEST` levels were peeled off."""
    brackets = text.translate(None, others)
    for _ in range(DEEPEST):
        if (rest := brackets.replace(b"{}", b"").replace(b"[]", b"")) == brackets:
            break
        brackets = rest
    return brackets


def shallow(texts: Sequence[bytes]) -> Sequence[Row]:
    """The JSON texts as rows; those that are nested too deep become `Broken`."""
    if not _peeled(b"\n".join(texts), _OTHERS_OF_LINES).strip(b"\n"):
        return texts
    return [Broken(_DEEP) if too_deep(text) else text for text in texts]


def _lines(body: bytes) -> Sequence[Row]:
    return shallow([line for line in body.split(b"\n") if line and not line.isspace()])


def _one(body: bytes) -> Sequence[Row]:
    value = parse(body)
    if not isinstance(value, dict):
        raise PayloadError("the body is neither an array of events nor one event")
    return [Parsed(value, _no_surrogates(body))]


def _no_surrogates(body: bytes) -> bool:
    return b"\\ud" not in body and b"\\uD" not in body


def _gunzip(body: bytes) -> bytes:
    parts, size, rest = [], 0, body
    while rest:  # a gzip file may have several members
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            try:
                part = stream.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise PayloadError(f"the gzip is broken: {error}") from None
            if not part and not stream.eof:
                raise PayloadError("the gzip is broken: it ends too early")
            rest = stream.unconsumed_tail
            size += len(part)
            if size > LARGEST:
                raise PayloadError(f"the body is larger than {LARGEST >> 20} MiB after unpacking", status=413)
            parts.append(part)
        rest = stream.unused_data
    return b"".join(parts)


def _endless(_: str) -> float:
    return math.inf


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else math.inf
