-- Events of models that have no contract, as they were sent, until there is one. A row is known by its place in the log: written again, it is there once.
-- It is forgotten at `until`. `last` is the position at which its batch ended.
CREATE TABLE IF NOT EXISTS waiting
(
    model     String,
    topic     LowCardinality(String),
    partition UInt32,
    position  UInt64,
    place     UInt32,
    last      UInt64,
    body      String CODEC(ZSTD(1)),
    logged    DateTime64(6, 'UTC'),
    until     DateTime('UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (model, topic, partition, position, place)
TTL until
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Of events that waited and were then written: 1. Such a row of `batches` stands beside the one that the batch itself has, and neither replaces the other.
ALTER TABLE batches
    ADD COLUMN IF NOT EXISTS admitted UInt8,
    MODIFY ORDER BY (model, topic, partition, last, admitted);
