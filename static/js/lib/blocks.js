// The accounts that the session's account has blocked on this device. No response of the server lists them.

/** @import { Person } from './types.js' */

import { readStoredObject, session, writeStored } from './core.js';
import { displayName } from './format.js';

const BLOCKS_KEY = 'bottle.blocks';

const key = () => `${BLOCKS_KEY}.${session.user?.user_id}`;

/**
 * Returns the blocked accounts: their ids and names.
 * @returns {{ id: number, name: string }[]}
 */
export const storedBlocks = () =>
  Object.entries(readStoredObject(key()) ?? {}).map(([id, name]) => ({ id: Number(id), name: String(name) }));

/** @param {number} userId */
export const isBlockedHere = (userId) => storedBlocks().some(({ id }) => id === userId);

/**
 * Stores that an account was blocked.
 * @param {Person} person
 */
export function storeBlock(person) {
  writeStored(key(), JSON.stringify({ ...readStoredObject(key()), [person.user_id]: displayName(person) }));
}

/** @param {number} userId */
export function removeBlock(userId) {
  writeStored(key(), JSON.stringify({ ...readStoredObject(key()), [userId]: undefined }));
}
