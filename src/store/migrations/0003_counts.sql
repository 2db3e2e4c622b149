-- How many bottles lie in each cell of seven grids, so that a map at any zoom is told counts without
-- counting rows. A cell at level n is 360 / 2^n degrees wide and high; level 12 is about 10 km.

CREATE TABLE levels (
    level    INTEGER PRIMARY KEY,
    per_turn INTEGER NOT NULL                       -- cells around the globe: 2^level
) STRICT;

INSERT INTO levels VALUES (2, 4), (4, 16), (6, 64), (8, 256), (10, 1024), (12, 4096), (14, 16384);

-- `y` counts from the south pole, `x` from the antimeridian eastwards. The north pole and the
-- longitude 180 belong to the last cell.
CREATE TABLE cells (
    level INTEGER NOT NULL REFERENCES levels (level),
    y     INTEGER NOT NULL,
    x     INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (level, y, x)
) STRICT, WITHOUT ROWID;

INSERT INTO cells
SELECT level,
       min(CAST((latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
       min(CAST((longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1) AS x,
       count(*)
FROM levels CROSS JOIN bottles
GROUP BY 1, 2, 3;

CREATE TRIGGER bottle_counted AFTER INSERT ON bottles BEGIN
    INSERT INTO cells
    SELECT level,
           min(CAST((new.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1),
           min(CAST((new.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1),
           1
    FROM levels WHERE true
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER bottle_uncounted AFTER DELETE ON bottles BEGIN
    UPDATE cells SET count = cells.count - 1
    FROM levels
    WHERE cells.level = levels.level
      AND cells.y = min(CAST((old.latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1)
      AND cells.x = min(CAST((old.longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1);
END;
