ALTER TABLE bottles DROP COLUMN content;

-- A bottle enters the R*-tree, the map and the counts when it is thrown, and leaves them when it is
-- deleted. A bottle that is changed, hidden or shown leaves with its old values and enters with its
-- new ones. The views read the bottle's row, so a bottle leaves BEFORE the change.
CREATE TRIGGER bottle_placed AFTER INSERT ON bottles WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    SELECT place, new.latitude, new.latitude, new.longitude, new.longitude
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO map_bottles
    SELECT place, new.owner_id, new.style, new.latitude, new.longitude, new.formatted_address
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_gone BEFORE DELETE ON bottles WHEN old.hidden_at IS NULL BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_leaves
BEFORE UPDATE OF owner_id, style, latitude, longitude, formatted_address, hidden_at ON bottles
WHEN old.hidden_at IS NULL BEGIN
    DELETE FROM bottles_rtree
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    DELETE FROM map_bottles
    WHERE place = (SELECT place FROM bottle_places WHERE bottle_id = old.id);
    INSERT INTO cells SELECT level, y, x, -1 FROM bottle_cells WHERE bottle_id = old.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER bottle_enters
AFTER UPDATE OF owner_id, style, latitude, longitude, formatted_address, hidden_at ON bottles
WHEN new.hidden_at IS NULL BEGIN
    INSERT INTO bottles_rtree
    SELECT place, new.latitude, new.latitude, new.longitude, new.longitude
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO map_bottles
    SELECT place, new.owner_id, new.style, new.latitude, new.longitude, new.formatted_address
    FROM bottle_places WHERE bottle_id = new.id;
    INSERT INTO cells SELECT level, y, x, 1 FROM bottle_cells WHERE bottle_id = new.id
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

-- A place has 31 bits for the id.
CREATE TRIGGER bottle_ids_end AFTER INSERT ON bottles WHEN new.id > 2147483647 BEGIN
    SELECT RAISE(ABORT, 'a database holds at most 2147483647 bottles');
END;
