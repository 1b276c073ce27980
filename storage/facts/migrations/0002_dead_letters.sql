-- A dead letter is known by its place in the log: sent again, under whatever token or none, it is there once.
-- Broken off anywhere and run again, these statements end with the same rows.
CREATE TABLE IF NOT EXISTS dead_letters_kept
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
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(logged)
ORDER BY (topic, partition, position, place);

INSERT INTO dead_letters_kept SELECT topic, partition, position, place, model, field, reason, logged FROM dead_letters;

CREATE OR REPLACE TABLE dead_letters
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
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(logged)
ORDER BY (topic, partition, position, place)
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO dead_letters SELECT topic, partition, position, place, model, field, reason, logged FROM dead_letters_kept;

DROP TABLE IF EXISTS dead_letters_kept;
