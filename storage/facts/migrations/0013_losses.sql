-- Beside the label of an outcome what was predicted: the class, or how far the number is from the label. So a list of events by loss is a sort, and no join.
-- `filled` is 0 in rows from before, whose losses are computed when they are read. A rebuild fills them.
ALTER TABLE outcomes
    ADD COLUMN IF NOT EXISTS class LowCardinality(String),
    ADD COLUMN IF NOT EXISTS loss Float64 DEFAULT nan CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS filled UInt8;
