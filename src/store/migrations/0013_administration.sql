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
