"""`watchkeeper export`: events with their labels as a Parquet or CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect

_FORMATS = {".parquet": "parquet", ".csv": "csv"}
_HALF = ".part"  # the end of the file's name until it is whole


def export(
    model: Annotated[str, typer.Argument(help="The model.")],
    file: Annotated[Path, typer.Argument(help="The file, which ends in .parquet or .csv. One that is there is replaced.")],
    start: Annotated[str | None, typer.Option("--from", help="Events from this time on, RFC 3339.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Events before this time.")] = None,
    segment: Annotated[str | None, typer.Option(help="Events of this segment, such as carrier=UA.")] = None,
    version: Annotated[str | None, typer.Option(help="Events of this version of the model.")] = None,
    role: Annotated[str | None, typer.Option(help="Events of this role.")] = None,
    label: Annotated[str | None, typer.Option(help="known, unknown, or wrong: with a label that the prediction misses.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The events and labels that the log had taken by this time.")] = None,
    limit: Annotated[int | None, typer.Option(help="So many events at most.")] = None,
    url: Url = None,
) -> None:
    """Write events of a model and the labels that hold to a file, in order of time. Columns are those of a reference file, and @version, @role and @weight.

    Example: `watchkeeper export taxi-fare july.parquet --from 2022-07-01T00:00:00Z --to 2022-08-01T00:00:00Z`
    """
    if (kind := _FORMATS.get(file.suffix.lower())) is None:
        raise ConfigError(f"{file} is neither Parquet nor CSV", remedy="give the file a name that ends in .parquet or .csv")
    filters = {"segment": segment, "version": version, "role": role, "label": label, "as_of": as_of, "limit": limit}
    half = file.with_name(file.name + _HALF)
    try:
        with connect(url) as client, half.open("wb") as opened, terminal.progress() as shown:
            task = shown.add_task(f"bytes of {file.name}", total=None)
            for part in client.export(model, kind, start=start, end=end, order="oldest", **filters):
                opened.write(part)
                shown.advance(task, len(part))
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    terminal.out.print(f"{file}: {file.stat().st_size:,} bytes")
