-- A personal access token lets a program use the Bottle contract for an account. It ends with the
-- account, with all its sessions, and at its time.
CREATE TABLE access_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash   BLOB NOT NULL UNIQUE,              -- SHA-256 of the token, which is shown once
    name         TEXT NOT NULL,
    access       TEXT NOT NULL CHECK (access IN ('read', 'full')),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER                            -- a whole minute; NULL until the first use
) STRICT;

CREATE INDEX access_tokens_by_user ON access_tokens (user_id);
CREATE INDEX access_tokens_by_end ON access_tokens (expires_at);
