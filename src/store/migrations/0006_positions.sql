-- The R*-tree stores 32-bit floats. A position nearer to 0 than the smallest normal one lies outside
-- its own box, so it becomes 0. The trigger `bottle_moved` keeps the R*-tree in step; no cell changes,
-- because such a value and 0 lie in the same cell.
UPDATE bottles SET latitude = 0 WHERE latitude <> 0 AND abs(latitude) < 1.1754943508222875e-38;
UPDATE bottles SET longitude = 0 WHERE longitude <> 0 AND abs(longitude) < 1.1754943508222875e-38;

-- A cell without bottles has no row.
DELETE FROM cells WHERE count = 0;

CREATE TRIGGER cell_emptied AFTER UPDATE OF count ON cells WHEN new.count = 0 BEGIN
    DELETE FROM cells WHERE level = new.level AND y = new.y AND x = new.x;
END;
