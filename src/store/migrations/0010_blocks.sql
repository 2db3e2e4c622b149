-- A block marks no replies as read: they are unread again when it ends.

DROP TRIGGER blocked;
CREATE TRIGGER blocked AFTER INSERT ON blocks BEGIN
    UPDATE threads SET owner_blocks = 1
    WHERE opener_id = new.blocked_id
      AND bottle_id IN (SELECT id FROM bottles WHERE owner_id = new.blocker_id);
    DELETE FROM inbox_items WHERE user_id = new.blocker_id AND actor_id = new.blocked_id;
END;
