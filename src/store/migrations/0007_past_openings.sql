-- Keeps the cursors of lists of openings valid for a day after an opening is deleted. A cursor is
-- the id of the last item that a client has seen; this table keeps that item's time, its place in
-- the order. Ids are never reused, so a row always stands for the same opening.

CREATE TABLE past_openings (
    bottle_id INTEGER NOT NULL,
    opener_id INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    gone_at   INTEGER NOT NULL,
    PRIMARY KEY (bottle_id, opener_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_openings_by_time ON past_openings (gone_at);

CREATE TRIGGER opening_gone AFTER DELETE ON openings BEGIN
    INSERT INTO past_openings
    VALUES (old.bottle_id, old.opener_id, old.opened_at, CAST(unixepoch('subsec') * 1000 AS INTEGER))
    ON CONFLICT DO UPDATE SET opened_at = excluded.opened_at, gone_at = excluded.gone_at;
END;
