"""The reader of the pages and the API, which joins the readers of this package."""

from __future__ import annotations

from watchkeeper.reader.columns import Columns
from watchkeeper.reader.episodes import Episodes
from watchkeeper.reader.models import Models
from watchkeeper.reader.monitors import Monitors
from watchkeeper.reader.readings import Readings
from watchkeeper.reader.service import Service


class Reader(Models, Monitors, Readings, Columns, Episodes, Service):
    """Reads everything that the pages and the API show. It changes nothing. Safe to share between threads."""
