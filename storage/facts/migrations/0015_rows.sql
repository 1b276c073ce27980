-- The bins of all features together, row after row, in the rows of column '' whose sums are not in `joint` because they have few rows. Panes from before have none.
ALTER TABLE panes
    ADD COLUMN IF NOT EXISTS code SimpleAggregateFunction(groupArrayArray, Array(UInt16));
