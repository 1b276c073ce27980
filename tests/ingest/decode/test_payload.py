"""Bodies are unpacked up to a limit, and cut into rows."""

from __future__ import annotations

import gzip
import math

import pytest

from ingest.decode import payload
from ingest.decode.payload import DEEPEST, LARGEST, Broken, Parsed, PayloadError, cut, parse, too_deep, unpack


def test_gzip_of_several_members_is_one_body() -> None:
    """Members of a gzip file follow one another."""
    assert unpack(gzip.compress(b"[1,") + gzip.compress(b"2]"), "gzip") == b"[1,2]"


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"[1]")[:-3], gzip.compress(b"[1]") + b"junk"], ids=["none", "cut", "junk"])
def test_broken_gzip_is_refused(body: bytes) -> None:
    """A body that is not gzip, ends early or has something after its end is answered with 400."""
    with pytest.raises(PayloadError, match="gzip is broken") as caught:
        unpack(body, "gzip")
    assert caught.value.status == 400


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """More than 64 MiB are never made of a small gzip."""
    bomb = gzip.compress(bytes(LARGEST), 1) + gzip.compress(b" ")
    with pytest.raises(PayloadError) as caught:
        unpack(bomb, "gzip")
    assert caught.value.status == 413


def test_another_encoding_is_refused() -> None:
    """Only gzip is known."""
    with pytest.raises(PayloadError) as caught:
        unpack(b"[]", "br")
    assert caught.value.status == 415


@pytest.mark.parametrize("body", [b"", b" \n ", b"\xef\xbb\xbf", b"[1,", b"7", b'"a"', b"[1] x", b'["\xff", NaN]', b"[" * 100_000])
def test_what_is_no_json_of_events_is_refused(body: bytes) -> None:
    """Nothing, broken JSON, a bare value and bytes that are not UTF-8 are 400."""
    with pytest.raises(PayloadError) as caught:
        cut(body, "json")
    assert caught.value.status == 400


def test_an_empty_array_has_no_rows() -> None:
    """`[]` is a body."""
    assert list(cut(b" [] ", "json")) == []


def test_one_object_is_one_row() -> None:
    """An object is read as an array of one, also after a byte order mark."""
    assert [Parsed({"a": 1})] == list(cut(b'\xef\xbb\xbf{"a": 1}', "json"))


def test_bare_words_of_python_are_infinity() -> None:
    """NaN, Infinity, -Infinity and whole numbers that no float holds read as infinity."""
    assert [math.inf] * 3 == parse(b"[NaN, Infinity, -Infinity]")
    assert math.inf == parse(b"1" * 5_000)


def test_depth_is_counted_outside_strings() -> None:
    """Brackets in strings are no levels, and siblings do not add up."""
    assert not too_deep(b"[" * DEEPEST + b"]" * DEEPEST)
    assert too_deep(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))
    assert not too_deep(b'["' + b"[" * 1_000 + b'\\"' + b"{" * 1_000 + b'"]')
    assert not too_deep(b"[" + b",".join([b"[[]]"] * 1_000) + b"]")


def test_a_deep_line_costs_that_line() -> None:
    """Of NDJSON only the line that is too deep is lost."""
    deep = b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)
    assert [b"{}", Broken(payload._DEEP), b'"["'] == list(cut(b"{}\n" + deep + b'\r\n\n"["\n', "ndjson"))
