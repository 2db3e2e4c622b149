-- Stores only positions that the R*-tree can represent, and keeps the counts right when a bottle is
-- moved, hidden or deleted.

DROP TRIGGER bottle_placed;
DROP TRIGGER bottle_moved;
DROP TRIGGER bottle_gone;
DROP TRIGGER bottle_counted;
DROP TRIGGER bottle_uncounted;
DROP TRIGGER bottle_hidden;
DROP TRIGGER bottle_shown;

-- The cell of each bottle on the sea at each level. This view is the only SQL that computes cells.
CREATE VIEW bottle_cells AS
SELECT id AS bottle_id, level,
       min(CAST((latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
       min(CAST((longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1) AS x
FROM bottles CROSS JOIN levels
WHERE hidden_at IS NULL;

-- A bottle enters the R*-tree and the counts when it is thrown, and leaves them when it is deleted.
-- A bottle that is moved, hidden or shown leaves with its old values and enters with its new ones.
-- `bottle_cells` reads the bottle's row, so a bottle leaves BEFORE the change.
CREATE TRIGGER bottle_placed AFTER INSERT ON bottles WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    VALUES (new.id, new.latitude, new.latitude, new.longitude, new.longitude);
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_gone BEFORE DELETE ON bottles WHEN old.hidden_at IS NULL BEGIN
    DELETE FROM bottles_rtree WHERE id = old.id;
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_leaves BEFORE UPDATE OF latitude, longitude, hidden_at ON bottles
WHEN old.hidden_at IS NULL BEGIN
    DELETE FROM bottles_rtree WHERE id = old.id;
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_enters AFTER UPDATE OF latitude, longitude, hidden_at ON bottles
WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    VALUES (new.id, new.latitude, new.latitude, new.longitude, new.longitude);
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

-- A cell without bottles has no row.
CREATE TRIGGER cell_emptied AFTER UPDATE OF count ON cells WHEN new.count = 0 BEGIN
    DELETE FROM cells WHERE (level, y, x) = (new.level, new.y, new.x);
END;

DELETE FROM cells WHERE count = 0;

-- The R*-tree rounds its boxes outwards by a factor, which does not change a subnormal 32-bit
-- float: the box of such a coordinate may miss it. 1.1754943508222875e-38 is 2^-126, the smallest
-- normal float. The triggers above update the R*-tree.
UPDATE bottles SET latitude = 0
WHERE abs(latitude) < 1.1754943508222875e-38 AND latitude <> 0;
UPDATE bottles SET longitude = 0
WHERE abs(longitude) < 1.1754943508222875e-38 AND longitude <> 0;
