-- A teacher keeps the sea kind: bottles are reported, hidden and shown again, accounts are muted for a
-- time, and a log says who did what.

ALTER TABLE users ADD COLUMN is_teacher INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN muted_until INTEGER;   -- throws nothing before then
ALTER TABLE bottles ADD COLUMN hidden_at INTEGER;   -- NULL while it is on the sea

CREATE INDEX bottles_hidden ON bottles (hidden_at) WHERE hidden_at IS NOT NULL;

-- What is hidden is neither in the R*-tree nor in a count: no question need leave it out.
DROP TRIGGER bottle_placed;
DROP TRIGGER bottle_counted;
DROP TRIGGER bottle_uncounted;

CREATE TRIGGER bottle_placed AFTER INSERT ON bottles WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    VALUES (new.id, new.latitude, new.latitude, new.longitude, new.longitude);
END;

CREATE TRIGGER bottle_counted AFTER INSERT ON bottles WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO cells
    SELECT level,
           min(CAST((new.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1),
           min(CAST((new.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1),
           1
    FROM levels WHERE true
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER bottle_uncounted AFTER DELETE ON bottles WHEN old.hidden_at IS NULL BEGIN
    UPDATE cells SET count = cells.count - 1
    FROM levels
    WHERE cells.level = levels.level
      AND cells.y = min(CAST((old.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1)
      AND cells.x = min(CAST((old.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1);
END;

CREATE TRIGGER bottle_hidden AFTER UPDATE OF hidden_at ON bottles
WHEN old.hidden_at IS NULL AND new.hidden_at IS NOT NULL BEGIN
    DELETE FROM bottles_rtree WHERE id = old.id;
    UPDATE cells SET count = cells.count - 1
    FROM levels
    WHERE cells.level = levels.level
      AND cells.y = min(CAST((old.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1)
      AND cells.x = min(CAST((old.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1);
END;

CREATE TRIGGER bottle_shown AFTER UPDATE OF hidden_at ON bottles
WHEN old.hidden_at IS NOT NULL AND new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    VALUES (new.id, new.latitude, new.latitude, new.longitude, new.longitude);
    INSERT INTO cells
    SELECT level,
           min(CAST((new.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1),
           min(CAST((new.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1),
           1
    FROM levels WHERE true
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

-- One report of a bottle by each. A teacher who has looked settles them.
CREATE TABLE reports (
    bottle_id   INTEGER NOT NULL REFERENCES bottles (id) ON DELETE CASCADE,
    reporter_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    reason      TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    settled_at  INTEGER,
    PRIMARY KEY (bottle_id, reporter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reports_open ON reports (bottle_id) WHERE settled_at IS NULL;
CREATE INDEX reports_by_reporter ON reports (reporter_id);

-- Who did what. It outlives the accounts and bottles it names.
CREATE TABLE moderation_log (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    done_at   INTEGER NOT NULL,
    actor     TEXT,                                 -- a username; NULL for enough reports
    action    TEXT NOT NULL CHECK (action IN ('hide', 'show', 'mute', 'unmute', 'freeze', 'unfreeze')),
    bottle_id INTEGER,
    user_id   INTEGER,                              -- the account muted, or whose bottle it is
    username  TEXT,
    until     INTEGER                               -- of a mute
) STRICT;
