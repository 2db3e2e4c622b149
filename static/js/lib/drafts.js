// The drafts on this device. Of bottles: one for each account, and one of a visitor, which the next account takes over.
// Of replies: one for each account and thread.

import { readStored, readStoredObject, removeStored, session, writeStored } from './core.js';

const DRAFT_KEY = 'bottle.draft';
const REPLY_KEY = 'bottle.reply';

/**
 * The values of the form. `suggestedAddress` is the address that the page found: it equals `address` unless the reader
 * wrote another one.
 * @typedef {object} Draft
 * @property {string} [style]
 * @property {string} [content]
 * @property {string} [address]
 * @property {string} [suggestedAddress]
 * @property {string} [latitude]
 * @property {string} [longitude]
 * @property {string} [expiresInDays]
 * @property {string} [openWithin] in metres
 */

/** @typedef {ReturnType<typeof openDraft>} DraftStore the draft of one form */

/** @param {number} userId */
const keyOf = (userId) => `${DRAFT_KEY}.${userId}`;

/**
 * Opens the draft of the session's account, or of the visitor. It belongs to that account also after the session has
 * ended; a visitor's draft belongs to the first account that logs in.
 */
export function openDraft() {
  // An older version stored a draft that belongs to no account.
  writeStored(DRAFT_KEY, null);
  let ownerId = session.user?.user_id ?? null;

  const adopt = () => {
    if (ownerId !== null || !session.user) return;
    ownerId = session.user.user_id;
    writeStored(DRAFT_KEY, null, 'sessionStorage');
  };
  /** @param {Draft} draft */
  function write(draft) {
    adopt();
    const text = JSON.stringify(draft);
    if (ownerId === null) writeStored(DRAFT_KEY, text, 'sessionStorage');
    else writeStored(keyOf(ownerId), text);
  }
  return {
    /** @returns {Draft} */
    read() {
      const own = ownerId === null ? null : readStoredObject(keyOf(ownerId));
      const draft = own ?? readStoredObject(DRAFT_KEY, 'sessionStorage');
      if (ownerId !== null && draft && !own) {
        write(draft);
        writeStored(DRAFT_KEY, null, 'sessionStorage');
      }
      return draft ?? {};
    },
    write,
    /** Removes the draft from the device. */
    remove() {
      adopt();
      if (ownerId !== null) removeDraft(ownerId);
    },
    /** Tells whether the session's account may throw it. */
    isOwn() {
      adopt();
      return ownerId === (session.user?.user_id ?? null);
    },
  };
}

/** @param {number} userId */
export const removeDraft = (userId) => writeStored(keyOf(userId), null);

/**
 * Opens the draft of the session's account in a thread.
 * @param {number} bottleId
 * @param {number} openerId
 */
export function openReplyDraft(bottleId, openerId) {
  const key = `${REPLY_KEY}.${session.user?.user_id}.${bottleId}.${openerId}`;
  return {
    read: () => readStored(key) ?? '',
    /** @param {string} text */
    write: (text) => writeStored(key, text || null),
  };
}

/** @param {number} userId */
export function removeReplyDrafts(userId) {
  removeStored(`${REPLY_KEY}.${userId}.`);
}
