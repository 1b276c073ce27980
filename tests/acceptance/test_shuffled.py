"""A stream without order: a census whose events are shuffled over a month, with a protected attribute and a cross as segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
import yaml

from tests.acceptance import census
from tests.acceptance.world import RARELY, Cluster, World
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spans import FLOATS
from tests.oracle.spans import expected as of_spans
from tests.oracle.spec import Spec
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s", **RARELY}


def test_a_shuffled_month_reads_as_a_batch_job_over_it(world: Callable[[Mapping[str, str]], World]) -> None:
    """Every reading, of single dimensions and of their cross, equals what pandas computes from the rows, although events come in no order of time.

    Of every measure in one process. A cluster computes measures by the same code, from what its own stores answer: there it is one of each kind of evidence,
    over 18 days.
    """
    with world(SOON) as place, Client(place.url) as client:
        few, every = (18, [*census.few(), *census.trees()]), (census.DAYS, census.monitors())
        days, watched = few if isinstance(place, Cluster) else every
        reference = census.people(8_000 * days // census.DAYS, 1, days=days)
        stream = census.people(12_000 * days // census.DAYS, 2, drift=0.3, days=days)
        sink = BytesIO()
        reference.to_parquet(sink, index=False)
        spec = Spec(monitors=watched, **census.OPTIONS)
        client.reference(census.MODEL, sink.getvalue(), **census.OPTIONS)
        client.apply(yaml.safe_dump([*watched, *census.spans()]))
        for topic, rows in census.requests(stream):
            sent = client.predictions(rows) if topic == "predictions" else client.labels(rows)
            assert (len(rows), 0) == (sent.accepted, sent.rejected)
        assert client.wait(900)["problems"] == []
        found, pooled = (
            [item for one in monitors for item in client.readings(model=census.MODEL, monitor=one["monitor"], limit=10_000)]
            for monitors in (watched, census.spans())
        )
    wanted, spans = expected(reference, stream, spec), of_spans(reference, stream, spec, census.spans())
    assert len(wanted) > 5_000
    assert compare(wanted, found)[:20] == []
    assert compare(spans, pooled, FLOATS)[:20] == []
