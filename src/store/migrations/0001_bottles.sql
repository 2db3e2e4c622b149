-- Accounts, sessions, bottles and who opened them.

-- One account serves every contract. `email` and `avatar_url` belong to the Music contract alone;
-- `email_key` is the address in lower case, by which it is unique and looked up.
-- Ids are never given twice (AUTOINCREMENT), so an old token cannot come to name a new account.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT NOT NULL COLLATE NOCASE UNIQUE,
    password_hash TEXT NOT NULL,                    -- Argon2id, as a PHC string
    password_version INTEGER NOT NULL DEFAULT 1,    -- grows with each new password, not with a new hash of the same
    nickname      TEXT NOT NULL,
    gender        TEXT NOT NULL CHECK (gender IN ('male', 'female', 'other', 'unknown')),
    email         TEXT,
    email_key     TEXT UNIQUE,
    avatar_url    TEXT,
    created_at    INTEGER NOT NULL                  -- milliseconds since 1970, UTC, as every time here
) STRICT;

-- A session is whatever a client carries, kept as SHA-256 only. `terminal` belongs to Bookstore alone:
-- a second login at the same terminal replaces the first.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    contract   TEXT NOT NULL CHECK (contract IN ('bottle', 'ledger', 'music', 'bookstore')),
    terminal   TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (user_id, terminal)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- `openers_count` is kept by the triggers on `openings`, so that a list need not count.
CREATE TABLE bottles (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id          INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content           TEXT NOT NULL,
    formatted_address TEXT NOT NULL,
    latitude          REAL NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude         REAL NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    style             INTEGER NOT NULL CHECK (style IN (0, 1, 2)),
    created_at        INTEGER NOT NULL,
    openers_count     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX bottles_by_owner ON bottles (owner_id);

-- The first opening of a bottle by someone else than its owner; later ones change nothing.
CREATE TABLE openings (
    bottle_id INTEGER NOT NULL REFERENCES bottles (id) ON DELETE CASCADE,
    opener_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (bottle_id, opener_id)
) STRICT, WITHOUT ROWID;

-- Both lists of openings come in the order of opening, and in pages.
CREATE INDEX openings_by_bottle ON openings (bottle_id, opened_at, opener_id);
CREATE INDEX openings_by_opener ON openings (opener_id, opened_at, bottle_id);

CREATE TRIGGER opening_counted AFTER INSERT ON openings BEGIN
    UPDATE bottles SET openers_count = openers_count + 1 WHERE id = new.bottle_id;
END;

CREATE TRIGGER opening_uncounted AFTER DELETE ON openings BEGIN
    UPDATE bottles SET openers_count = openers_count - 1 WHERE id = old.bottle_id;
END;

-- Where the bottles are. Its boxes are 32-bit floats rounded outwards: it proposes, `bottles` decides.
CREATE VIRTUAL TABLE bottles_rtree USING rtree (
    id, min_latitude, max_latitude, min_longitude, max_longitude
);

-- A bottle's row and its place in the R*-tree live and die together.
CREATE TRIGGER bottle_placed AFTER INSERT ON bottles BEGIN
    INSERT INTO bottles_rtree
    VALUES (new.id, new.latitude, new.latitude, new.longitude, new.longitude);
END;

CREATE TRIGGER bottle_moved AFTER UPDATE OF latitude, longitude ON bottles BEGIN
    UPDATE bottles_rtree
    SET min_latitude = new.latitude, max_latitude = new.latitude,
        min_longitude = new.longitude, max_longitude = new.longitude
    WHERE id = new.id;
END;

CREATE TRIGGER bottle_gone AFTER DELETE ON bottles BEGIN
    DELETE FROM bottles_rtree WHERE id = old.id;
END;

-- What the server makes for itself at the first start: its keys.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
