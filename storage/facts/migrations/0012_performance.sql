-- Of a performance pane: the largest absolute error of a regression; of a multiclass model its rows by the place of their label's class when classes are ordered
-- by their score. Panes from before have none; that they have fewer losses tells them.
ALTER TABLE performance_panes
    ADD COLUMN IF NOT EXISTS largest Float64,
    ADD COLUMN IF NOT EXISTS rank Array(UInt16),
    ADD COLUMN IF NOT EXISTS rank_count Array(UInt64);
