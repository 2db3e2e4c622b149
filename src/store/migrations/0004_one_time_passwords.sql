-- A password that an operator gave out is for one login: whoever it belongs to then sets their own.

ALTER TABLE users ADD COLUMN password_is_one_time INTEGER NOT NULL DEFAULT 0;
