-- Where a run's threads were, moment by moment; null where its context switches were not recorded.
ALTER TABLE sample ADD COLUMN threads TEXT;
