-- The log of moderation becomes the log of all that teachers and operators do.
CREATE TABLE audit_log (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    done_at   INTEGER NOT NULL,
    actor     TEXT,                                 -- a username; NULL for enough reports and the command line
    action    TEXT NOT NULL,                        -- a word of `store/action.rs`
    bottle_id INTEGER,
    reply_id  INTEGER,
    user_id   INTEGER,                              -- the account that it concerns, or whose bottle or reply it is
    username  TEXT,
    until     INTEGER,                              -- of a mute
    detail    TEXT                                  -- the new value: a role, a mode, a file name
) STRICT;

INSERT INTO audit_log (id, done_at, actor, action, bottle_id, reply_id, user_id, username, until)
SELECT id, done_at, actor, action, bottle_id, reply_id, user_id, username, until FROM moderation_log;

DROP TABLE moderation_log;
