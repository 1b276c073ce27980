-- A reading is known by both ends of its window: windows such as a month to date begin together. The sort key takes only a column that is new, so the
-- length of the window stands in it. Rows from before have 0: none of them shares its start with another window.
ALTER TABLE readings
    ADD COLUMN IF NOT EXISTS window_length UInt64,
    MODIFY ORDER BY (model, monitor, monitor_version, contract, column, segment, window_start, revision, generation, window_length);
