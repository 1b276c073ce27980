-- Of a performance pane of the segment `all`, of a model of classes: its labels by the place of their class among the contract's and by the bin of their delay.
-- Panes from before have none.
ALTER TABLE performance_panes
    ADD COLUMN IF NOT EXISTS arrival_class Array(UInt16),
    ADD COLUMN IF NOT EXISTS arrival_bin Array(UInt16),
    ADD COLUMN IF NOT EXISTS arrival_count Array(UInt64);
