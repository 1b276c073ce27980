"""`watchkeeper reference`: give a model its reference, and with it its contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

Text = str | None
_SHOWN = 50  # names of a kind


def reference(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="The reference, a Parquet file; all its rows are used.")
    ] = None,
    task: Annotated[Text, typer.Option(help="binary, multiclass or regression; needed with a file.")] = None,
    from_production: Annotated[bool, typer.Option("--from-production", help="Take the model's own events in place of a file.")] = False,
    start: Annotated[Text, typer.Option("--from", help="With --from-production: events from this time on. [default: the first]")] = None,
    end: Annotated[Text, typer.Option("--to", help="With --from-production: events before this time. [default: after the last]")] = None,
    id_: Annotated[Text, typer.Option("--id", help="Column of ids. [default: prediction_id]")] = None,
    ts: Annotated[Text, typer.Option(help="Column of event times. [default: ts]")] = None,
    prediction: Annotated[Text, typer.Option(help="Column of predictions. [default: prediction]")] = None,
    score: Annotated[Text, typer.Option(help="Column of the positive class's scores. [default: score]")] = None,
    proba_prefix: Annotated[Text, typer.Option(help="Prefix of the columns of class probabilities. [default: proba_]")] = None,
    interval: Annotated[Text, typer.Option(help="Columns of prediction intervals and their level: pred_low,pred_high,0.8")] = None,
    label: Annotated[Text, typer.Option(help="Column of labels, the true outcomes. [default: label]")] = None,
    label_ts: Annotated[Text, typer.Option(help="Column of the times at which labels were known. [default: label_ts]")] = None,
    latency: Annotated[Text, typer.Option(help="Column of latencies in milliseconds.")] = None,
    status: Annotated[Text, typer.Option(help="Column that says ok or error.")] = None,
    caller: Annotated[Text, typer.Option(help="Column of callers, who asked for the prediction.")] = None,
    prediction_set: Annotated[Text, typer.Option(help="Column of prediction sets, lists of classes.")] = None,
    ensemble_prefix: Annotated[Text, typer.Option(help="Prefix of the columns of an ensemble's members: ensemble_")] = None,
    attribution_prefix: Annotated[
        Text, typer.Option(help="Prefix of the columns of attributions; the feature follows: attribution_")
    ] = None,
    multivariate: Annotated[
        Text,
        typer.Option(
            help="Sums over all features together, for drift.mmd and drift.correlation: auto (with up to 20 features), on, or off. [default: auto]"
        ),
    ] = None,
    signals: Annotated[Text, typer.Option(help="Signals to keep: confidence,outside, or none. [default: all that the file gives]")] = None,
    features: Annotated[Text, typer.Option(help="Columns to watch: a,b,c. [default: all others]")] = None,
    categorical: Annotated[Text, typer.Option(help="Columns of numbers that are categories: a,b")] = None,
    text: Annotated[
        Text, typer.Option(help="Columns of free text, of which length and statistics of characters are watched, and no text is kept: a,b")
    ] = None,
    exclude: Annotated[Text, typer.Option(help="Columns to leave out: a,b")] = None,
    segments: Annotated[Text, typer.Option(help="Columns to segment by, and their crosses: x,y,x*y")] = None,
    protected: Annotated[Text, typer.Option(help="Protected attributes: p,q")] = None,
    positive: Annotated[Text, typer.Option(help="The positive class. [default: 1]")] = None,
    threshold: Annotated[float | None, typer.Option(help="Decision threshold. [default: 0.5]", show_default=False)] = None,
    earliest: Annotated[Text, typer.Option(help="Events before this time are rejected. [default: 1971-01-01]")] = None,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Give a model its reference: a file from which the bins, categories and summaries of its next contract version are made.

    Doing it again with the same content changes nothing, unless an earlier version has summarised it: then it is summarised again, and the contract stays. The command prints how each column is used, and which are left out and why. In a file NaN is null;
    over HTTP it is invalid.

    In a list, a name that holds a comma is written in quotes, as in CSV: --exclude 'km,"a,b"'.

    Example: `watchkeeper reference taxi-fare january.parquet --task regression --segments borough`

    With --from-production a period of the model's own events becomes its reference, with the labels that they have now. Columns, segments, classes and signals stay.

    Example: `watchkeeper reference taxi-fare --from-production --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z`

    Example of a model of texts: `watchkeeper reference sentiment reviews.parquet --task binary --text review,title`
    """
    options = {
        "id": id_, "ts": ts, "prediction": prediction, "score": score, "proba_prefix": proba_prefix, "interval": interval, "label": label,
        "label_ts": label_ts, "features": features, "categorical": categorical, "text": text, "exclude": exclude, "segments": segments,
        "latency": latency, "status": status, "caller": caller, "prediction_set": prediction_set, "ensemble_prefix": ensemble_prefix,
        "attribution_prefix": attribution_prefix, "signals": signals, "multivariate": multivariate, "protected": protected, "positive": positive, "threshold": threshold, "earliest": earliest,
    }  # fmt: skip
    if from_production:
        if file is not None or task is not None or any(value is not None for value in options.values()):
            raise ConfigError(
                "--from-production takes no file and no options of one",
                remedy="leave them out; the contract of the model says how its events are used, and `POST /v1/models/MODEL/proposal` takes options where there is none",
            )
        with connect(url) as client:
            answer = client.reference_from_production(model, start=start, end=end)
    elif file is None or task is None:
        raise ConfigError(
            "a reference needs a FILE and --task", remedy="give both; or --from-production, which takes the model's own events"
        )
    elif start is not None or end is not None:
        raise ConfigError("--from and --to are for --from-production", remedy="leave them out: all rows of a file are used")
    else:
        with connect(url) as client:
            answer = client.reference(model, file.read_bytes(), task=task, **options)
    if json:
        terminal.as_json(answer)
    else:
        _print(answer)


def _print(answer: Mapping[str, Any]) -> None:
    """Print the result, and how each column of the file is used."""
    rows = f", from {answer['rows']:,} rows" if "rows" in answer else ""
    terminal.out.print(f"{answer['model']}: contract version {answer['version']} {answer['result']}{rows}")
    roles = [f"{role}: {', '.join(names[:_SHOWN])}{_more(names)}" for role, names in answer.get("roles", {}).items()]
    for what, found in (
        ("roles", roles),
        *((kind, [f"{one['name']} ({one['kind']})" for one in answer.get(kind, ())]) for kind in ("features", "tags", "signals")),
    ):
        if found:
            terminal.out.print(f"  {what}: {'; '.join(found[:_SHOWN])}{_more(found)}")
    left = answer.get("left_out", ())
    for one in left[:_SHOWN]:
        terminal.out.print(f"  left out: {one['name']!r}: {one['reason']}")
    if len(left) > _SHOWN:
        terminal.out.print(f"  left out:{_more(left)}")
    if nan := answer.get("nan"):
        terminal.out.print(f"  NaN in {', '.join(nan[:_SHOWN])}{_more(nan)}: null in a file. Over HTTP send null: NaN is invalid there")


def _more(names: Sequence[object]) -> str:
    return f" and {len(names) - _SHOWN} more (--json lists all)" if len(names) > _SHOWN else ""
