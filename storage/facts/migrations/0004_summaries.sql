-- What a round of evaluation asks for must not cost more the older the tables are.
--
-- Of batches each part keeps how far each partition is in it, and how far event time is. Maxima and minima: a batch that is there twice changes none.
-- A merge that drops a replaced row sums up anew.
ALTER TABLE batches
    MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE batches
    ADD PROJECTION IF NOT EXISTS by_partition
    (
        SELECT
            model, topic, partition, max(last), countIf(rows > 0), minIf(first_ts, rows > 0), maxIf(last_ts, rows > 0), maxIf(watermark, rows > 0),
            maxIf(logged, rows > 0)
        GROUP BY model, topic, partition
    );

ALTER TABLE batches
    MATERIALIZE PROJECTION by_partition;

-- What a step wrote is found without a look at what was written before.
ALTER TABLE outcomes
    ADD INDEX IF NOT EXISTS by_generation generation TYPE minmax GRANULARITY 1;

ALTER TABLE outcomes
    MATERIALIZE INDEX by_generation;

ALTER TABLE contested
    ADD INDEX IF NOT EXISTS by_generation generation TYPE minmax GRANULARITY 1;

ALTER TABLE contested
    MATERIALIZE INDEX by_generation;
