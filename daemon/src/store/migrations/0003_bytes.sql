-- How much a user has in the store is asked before each experiment: it must not take reading all their runs.

ALTER TABLE experiment ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
