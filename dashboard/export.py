"""Exports of the readings of a chart: their address in the API, and CSV."""

from __future__ import annotations

from asyncio import to_thread
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow as pa
from pyarrow import csv
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core import moment
from core.reading import TIMES, Query
from dashboard.ports import Reader

PATH = "/ui/export.csv"
LIMIT = 100_000
_TEXTS = ("model", "monitor", "measure", "column", "segment")


def search(query: Query) -> str:
    """The query as `GET /v1/readings` takes it, without `?`."""
    pairs = {name: value for name in _TEXTS if (value := getattr(query, name)) is not None}
    pairs |= {
        name: moment.text(time) for name, time in (("from", query.start), ("to", query.end), ("as_of", query.as_of)) if time is not None
    }
    return urlencode(pairs, quote_via=quote, safe=":@")


def parse(asked: dict[str, str]) -> Query:
    """The query of an address; ValueError if a time cannot be read."""
    start, end, as_of = (moment.parse_query(asked[key]) if key in asked else None for key in ("from", "to", "as_of"))
    texts: dict[str, Any] = {name: asked.get(name) for name in _TEXTS}
    return Query(**texts, start=start, end=end, as_of=as_of, limit=LIMIT)


def to_csv(table: pa.Table) -> bytes:
    """A table as CSV, its times as RFC 3339 text."""
    for name in TIMES:
        index = table.schema.get_field_index(name)
        texts = pa.array([moment.text(time) for time in table.column(index).to_pylist()], pa.string())
        table = table.set_column(index, name, texts)
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return bytes(sink.getvalue().to_pybytes())


class Export:
    """`GET /ui/export.csv` takes what `GET /v1/readings` takes and answers at most `LIMIT` readings as CSV."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def answer(self, request: Request) -> Response:
        """The readings that were asked for; 400 if a time cannot be read."""
        try:
            query = parse(dict(request.query_params))
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        body = await to_thread(lambda: to_csv(self._reader.readings(query)))
        return Response(body, media_type="text/csv", headers={"content-disposition": 'attachment; filename="readings.csv"'})
