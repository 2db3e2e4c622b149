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

-- The backups and checks that the server has made, and those that failed.
CREATE TABLE maintenance (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('backup', 'check')),
    ended_at INTEGER NOT NULL,
    file     TEXT,                                  -- the name of a backup that was made
    bytes    INTEGER,                               -- its size
    is_sound INTEGER CHECK (is_sound IN (0, 1)),    -- what the check of the file or the copy found; NULL for none
    failure  TEXT                                   -- why it failed, or the first finding of a check
) STRICT;
