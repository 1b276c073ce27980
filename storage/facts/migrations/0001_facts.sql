-- Every table that ingest fills remembers the tokens of its inserts: sending a batch again changes nothing.
-- Times are microseconds in UTC. Numbers are Float64: a shorter float would fall into another bin on a rebuild.
-- Retention is off; where it is set it counts from `logged`, the time at which the log took the event.

-- Raw events: the truth from which everything else can be made again.
-- `numbers` and `texts` are positional, in the order of the contract version's columns. In numbers NaN is null, infinity is invalid.
CREATE TABLE IF NOT EXISTS predictions
(
    model         LowCardinality(String),
    contract      UInt32,
    prediction_id String CODEC(ZSTD(1)),
    ts            DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    version       LowCardinality(String),
    role          LowCardinality(String),
    class         LowCardinality(String),
    number        Float64 CODEC(ZSTD(1)),
    score         Float64 CODEC(ZSTD(1)),
    probabilities Array(Float64) CODEC(ZSTD(1)),
    numbers       Array(Float64) CODEC(ZSTD(1)),
    texts         Array(LowCardinality(String)),
    extra         String CODEC(ZSTD(1)),
    partition     UInt32,
    position      UInt64 CODEC(Delta, ZSTD(1)),
    place         UInt32 CODEC(T64, ZSTD(1)),
    logged        DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_id prediction_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(logged)
ORDER BY (model, ts, prediction_id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- All labels ever sent, corrections and retractions too: what was known when can be told later.
CREATE TABLE IF NOT EXISTS labels
(
    model         LowCardinality(String),
    prediction_id String CODEC(ZSTD(1)),
    ts            DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    text          LowCardinality(String),
    number        Float64 CODEC(ZSTD(1)),
    weight        Float64 CODEC(ZSTD(1)),
    deleted       UInt8,
    prediction_ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    partition     UInt32,
    position      UInt64 CODEC(Delta, ZSTD(1)),
    place         UInt32 CODEC(T64, ZSTD(1)),
    logged        DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(logged)
ORDER BY (model, prediction_id, ts, partition, position, place)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The truth that holds now for each prediction, in the order of the predictions. `generation` comes from the log positions that
-- were known when it was joined: an owner that has fallen behind cannot win.
CREATE TABLE IF NOT EXISTS outcomes
(
    model         LowCardinality(String),
    ts            DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    prediction_id String CODEC(ZSTD(1)),
    text          LowCardinality(String),
    number        Float64 CODEC(ZSTD(1)),
    weight        Float64 CODEC(ZSTD(1)),
    label_ts      DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    generation    UInt64,
    deleted       UInt8
)
ENGINE = ReplacingMergeTree(generation, deleted)
ORDER BY (model, ts, prediction_id);

-- Input panes add up. `generation` is 0 for what ingest adds; a slot made again from raw has a higher one, and `rebuilds` says which holds.
CREATE TABLE IF NOT EXISTS panes
(
    model      LowCardinality(String),
    contract   UInt32,
    column     LowCardinality(String),
    grouping   LowCardinality(String),
    segment    LowCardinality(String),
    slot       DateTime64(6, 'UTC'),
    pane       UInt64,
    version    LowCardinality(String),
    role       LowCardinality(String),
    generation UInt64,
    n          SimpleAggregateFunction(sum, UInt64),
    below      SimpleAggregateFunction(sum, UInt64),
    above      SimpleAggregateFunction(sum, UInt64),
    count      SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)),
    sum        SimpleAggregateFunction(sumMap, Map(UInt16, Float64))
)
ENGINE = AggregatingMergeTree
ORDER BY (model, contract, column, grouping, segment, slot, pane, version, role, generation)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS rebuilds
(
    model      LowCardinality(String),
    contract   UInt32,
    slot       DateTime64(6, 'UTC'),
    generation UInt64
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (model, contract, slot);

-- Performance panes are recomputed, a whole slot at a time: of a slot only the rows of its highest generation count.
CREATE TABLE IF NOT EXISTS performance_panes
(
    model           LowCardinality(String),
    contract        UInt32,
    grouping        LowCardinality(String),
    segment         LowCardinality(String),
    slot            DateTime64(6, 'UTC'),
    pane            UInt64,
    version         LowCardinality(String),
    role            LowCardinality(String),
    generation      UInt64,
    n               UInt64,
    cell_prediction Array(LowCardinality(String)),
    cell_label      Array(LowCardinality(String)),
    cell_count      Array(UInt64),
    error_sum       Float64,
    absolute_sum    Float64,
    square_sum      Float64,
    label_bin       Array(UInt16),
    label_count     Array(UInt64),
    label_sum       Array(Float64),
    score_class     Array(LowCardinality(String)),
    score_bin       Array(UInt16),
    positive        Array(UInt64),
    negative        Array(UInt64),
    positive_sum    Array(Float64),
    negative_sum    Array(Float64)
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY (model, contract, slot, segment, pane, version, role);

-- One row a committed batch and model, written after all the batch's other inserts: up to `last` everything is there.
CREATE TABLE IF NOT EXISTS batches
(
    model      LowCardinality(String),
    topic      LowCardinality(String),
    partition  UInt32,
    last       UInt64,
    first      UInt64,
    rows       UInt64,
    duplicates UInt64,
    rejected   UInt64,
    first_ts   DateTime64(6, 'UTC'),
    last_ts    DateTime64(6, 'UTC'),
    watermark  DateTime64(6, 'UTC'),
    logged     DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (model, topic, partition, last)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Records that could not be used, with the reason.
CREATE TABLE IF NOT EXISTS dead_letters
(
    topic     LowCardinality(String),
    partition UInt32,
    position  UInt64,
    place     UInt32,
    model     String,
    field     LowCardinality(String),
    reason    String,
    logged    DateTime64(6, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(logged)
ORDER BY (topic, partition, position, place)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100000;

-- Every revision of every reading. Those of an earlier definition of the monitor, or contract of the model, stay and are not shown.
CREATE TABLE IF NOT EXISTS readings
(
    model           LowCardinality(String),
    monitor         LowCardinality(String),
    monitor_version UInt32,
    contract        UInt32,
    column          LowCardinality(String),
    grouping        LowCardinality(String),
    segment         LowCardinality(String),
    window_start    DateTime64(6, 'UTC'),
    window_end      DateTime64(6, 'UTC'),
    revision        UInt32,
    version         LowCardinality(String),
    measure         LowCardinality(String),
    params          LowCardinality(String),
    baseline        LowCardinality(Nullable(String)),
    value           Nullable(Float64),
    lower           Nullable(Float64),
    upper           Nullable(Float64),
    baseline_value  Nullable(Float64),
    n_target        UInt64,
    n_baseline      Nullable(UInt64),
    n_effective     Nullable(Float64),
    threshold       LowCardinality(String),
    verdict         LowCardinality(String),
    reason          LowCardinality(Nullable(String)),
    evidence        String,
    evaluated       DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (model, monitor, monitor_version, contract, column, segment, window_start, revision);
