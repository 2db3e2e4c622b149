-- Operators run the server from the page: they decide who gets in, and invite.

-- An operator may do what a teacher may, so it is marked as one too.
ALTER TABLE users ADD COLUMN is_operator INTEGER NOT NULL DEFAULT 0 CHECK (is_operator <= is_teacher);

CREATE INDEX users_operators ON users (id) WHERE is_operator;

-- The setup link, whose hash is in `meta`, makes the first operator. It ends when there is an
-- operator, also one of the command line.
CREATE TRIGGER operator_added AFTER INSERT ON users WHEN new.is_operator BEGIN
    DELETE FROM meta WHERE key = 'setup_hash';
END;

CREATE TRIGGER operator_appointed AFTER UPDATE OF is_operator ON users WHEN new.is_operator BEGIN
    DELETE FROM meta WHERE key = 'setup_hash';
END;

-- An invitation lets a number of people register. It ends with the account that made it.
CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    code_hash  BLOB NOT NULL UNIQUE,                -- SHA-256 of the code, which is shown once
    role       TEXT NOT NULL CHECK (role IN ('user', 'teacher')),
    uses       INTEGER NOT NULL CHECK (uses > 0),   -- accounts that it lets in altogether
    used       INTEGER NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
    creator_id INTEGER REFERENCES users (id) ON DELETE CASCADE,     -- NULL for the command line
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invitations_by_creator ON invitations (creator_id) WHERE creator_id IS NOT NULL;
CREATE INDEX invitations_by_end ON invitations (expires_at);
