"""The reader of the pages and the API, which joins the readers of this package."""

from __future__ import annotations

from watchkeeper.reader.cause import CauseReader
from watchkeeper.reader.columns import ColumnReader
from watchkeeper.reader.comparison import ComparisonReader
from watchkeeper.reader.contracts import ContractReader
from watchkeeper.reader.events import EventReader
from watchkeeper.reader.exported import ExportReader
from watchkeeper.reader.labelled import LabelledReader
from watchkeeper.reader.models import ModelReader
from watchkeeper.reader.monitors import MonitorReader
from watchkeeper.reader.noise import NoiseReader
from watchkeeper.reader.policy import PolicyReader
from watchkeeper.reader.ranking import RankingReader
from watchkeeper.reader.retraining import RetrainingReader
from watchkeeper.reader.service import ServiceReader
from watchkeeper.reader.trust import TrustReader


class Reader(
    ModelReader,
    ContractReader,
    MonitorReader,
    RankingReader,
    NoiseReader,
    CauseReader,
    ComparisonReader,
    TrustReader,
    ColumnReader,
    LabelledReader,
    EventReader,
    ExportReader,
    PolicyReader,
    RetrainingReader,
    ServiceReader,
):
    """Reads everything that the pages and the API show. It changes nothing. Safe to share between threads."""
