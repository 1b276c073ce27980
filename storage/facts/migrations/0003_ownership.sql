-- Raw events that do not count: another event of the same id is earlier in the log, by (logged, partition, position, place). Once beaten, always
-- beaten: rows are only ever added, so that it does not matter who adds them and when. `winner` is the event time of the one that counted then.
CREATE TABLE IF NOT EXISTS contested
(
    model         LowCardinality(String),
    ts            DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    prediction_id String CODEC(ZSTD(1)),
    partition     UInt32,
    position      UInt64,
    place         UInt32,
    winner        DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    generation    UInt64
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (model, ts, prediction_id, partition, position, place);

-- Of the readings of one window that of the highest generation holds, then that of the highest revision: a late writer cannot win.
-- `withdrawn` is the verdict of a window or segment that is no more, because its only events were beaten.
ALTER TABLE readings
    ADD COLUMN IF NOT EXISTS generation UInt64,
    MODIFY ORDER BY (model, monitor, monitor_version, contract, column, segment, window_start, revision, generation);

-- What each owner has rebuilt stays told apart, so that an owner sees when another one has written late.
ALTER TABLE rebuilds
    ADD COLUMN IF NOT EXISTS era UInt32,
    MODIFY ORDER BY (model, contract, slot, era);
