-- Columns are explained in docs/SCHEMA.md.

CREATE TABLE explanation (
    id       INTEGER PRIMARY KEY,
    a        INTEGER NOT NULL REFERENCES cell (id) ON DELETE CASCADE,
    b        INTEGER NOT NULL REFERENCES cell (id) ON DELETE CASCADE,
    created  INTEGER NOT NULL,
    document TEXT    NOT NULL,
    UNIQUE (a, b)
) STRICT;

-- To find those of a cell, and to remove it, must not read all of them.
CREATE INDEX explanation_b ON explanation (b);
