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

-- A guest class: pupils who have no account join with a code and a nickname. Each becomes a guest, an
-- account without a usable password, whose session ends with the class.
CREATE TABLE classes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    code       TEXT UNIQUE,                         -- NULL once nobody may join any more
    teacher_id INTEGER REFERENCES users (id) ON DELETE SET NULL,    -- NULL for the command line too
    opened_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL                     -- an end by hand moves it
) STRICT;

CREATE INDEX classes_by_teacher ON classes (teacher_id) WHERE teacher_id IS NOT NULL;
CREATE INDEX classes_by_end ON classes (ends_at);

-- NULL for an account that is no guest. A guest has no role.
ALTER TABLE users ADD COLUMN class_id INTEGER REFERENCES classes (id)
    CHECK (class_id IS NULL OR NOT is_teacher);

CREATE INDEX users_guests ON users (class_id) WHERE class_id IS NOT NULL;

-- Nobody joins the class of a teacher who no longer is one.
CREATE TRIGGER class_left_alone BEFORE DELETE ON users WHEN old.is_teacher BEGIN
    UPDATE classes SET code = NULL WHERE teacher_id = old.id;
END;

CREATE TRIGGER class_without_teacher AFTER UPDATE OF is_teacher ON users WHEN NOT new.is_teacher BEGIN
    UPDATE classes SET code = NULL WHERE teacher_id = new.id;
END;

-- The webhook: where the server sends what happens, chosen by an operator. No row while it is off.
CREATE TABLE webhook (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    url             TEXT NOT NULL,
    form            TEXT NOT NULL CHECK (form IN ('json', 'text')),
    events          TEXT NOT NULL,                  -- names of events, with a space between two
    secret          TEXT NOT NULL,                  -- with which messages are signed
    gone_at         INTEGER,                        -- the receiver answered 410; nothing is sent until it is set again
    last_success_at INTEGER,
    last_failure_at INTEGER,
    last_failure    TEXT,
    given_up        INTEGER NOT NULL DEFAULT 0,     -- messages deleted after the last attempt
    dropped         INTEGER NOT NULL DEFAULT 0,     -- messages deleted because too many waited
    disk_is_low     INTEGER NOT NULL DEFAULT 0      -- whether the last message about the disk still holds
) STRICT;

-- The messages that wait to be sent. They are added by the change that they tell of, and deleted once
-- the receiver has accepted them.
CREATE TABLE webhook_outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id      TEXT NOT NULL UNIQUE,           -- the same at each attempt
    type            TEXT NOT NULL,
    data            TEXT NOT NULL,                  -- JSON
    created_at      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhook_outbox_by_attempt ON webhook_outbox (next_attempt_at);

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
