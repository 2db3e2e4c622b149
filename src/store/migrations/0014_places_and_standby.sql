-- Sums of positions per cell: the mean position of the bottles of a cell is known without reading
-- them. All sums are of integers, so a bottle that leaves takes away exactly what it brought.

-- `north` and `east` sum the positions in units of 2^-22 of a turn, about 10 m. `public_north` and
-- `public_east` sum the middles of the bottles' cells in the public grid of level 12, in units of
-- 2^-13 of a turn: what visitors learn from them follows from counts that they may read anyway.
ALTER TABLE cells ADD COLUMN north INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cells ADD COLUMN east INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cells ADD COLUMN public_north INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cells ADD COLUMN public_east INTEGER NOT NULL DEFAULT 0;

-- A row of level 12 joins so many columns that no cell of the public grid is narrower than 9.5 km.
-- The limits are rows from the equator to the row's edge nearer to a pole; a test compares them with
-- the grid that `counts` answers with.
DROP VIEW bottle_cells;
CREATE VIEW bottle_cells AS
SELECT id AS bottle_id, level,
       min(CAST(up * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
       min(CAST(along * per_turn / 360 AS INTEGER), per_turn - 1) AS x,
       CAST(round(up * 4194304 / 360) AS INTEGER) AS north,
       CAST(round(along * 4194304 / 360) AS INTEGER) AS east,
       2 * public_y + 1 AS public_north,
       2 * (public_x & -joined) + joined AS public_east
FROM (
    SELECT *, CASE
               WHEN edge < 155 THEN 1
               WHEN edge < 694 THEN 2
               WHEN edge < 864 THEN 4
               WHEN edge < 945 THEN 8
               WHEN edge < 985 THEN 16
               WHEN edge < 1005 THEN 32
               WHEN edge < 1015 THEN 64
               WHEN edge < 1020 THEN 128
               WHEN edge < 1022 THEN 256
               WHEN edge < 1023 THEN 512
               WHEN edge < 1024 THEN 1024
               ELSE 2048
           END AS joined
    FROM (
        SELECT *, max(public_y - 1023, 1024 - public_y) AS edge
        FROM (
            SELECT id, latitude + 90 AS up, longitude + 180 AS along,
                   min(CAST((latitude + 90) * 4096 / 360 AS INTEGER), 2047) AS public_y,
                   min(CAST((longitude + 180) * 4096 / 360 AS INTEGER), 4095) AS public_x
            FROM bottles
            WHERE on_sea
        )
    )
) CROSS JOIN levels;

DROP TRIGGER bottle_placed;
DROP TRIGGER bottle_gone;
DROP TRIGGER bottle_leaves;
DROP TRIGGER bottle_enters;

-- As in schema 9, with the sums.
CREATE TRIGGER bottle_placed AFTER INSERT ON bottles WHEN new.on_sea BEGIN
    INSERT INTO bottles_rtree
    SELECT place, new.latitude, new.latitude, new.longitude, new.longitude
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO map_bottles
    SELECT place, new.owner_id, new.style, new.latitude, new.longitude, new.formatted_address,
           new.open_within_m
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO cell_changes SELECT *, 1 FROM bottle_cells WHERE bottle_id = new.id;
END;

CREATE TRIGGER bottle_gone BEFORE DELETE ON bottles WHEN old.on_sea BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cell_changes SELECT *, -1 FROM bottle_cells WHERE bottle_id = old.id;
END;

CREATE TRIGGER bottle_leaves
BEFORE UPDATE OF owner_id, style, latitude, longitude, formatted_address, open_within_m, hidden_at,
                 ended_at ON bottles
WHEN old.on_sea BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cell_changes SELECT *, -1 FROM bottle_cells WHERE bottle_id = old.id;
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
    INSERT INTO cell_changes SELECT *, 1 FROM bottle_cells WHERE bottle_id = new.id;
END;

-- A bottle that enters a cell (`sign` 1) or leaves it (-1).
CREATE VIEW cell_changes AS SELECT *, 1 AS sign FROM bottle_cells;

CREATE TRIGGER cell_changed INSTEAD OF INSERT ON cell_changes BEGIN
    INSERT INTO cells
    VALUES (new.level, new.y, new.x, new.sign, new.sign * new.north, new.sign * new.east,
            new.sign * new.public_north, new.sign * new.public_east)
    ON CONFLICT DO UPDATE SET
        count = count + excluded.count,
        north = north + excluded.north,
        east = east + excluded.east,
        public_north = public_north + excluded.public_north,
        public_east = public_east + excluded.public_east;
END;
