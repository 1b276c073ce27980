"""The words that pages use, as the glossary of the documentation explains them: `tests/dashboard/test_search.py` holds the two together."""

from __future__ import annotations

WORDS: tuple[tuple[str, str], ...] = (
    ("model", "a deployed model by its name; it has a contract, and monitors"),
    (
        "contract",
        "what a model's events hold: task, columns, classes, dimensions and bins. Bins never change within a version of the contract",
    ),
    (
        "waiting event",
        "an event of a model that has no contract yet; once there is one, it is admitted: it becomes an event as if the contract had been there",
    ),
    ("proposal", "a contract that is made of events that wait; somebody takes it, or gives another"),
    ("reference", "the rows that the model was accepted on. The contract's bins are made from them, and windows are compared with them"),
    ("column", "a feature; or @prediction, @score (what the model says) or @label; or a signal"),
    ("signal", "a column that is derived from an event's own fields when it is decoded: @confidence, @latency_ms, @status"),
    ("text column", "a feature of free text; its statistics, such as its length and its share of letters, are signals"),
    ("vector column", "a feature of vectors of one length, such as embeddings"),
    ("tag", "a column that is sent with events and not monitored itself; it can be a dimension"),
    (
        "dimension, segment, cross",
        "a dimension is a column to segment by. A segment is the rows of one value of it: carrier=UA. A cross combines dimensions: carrier=UA,origin=JFK. The segment all is every row",
    ),
    ("bin", "one of the ranges or categories into which a column's values fall; null and invalid are bins, too"),
    ("label", "the true outcome of a prediction, sent later; a label with a later ts replaces it"),
    ("outcome", "a prediction joined with its label"),
    ("measure", "what is computed for a window: drift.psi, performance.accuracy"),
    (
        "monitor",
        "a definition: which measure is computed, for which columns and segments of a model, over which windows, against which baseline, with which thresholds",
    ),
    ("window", "a span of event time, [start, end): of one length, or of the calendar"),
    ("baseline", "what a window is compared with: the reference, other times of the stream, or another version of the model"),
    (
        "reading",
        "the value of a measure for one column, segment and window, with its sample sizes and its verdict. Its revision counts how often it was evaluated with another result",
    ),
    (
        "verdict",
        "the result of a reading: ok, warn, critical, or why there is none (nodata, insufficient, not_estimable, assumptions_broken); of a comparison ready, keep_waiting or worse",
    ),
    (
        "dispersion",
        "how much more the windows of the reference differ than independent rows would. n rows are worth n / dispersion independent ones, which is n_effective",
    ),
    ("multivariate", "of all features together: drift.mmd, drift.correlation"),
    (
        "calibration, budget",
        "a monitor is calibrated on the windows of its reference. A budget is how many alarm windows by chance are accepted; the calibration finds the p-value that holds it",
    ),
    ("n", "how many rows a value is made of"),
    ("PSI", "the population stability index: how far the shares of a column's values are from those of the baseline; 0 is not at all"),
    (
        "level, severity",
        "how far a reading went past the thresholds, warn or critical; and how urgently its monitor has people told, page, ticket or report",
    ),
    ("episode", "one alert, from firing to its end"),
    ("rule", "the state of a monitor for one column and segment, which its readings change; it opens and ends episodes"),
    (
        "trust",
        "whether predictions of a version in a segment may be used now: trusted, watch, do_not_trust or unknown, made of readings that are its signs",
    ),
    (
        "policy",
        "decides which episodes are told together, what is held back, who is told, and when; a group is the episodes that are told together",
    ),
    ("silence", "holds back what it matches until it is over; a snooze does so with one episode"),
    ("destination", "where notifications are sent"),
    (
        "notification, notice",
        "a notification is what one destination is sent: an event of an episode, group, change of trust or incident. A notice is what it says to people, in words",
    ),
    ("incident", "problems of Watchkeeper itself, from the first that lasts for a minute until none has been left for a minute"),
    ("slice", "rows that have values in common, of dimensions or of any features. A segment is a slice that panes hold"),
    (
        "cause",
        "what a change of a measure comes from: the slices and columns that contribute most, and how much is another mix of rows (covariate shift) and how much another truth for such rows (concept shift)",
    ),
    ("side", "of a comparison: a version, a role or an arm; a is what runs, and b what may take its place"),
    ("hook", "says when the retraining of a model is asked for, of which target (a webhook, Airflow and others), under which conditions"),
    ("request", "one retraining that was asked for, from its cause to the verdict on whether it helped"),
    ("run", "what a target does for a request"),
    ("manifest", "what a run trains on: a span of events, their counts, and where to fetch them"),
    ("quiet", "all events that were sent are read, joined, audited and evaluated"),
    ("dead letter", "a row that could not be used, with the reason"),
    ("principal, role", "a principal is whoever sends a request, by the name of their token; the role says what they may do"),
    ("command", "a change that somebody asks for from outside; it needs a role"),
    (
        "audit",
        "the list of all changes: who changed what, when, from what to what (GET /v1/audit). The audit of a slot is something else: there panes are compared with raw events",
    ),
)
"""Each with its meaning."""
