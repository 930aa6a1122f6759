-- Columns are explained in docs/SCHEMA.md.

CREATE TABLE experiment (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_uid INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('running', 'done', 'interrupted')),
    removed   INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    seed      TEXT    NOT NULL,
    request   TEXT    NOT NULL,
    machine   TEXT    NOT NULL,
    warnings  TEXT    NOT NULL
) STRICT;

CREATE TABLE cell (
    id         INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    target     TEXT    NOT NULL,
    workload   TEXT    NOT NULL,
    args       TEXT    NOT NULL,
    cache      TEXT    NOT NULL,
    runs       INTEGER NOT NULL,
    valid      INTEGER,
    failed     INTEGER,
    summary    TEXT,
    UNIQUE (experiment, number)
) STRICT;

CREATE TABLE sample (
    id       INTEGER PRIMARY KEY,
    cell     INTEGER NOT NULL REFERENCES cell (id) ON DELETE CASCADE,
    run      INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    valid    INTEGER NOT NULL CHECK (valid IN (0, 1)),
    exit     TEXT    NOT NULL,
    instants TEXT    NOT NULL,
    metrics  TEXT    NOT NULL,
    notes    TEXT    NOT NULL,
    UNIQUE (cell, run)
) STRICT;

-- Failures are few: counting them must not read every run.
CREATE INDEX sample_failed ON sample (cell) WHERE valid = 0;

CREATE TABLE unavailable (
    cell   INTEGER NOT NULL REFERENCES cell (id) ON DELETE CASCADE,
    metric TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    PRIMARY KEY (cell, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE histogram (
    cell   INTEGER NOT NULL REFERENCES cell (id) ON DELETE CASCADE,
    metric TEXT    NOT NULL,
    hdr    BLOB    NOT NULL,
    UNIQUE (cell, metric)
) STRICT;
