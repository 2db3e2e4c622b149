-- Stores a bottle's message apart from the bottle, and a copy of what the map shows in the order of
-- places, so that no query of the map reads a message. `migrate.rs` moves the rows.

CREATE TABLE messages (
    bottle_id INTEGER PRIMARY KEY REFERENCES bottles (id) ON DELETE CASCADE,
    content   TEXT NOT NULL
) STRICT;

-- The place of a bottle: the Morton code of its cell of 2^16 by 2^16 cells, then 31 bits for its
-- id. Neighbours on the map are therefore neighbours in the tables by place, a place stands for the
-- same bottle for ever, and its last 31 bits are the bottle's id. The nested queries spread the
-- 16 bits of both coordinates at once, each doubling the distance between the bits.
CREATE VIEW bottle_places AS
SELECT bottle_id, ((((v & 0xFFFFFFFF) | (v >> 31)) << 31) | bottle_id) AS place
FROM (SELECT bottle_id, ((v | (v << 1)) & 0x5555555555555555) AS v
FROM (SELECT bottle_id, ((v | (v << 2)) & 0x3333333333333333) AS v
FROM (SELECT bottle_id, ((v | (v << 4)) & 0x0F0F0F0F0F0F0F0F) AS v
FROM (SELECT bottle_id, ((v | (v << 8)) & 0x00FF00FF00FF00FF) AS v
FROM (SELECT id AS bottle_id,
             min(CAST((longitude + 180) * 65536 / 360 AS INTEGER), 65535)
             | (min(CAST((latitude + 90) * 65536 / 180 AS INTEGER), 65535) << 32) AS v
      FROM bottles)))));

-- The bottles on the sea by place, closed, as the map shows them.
CREATE TABLE map_bottles (
    place             INTEGER PRIMARY KEY,
    owner_id          INTEGER NOT NULL,
    style             INTEGER NOT NULL,
    latitude          REAL NOT NULL,
    longitude         REAL NOT NULL,
    formatted_address TEXT NOT NULL
) STRICT;

-- The R*-tree now stores places instead of ids.
DROP TABLE bottles_rtree;
CREATE VIRTUAL TABLE bottles_rtree USING rtree (
    place, min_latitude, max_latitude, min_longitude, max_longitude
);

DROP TRIGGER bottle_placed;
DROP TRIGGER bottle_gone;
DROP TRIGGER bottle_leaves;
DROP TRIGGER bottle_enters;
