-- A password that an operator gave out stays good until it is replaced. The page asks for another at the first login.

ALTER TABLE users ADD COLUMN password_is_one_time INTEGER NOT NULL DEFAULT 0;
