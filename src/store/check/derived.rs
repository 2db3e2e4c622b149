//! The rows that follow from other tables: their checks, and how to rebuild them.

use std::ops::RangeInclusive;

use crate::store::migrate;
use crate::store::place::bottle_of;

/// A check of rows that follow from other tables: the schema versions that have such rows, a query
/// for the ids of the wrong ones (rewritten by [`for_version`]), and the description.
type DerivedRows = (RangeInclusive<i32>, &'static str, &'static str);

/// The end of a range of versions without one.
const ALL: i32 = i32::MAX;

/// All checks of derived rows.
pub(super) const DERIVED_ROWS: &[DerivedRows] = &[
    (
        1..=7,
        "SELECT id FROM bottles WHERE hidden_at IS NULL AND id NOT IN (SELECT id FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which no search finds",
    ),
    (
        1..=7,
        "SELECT id FROM bottles_rtree WHERE id NOT IN (SELECT id FROM bottles WHERE hidden_at IS NULL)",
        "rows of the R*-tree without a bottle, or with a hidden one",
    ),
    // Before schema 6 a coordinate could be subnormal as a 32-bit float. A box may miss it by less
    // than the smallest normal one.
    (
        1..=7,
        "SELECT id FROM bottles JOIN bottles_rtree USING (id)
         WHERE max(min_latitude - latitude, latitude - max_latitude,
                   min_longitude - longitude, longitude - max_longitude) > 1.1754943508222875e-38",
        "bottles at another position in the R*-tree",
    ),
    (
        8..=ALL,
        "SELECT id FROM bottles
         JOIN bottle_places ON bottle_id = id LEFT JOIN map_bottles AS shown USING (place)
         WHERE hidden_at IS NULL
           AND (shown.owner_id, shown.style, shown.latitude, shown.longitude, shown.formatted_address)
               IS NOT (bottles.owner_id, bottles.style, bottles.latitude, bottles.longitude,
                       bottles.formatted_address)",
        "bottles that are missing on the map, or shown with other values",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles
         WHERE place NOT IN (SELECT place FROM bottle_places JOIN bottles ON id = bottle_id
                             WHERE hidden_at IS NULL)",
        "bottles on the map that do not exist, or are hidden",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles
         WHERE place NOT IN (SELECT place FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which no search finds",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM bottles_rtree
         WHERE place NOT IN (SELECT place FROM map_bottles)",
        "rows of the R*-tree without a bottle, or with a hidden one",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles JOIN bottles_rtree USING (place)
         WHERE latitude NOT BETWEEN min_latitude AND max_latitude
            OR longitude NOT BETWEEN min_longitude AND max_longitude",
        "bottles at another position in the R*-tree",
    ),
    (
        9..=ALL,
        "SELECT id FROM bottles
         JOIN bottle_places ON bottle_id = id JOIN map_bottles AS shown USING (place)
         WHERE shown.open_within_m IS NOT bottles.open_within_m",
        "bottles that the map shows with another distance within which they can be opened",
    ),
    (
        9..=ALL,
        "SELECT bottle_id AS id FROM threads
         WHERE (replies_count, last_reply_id, owner_unread, opener_unread) IS NOT (THREAD_COUNTS)",
        "bottles with wrong counts in a thread",
    ),
    (
        9..=ALL,
        "SELECT threads.bottle_id AS id FROM threads JOIN bottles ON bottles.id = threads.bottle_id
         WHERE owner_blocks <> EXISTS (
             SELECT 1 FROM blocks WHERE blocker_id = owner_id AND blocked_id = opener_id)",
        "bottles with a thread that is wrongly marked as blocked, or not",
    ),
    (
        9..=ALL,
        "SELECT id FROM bottles WHERE (replies_count, unread_count) <> (BOTTLE_COUNTS)",
        "bottles with a wrong number of replies",
    ),
    (
        9..=ALL,
        "SELECT username AS id FROM users WHERE (inbox_count, inbox_unread) <> (INBOX_COUNTS)",
        "accounts with a wrong number of inbox items",
    ),
    (
        1..=ALL,
        "SELECT id FROM bottles
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
        "bottles with a wrong number of openers",
    ),
    (
        3..=ALL,
        "WITH bottle_cells AS (BOTTLE_CELLS), counted AS (
             SELECT level, y, x, count(*) AS bottles FROM bottle_cells GROUP BY 1, 2, 3
         )
         SELECT concat('level ', level, ', row ', y, ', column ', x) AS id
         FROM counted FULL JOIN cells USING (level, y, x)
         WHERE coalesce(bottles, 0) <> coalesce(count, 0)",
        "cells of the map with wrong counts",
    ),
    (
        14..=ALL,
        "WITH summed AS (
             SELECT level, y, x, sum(north) AS north, sum(east) AS east,
                    sum(public_north) AS public_north, sum(public_east) AS public_east
             FROM bottle_cells GROUP BY 1, 2, 3
         )
         SELECT concat('level ', level, ', row ', y, ', column ', x) AS id
         FROM summed JOIN cells USING (level, y, x)
         WHERE (summed.north, summed.east, summed.public_north, summed.public_east)
               IS NOT (cells.north, cells.east, cells.public_north, cells.public_east)",
        "cells of the map with wrong sums of positions",
    ),
];

/// Fills an empty R*-tree and recomputes all counts: the schema versions with such rows, and the
/// statements. From schema 8 on, `pack::fill` fills the tree, from 14 on `cells::recount` the cells.
pub(super) const REBUILD: &[(RangeInclusive<i32>, &str)] = &[
    (
        1..=7,
        "INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles WHERE hidden_at IS NULL",
    ),
    (8..=ALL, "DELETE FROM map_bottles"),
    (
        1..=ALL,
        "UPDATE bottles
         SET openers_count = (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
    ),
    (
        9..=ALL,
        "UPDATE threads SET owner_blocks = EXISTS (
             SELECT 1 FROM bottles JOIN blocks ON blocker_id = owner_id
             WHERE bottles.id = threads.bottle_id AND blocked_id = opener_id);
         UPDATE threads
         SET (replies_count, last_reply_id, owner_unread, opener_unread) = (THREAD_COUNTS);
         UPDATE bottles SET (replies_count, unread_count) = (BOTTLE_COUNTS)
         WHERE (replies_count, unread_count) <> (BOTTLE_COUNTS);
         UPDATE users SET (inbox_count, inbox_unread) = (INBOX_COUNTS)",
    ),
    (
        3..=13,
        "DELETE FROM cells;
         INSERT INTO cells
         SELECT level, y, x, count(*) FROM (BOTTLE_CELLS) GROUP BY 1, 2, 3",
    ),
];

/// The derived columns of a row of `threads`.
const THREAD_COUNTS: &str = "
    SELECT count(*), max(id), count(*) FILTER (WHERE author_id = threads.opener_id AND id > owner_read),
           count(*) FILTER (WHERE author_id <> threads.opener_id AND id > opener_read)
    FROM replies
    WHERE (replies.bottle_id, replies.opener_id) = (threads.bottle_id, threads.opener_id)
      AND hidden_at IS NULL";

/// The derived columns of a row of `bottles`.
const BOTTLE_COUNTS: &str = "
    SELECT coalesce(sum(threads.replies_count), 0), coalesce(sum(owner_unread), 0)
    FROM threads WHERE bottle_id = bottles.id AND NOT owner_blocks";

/// The derived columns of a row of `users`.
const INBOX_COUNTS: &str = "
    SELECT count(*), count(*) FILTER (WHERE inbox_items.id > inbox_read)
    FROM inbox_items WHERE user_id = users.id";

/// Rewrites `sql` for a file of schema `version`: `BOTTLE_CELLS` stands for the query of the view
/// `bottle_cells`, which is missing before schema 6, `BOTTLE_OF_PLACE` for the bottle's id in a
/// place. No bottle is hidden before schema 5, and from schema 9 on those that ended are not on the sea
/// either.
pub(super) fn for_version(sql: &str, version: i32) -> String {
    let sql = sql
        .replace("BOTTLE_CELLS", migrate::bottle_cells())
        .replace("BOTTLE_OF_PLACE", &bottle_of("place"));
    let sql = match version {
        ..5 => sql.replace("hidden_at IS NULL", "true"),
        5..9 => sql,
        _ => sql.replace("hidden_at IS NULL", "on_sea"),
    };
    sql.replace("THREAD_COUNTS", THREAD_COUNTS)
        .replace("BOTTLE_COUNTS", BOTTLE_COUNTS)
        .replace("INBOX_COUNTS", INBOX_COUNTS)
}
