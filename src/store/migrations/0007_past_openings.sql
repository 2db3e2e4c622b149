-- A list of openings goes on after the last id that its client has seen. Where that bottle or that account is gone
-- by then, its place in the order is still known from here, for a day. Ids are never given twice, so a row stands
-- for one opening for good.

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
