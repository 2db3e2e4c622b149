// The number of replies to a bottle, with a mark for unread ones.

import { t } from '../lib/core.js';
import { el } from '../lib/dom.js';

/**
 * Returns "3 replies" and a mark such as "2 new", or nothing if there are no replies.
 * @param {{ replies_count?: number, unread_count?: number }} counts
 */
export function repliesBadge({ replies_count: replies = 0, unread_count: unread = 0 }) {
  if (!replies && !unread) return null;
  return el('span', { class: 'replies-count' },
    t('talk.count', { n: replies }),
    unread > 0 && ' ',
    unread > 0 && el('span', { class: 'badge' }, t('talk.unread', { n: unread })));
}
