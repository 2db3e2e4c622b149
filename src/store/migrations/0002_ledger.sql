-- What a Ledger account has. RESTRICT is the rule that an account is not deleted while it has any;
-- whoever deletes it all the same must first delete these.

CREATE TABLE cards (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    name    TEXT NOT NULL
) STRICT;

CREATE INDEX cards_by_user ON cards (user_id);

CREATE TABLE members (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    name    TEXT NOT NULL
) STRICT;

CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE divisions (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
    name    TEXT NOT NULL
) STRICT;

CREATE INDEX divisions_by_user ON divisions (user_id);
