-- Of a batch: by slot of their own event time, how many predictions were dropped because their id was there before. Batches from before have none.
ALTER TABLE batches
    ADD COLUMN IF NOT EXISTS copy_slot Array(Int64) AFTER duplicates,
    ADD COLUMN IF NOT EXISTS copy_count Array(UInt64) AFTER copy_slot;
