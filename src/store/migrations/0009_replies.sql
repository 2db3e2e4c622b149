-- Openers and owners write to each other, accounts have an inbox and block each other, and bottles
-- end or can be opened only near their place.

ALTER TABLE bottles ADD COLUMN expires_at INTEGER;      -- NULL for never
ALTER TABLE bottles ADD COLUMN ended_at INTEGER;        -- set once, after expires_at
ALTER TABLE bottles ADD COLUMN open_within_m INTEGER;   -- NULL for anywhere
ALTER TABLE bottles ADD COLUMN replies_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bottles ADD COLUMN unread_count INTEGER NOT NULL DEFAULT 0; -- replies that its owner has not read
-- True if other accounts may learn that the bottle exists.
ALTER TABLE bottles ADD COLUMN on_sea INTEGER AS (hidden_at IS NULL AND ended_at IS NULL) VIRTUAL;

ALTER TABLE map_bottles ADD COLUMN open_within_m INTEGER;

CREATE INDEX bottles_ending ON bottles (expires_at)
WHERE expires_at IS NOT NULL AND ended_at IS NULL;

CREATE INDEX bottles_ended ON bottles (owner_id) WHERE ended_at IS NOT NULL;

DROP VIEW bottle_cells;
CREATE VIEW bottle_cells AS
SELECT id AS bottle_id, level,
       min(CAST((latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
       min(CAST((longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1) AS x
FROM bottles CROSS JOIN levels
WHERE on_sea;

DROP TRIGGER bottle_placed;
DROP TRIGGER bottle_gone;
DROP TRIGGER bottle_leaves;
DROP TRIGGER bottle_enters;

-- A bottle is in the R*-tree, on the map and in the counts while it is on the sea. A bottle that
-- changes leaves with its old values and enters with its new ones. The views read the bottle's row,
-- so a bottle leaves BEFORE the change.
CREATE TRIGGER bottle_placed AFTER INSERT ON bottles WHEN new.on_sea BEGIN
    INSERT INTO bottles_rtree
    SELECT place, new.latitude, new.latitude, new.longitude, new.longitude
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO map_bottles
    SELECT place, new.owner_id, new.style, new.latitude, new.longitude, new.formatted_address,
           new.open_within_m
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_gone BEFORE DELETE ON bottles WHEN old.on_sea BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_leaves
BEFORE UPDATE OF owner_id, style, latitude, longitude, formatted_address, open_within_m, hidden_at,
                 ended_at ON bottles
WHEN old.on_sea BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_enters
AFTER UPDATE OF owner_id, style, latitude, longitude, formatted_address, open_within_m, hidden_at,
                ended_at ON bottles
WHEN new.on_sea BEGIN
    INSERT INTO bottles_rtree
    SELECT place, new.latitude, new.latitude, new.longitude, new.longitude
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO map_bottles
    SELECT place, new.owner_id, new.style, new.latitude, new.longitude, new.formatted_address,
           new.open_within_m
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

-- The conversation of a bottle's owner with one of its openers, who writes first.
CREATE TABLE threads (
    bottle_id     INTEGER NOT NULL,
    opener_id     INTEGER NOT NULL,
    replies_count INTEGER NOT NULL DEFAULT 0,   -- without hidden replies
    last_reply_id INTEGER,                      -- the latest that is not hidden
    owner_read    INTEGER NOT NULL DEFAULT 0,   -- the last reply that the owner has read
    opener_read   INTEGER NOT NULL DEFAULT 0,
    owner_unread  INTEGER NOT NULL DEFAULT 0,   -- replies of the opener after owner_read
    opener_unread INTEGER NOT NULL DEFAULT 0,
    owner_blocks  INTEGER NOT NULL DEFAULT 0,   -- the owner has blocked the opener
    PRIMARY KEY (bottle_id, opener_id),
    FOREIGN KEY (bottle_id, opener_id) REFERENCES openings (bottle_id, opener_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX threads_by_time ON threads (bottle_id, last_reply_id);
CREATE INDEX threads_by_opener ON threads (opener_id);

CREATE TABLE replies (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    bottle_id  INTEGER NOT NULL,
    opener_id  INTEGER NOT NULL,
    author_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    hidden_at  INTEGER,
    FOREIGN KEY (bottle_id, opener_id) REFERENCES threads (bottle_id, opener_id) ON DELETE CASCADE
) STRICT;

CREATE INDEX replies_by_thread ON replies (bottle_id, opener_id, id);
CREATE INDEX replies_by_author ON replies (author_id);
CREATE INDEX replies_hidden ON replies (bottle_id) WHERE hidden_at IS NOT NULL;

-- The counts of a thread follow its replies, and those of a bottle its threads.
CREATE TRIGGER reply_added AFTER INSERT ON replies WHEN new.hidden_at IS NULL BEGIN
    UPDATE threads SET
        replies_count = replies_count + 1,
        last_reply_id = max(coalesce(last_reply_id, 0), new.id),
        owner_unread = owner_unread + (new.author_id = opener_id),
        opener_unread = opener_unread + (new.author_id <> opener_id)
    WHERE (bottle_id, opener_id) = (new.bottle_id, new.opener_id);
END;

CREATE TRIGGER reply_gone AFTER DELETE ON replies WHEN old.hidden_at IS NULL BEGIN
    UPDATE threads SET
        replies_count = replies_count - 1,
        last_reply_id = (SELECT id FROM replies
                         WHERE (bottle_id, opener_id) = (old.bottle_id, old.opener_id)
                           AND hidden_at IS NULL ORDER BY id DESC LIMIT 1),
        owner_unread = owner_unread - (old.author_id = opener_id AND old.id > owner_read),
        opener_unread = opener_unread - (old.author_id <> opener_id AND old.id > opener_read)
    WHERE (bottle_id, opener_id) = (old.bottle_id, old.opener_id);
END;

CREATE TRIGGER reply_hidden AFTER UPDATE OF hidden_at ON replies
WHEN old.hidden_at IS NULL AND new.hidden_at IS NOT NULL BEGIN
    UPDATE threads SET
        replies_count = replies_count - 1,
        last_reply_id = (SELECT id FROM replies
                         WHERE (bottle_id, opener_id) = (old.bottle_id, old.opener_id)
                           AND hidden_at IS NULL ORDER BY id DESC LIMIT 1),
        owner_unread = owner_unread - (old.author_id = opener_id AND old.id > owner_read),
        opener_unread = opener_unread - (old.author_id <> opener_id AND old.id > opener_read)
    WHERE (bottle_id, opener_id) = (old.bottle_id, old.opener_id);
    DELETE FROM inbox_items WHERE reply_id = old.id;
END;

CREATE TRIGGER reply_shown AFTER UPDATE OF hidden_at ON replies
WHEN old.hidden_at IS NOT NULL AND new.hidden_at IS NULL BEGIN
    UPDATE threads SET
        replies_count = replies_count + 1,
        last_reply_id = max(coalesce(last_reply_id, 0), new.id),
        owner_unread = owner_unread + (new.author_id = opener_id AND new.id > owner_read),
        opener_unread = opener_unread + (new.author_id <> opener_id AND new.id > opener_read)
    WHERE (bottle_id, opener_id) = (new.bottle_id, new.opener_id);
END;

CREATE TRIGGER thread_counted
AFTER UPDATE OF replies_count, owner_unread, owner_blocks ON threads BEGIN
    UPDATE bottles SET
        replies_count = replies_count + iif(new.owner_blocks, 0, new.replies_count)
                        - iif(old.owner_blocks, 0, old.replies_count),
        unread_count = unread_count + iif(new.owner_blocks, 0, new.owner_unread)
                       - iif(old.owner_blocks, 0, old.owner_unread)
    WHERE id = new.bottle_id;
END;

CREATE TRIGGER thread_gone AFTER DELETE ON threads WHEN NOT old.owner_blocks BEGIN
    UPDATE bottles SET replies_count = replies_count - old.replies_count,
                       unread_count = unread_count - old.owner_unread
    WHERE id = old.bottle_id;
END;

-- The report of a reply by the other side. A teacher's decision settles it.
CREATE TABLE reply_reports (
    reply_id    INTEGER NOT NULL REFERENCES replies (id) ON DELETE CASCADE,
    reporter_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    reason      TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    settled_at  INTEGER,
    PRIMARY KEY (reply_id, reporter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reply_reports_open ON reply_reports (reply_id) WHERE settled_at IS NULL;
CREATE INDEX reply_reports_by_reporter ON reply_reports (reporter_id);

ALTER TABLE moderation_log ADD COLUMN reply_id INTEGER;

CREATE TABLE blocks (
    blocker_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_at INTEGER NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX blocks_by_blocked ON blocks (blocked_id);

CREATE TRIGGER blocked AFTER INSERT ON blocks BEGIN
    UPDATE threads SET owner_blocks = 1
    WHERE opener_id = new.blocked_id
      AND bottle_id IN (SELECT id FROM bottles WHERE owner_id = new.blocker_id);
    UPDATE threads SET opener_read = coalesce(last_reply_id, opener_read), opener_unread = 0
    WHERE opener_id = new.blocker_id
      AND bottle_id IN (SELECT id FROM bottles WHERE owner_id = new.blocked_id);
    DELETE FROM inbox_items WHERE user_id = new.blocker_id AND actor_id = new.blocked_id;
END;

CREATE TRIGGER unblocked AFTER DELETE ON blocks BEGIN
    UPDATE threads SET owner_blocks = 0
    WHERE opener_id = old.blocked_id
      AND bottle_id IN (SELECT id FROM bottles WHERE owner_id = old.blocker_id);
END;

-- The events of an account's bottles and threads. An item is unread if its id is above the
-- account's `inbox_read`.
CREATE TABLE inbox_items (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('opened', 'replied', 'hidden', 'shown', 'expired')),
    bottle_id  INTEGER NOT NULL REFERENCES bottles (id) ON DELETE CASCADE,
    actor_id   INTEGER REFERENCES users (id) ON DELETE CASCADE,
    reply_id   INTEGER REFERENCES replies (id) ON DELETE CASCADE,
    count      INTEGER NOT NULL DEFAULT 1,      -- of openings
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX inbox_items_by_user ON inbox_items (user_id, id);
CREATE INDEX inbox_items_by_bottle ON inbox_items (bottle_id, kind);
CREATE INDEX inbox_items_by_actor ON inbox_items (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX inbox_items_by_reply ON inbox_items (reply_id) WHERE reply_id IS NOT NULL;

ALTER TABLE users ADD COLUMN inbox_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN inbox_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN inbox_unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN inbox_silenced INTEGER NOT NULL DEFAULT 0; -- a bit for each kind, in the order above

CREATE TRIGGER inbox_item_added AFTER INSERT ON inbox_items BEGIN
    UPDATE users SET inbox_count = inbox_count + 1, inbox_unread = inbox_unread + 1
    WHERE id = new.user_id;
    DELETE FROM inbox_items
    WHERE id = (SELECT id FROM inbox_items WHERE user_id = new.user_id ORDER BY id LIMIT 1)
      AND (SELECT inbox_count FROM users WHERE id = new.user_id) > 1000;
END;

CREATE TRIGGER inbox_item_gone AFTER DELETE ON inbox_items BEGIN
    UPDATE users SET inbox_count = inbox_count - 1,
                     inbox_unread = inbox_unread - (old.id > inbox_read)
    WHERE id = old.user_id;
END;

-- Only its owner hears of a bottle that left the sea.
CREATE TRIGGER bottle_left AFTER UPDATE OF hidden_at, ended_at ON bottles
WHEN old.on_sea AND NOT new.on_sea BEGIN
    DELETE FROM inbox_items WHERE bottle_id = new.id AND user_id <> new.owner_id;
END;

-- The keys of throws of the last day: a request that is sent again throws no second bottle.
CREATE TABLE throw_keys (
    owner_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key       TEXT NOT NULL,
    bottle_id INTEGER NOT NULL REFERENCES bottles (id) ON DELETE CASCADE,
    thrown_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX throw_keys_by_bottle ON throw_keys (bottle_id);
CREATE INDEX throw_keys_by_time ON throw_keys (thrown_at);
