-- Of a performance pane: its labels by the bin of their delay, and the sum of these delays in seconds. Panes from before have none.
ALTER TABLE performance_panes
    ADD COLUMN IF NOT EXISTS delay_bin Array(UInt16),
    ADD COLUMN IF NOT EXISTS delay_count Array(UInt64),
    ADD COLUMN IF NOT EXISTS delay_sum Array(Float64);
