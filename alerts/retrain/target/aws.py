"""Signature Version 4 of AWS, as its manual of signing describes it: the header that signs an HTTP request with a secret key."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Key(NamedTuple):
    """An access key, and the service and region for which it signs."""

    id: str
    secret: str
    region: str
    service: str


def signed(key: Key, method: str, url: str, headers: Mapping[str, str], body: str, at: dt.datetime) -> dict[str, str]:
    """The headers, whose names are in small letters, with `host`, `x-amz-date` and `authorization`. `at` is the time of the request in UTC."""
    parts = urlsplit(url)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "host": parts.netloc.rpartition("@")[2], "x-amz-date": stamp}
    names = ";".join(sorted(sent))
    query = "&".join(sorted(f"{_coded(name)}={_coded(value)}" for name, value in parse_qsl(parts.query, keep_blank_values=True)))
    lines = [f"{name}:{' '.join(sent[name].split())}\n" for name in sorted(sent)]
    request = "\n".join([method, quote(parts.path or "/", safe="/~"), query, "".join(lines), names, _hash(body)])
    scope = f"{stamp[:8]}/{key.region}/{key.service}/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope, _hash(request)])
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = _hmac(secret, part)
    value = f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={_hmac(secret, text).hex()}"
    return {**sent, "authorization": value}


def _coded(text: str) -> str:
    return quote(text, safe="-_.~")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)
