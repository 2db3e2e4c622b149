// A conversation about a bottle, between its owner and one opener: the replies, and the form for the next one.

/** @import { App, InboxItem, Person, Reply } from '../lib/types.js' */

import { ApiError, OTHER_ACCOUNT, connection, isAbort, request, session, t } from '../lib/core.js';
import { USER_TEXT, bdi, el, phrase } from '../lib/dom.js';
import { openReplyDraft } from '../lib/drafts.js';
import { explain, isBlocked } from '../lib/errors.js';
import { field, form } from '../lib/forms.js';
import { characterCount, displayName, time } from '../lib/format.js';
import { invalidateList } from '../lib/my-bottles.js';
import { withSession } from './account.js';
import { noteSeen } from './bell.js';
import { attempt, confirmButton, errorLine, reportButton } from './controls.js';

const MAX_REPLY_LENGTH = 500;
const PAGE_SIZE = 500;
const POLL_MS = 30_000;        // no event says that the bottle was hidden, or that its owner has blocked one
const EXCERPT_LENGTH = 40;     // of a reply, in the name of its button

/**
 * A conversation. `openerId` is given only by the owner of the bottle.
 * @typedef {object} Thread
 * @property {number} bottleId
 * @property {number} [openerId]
 * @property {Person} other the other side
 * @property {boolean} [isClosed] whether no reply can be written, because the bottle is hidden or has ended
 */

/**
 * Creates a conversation. `start` and `stop` begin and end its updates.
 * @param {App} app
 * @param {Thread} thread
 */
export function createConversation(app, thread) {
  const { bottleId, openerId, other } = thread;
  const path = `bottles/${bottleId}/replies`;
  const ofOpener = openerId !== undefined && { opener_id: openerId };
  // Only new replies are read aloud, not the times of the others, which change.
  const log = el('div', {
    class: 'replies', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions', 'aria-label': t('talk.title'),
  });
  const empty = el('p', { class: 'hint' });
  const error = errorLine();
  const block = el('div', { class: 'block-controls' });
  const writer = thread.isClosed ? el('p', { class: 'hint' }, t('talk.closed')) : replyForm();
  const node = el('section', { class: 'conversation', 'aria-label': t('talk.title') },
    el('h3', {}, t('talk.title')), log, empty, error, writer, block);
  /** @type {number | undefined} */
  let timer;
  let isRunning = false;
  let isLoading = false;
  let needsLoad = false;
  let isGone = false;
  /** @type {'none' | 'here' | 'rejected' | undefined} */
  let blockState;
  const handleChange = () => load();
  const poll = () => {
    if (!document.hidden && !connection.isLost && !isGone) load();
  };
  const isHere = (/** @type {InboxItem} */ item) =>
    item.bottle_id === bottleId && item.actor?.user_id === other.user_id;
  // The conversation shows the reply, so no toast has to.
  const handleItem = (/** @type {Event} */ event) => {
    const { detail: item } = /** @type {CustomEvent<InboxItem>} */ (event);
    if (item.kind === 'replied' && isHere(item)) event.preventDefault();
  };
  return {
    node,
    start() {
      isRunning = true;
      app.events.addEventListener('item', handleItem);
      app.events.addEventListener('threads', handleChange);
      document.addEventListener('visibilitychange', poll);
      timer = window.setInterval(poll, POLL_MS);
      load();
    },
    stop() {
      isRunning = false;
      app.events.removeEventListener('item', handleItem);
      app.events.removeEventListener('threads', handleChange);
      document.removeEventListener('visibilitychange', poll);
      window.clearInterval(timer);
    },
  };

  /** Fetches and shows the replies. A call during a request repeats it. */
  async function load() {
    needsLoad = true;
    if (isLoading) return;
    isLoading = true;
    try {
      while (needsLoad && isRunning && session.user) {
        needsLoad = false;
        const { replies, isBlocked: isBlockedHere } = await fetchReplies();
        if (!isRunning) return;
        isGone = false;
        error.replaceChildren();
        show(replies);
        if (isBlockedHere || blockState !== 'rejected') showBlock(isBlockedHere ? 'here' : 'none');
      }
    } catch (reason) {
      if (!isRunning || isAbort(reason)) return;
      error.textContent = explain(reason).message;
      // The bottle has ended, is hidden or was deleted: another request would fail too.
      isGone = reason instanceof ApiError && [403, 404].includes(reason.status);
      writer.hidden = isGone;
    } finally {
      isLoading = false;
    }
  }

  async function fetchReplies() {
    /** @type {Reply[]} */
    const replies = [];
    let isBlockedHere = false;
    /** @type {number | null | undefined} */
    let after = 0;
    while (after !== null && after !== undefined) {
      const query = { limit: PAGE_SIZE, ...ofOpener, ...(after && { after }) };
      /** @type {{ blocked?: boolean, replies: Reply[], next?: number | null }} */
      const page = await request('GET', path, { query });
      replies.push(...page.replies);
      isBlockedHere = Boolean(page.blocked);
      after = page.next;
    }
    return { replies, isBlocked: isBlockedHere };
  }

  /**
   * Shows the replies. What stays is left alone, so that a screen reader reads only new ones and the focus is kept.
   * @param {Reply[]} replies
   */
  function show(replies) {
    const ids = new Set(replies.map((reply) => String(reply.reply_id)));
    const shown = new Set();
    for (const each of /** @type {HTMLElement[]} */ ([...log.children])) {
      const id = each.dataset.reply ?? '';
      shown.add(id);
      if (ids.has(id)) continue;
      const hadFocus = each.contains(document.activeElement);
      each.remove();
      if (hadFocus) focusNext();
    }
    const added = replies.filter((reply) => !shown.has(String(reply.reply_id)));
    for (const reply of added) insert(reply);
    empty.textContent = replies.length || thread.isClosed ? '' : t('talk.empty');
    if (!added.length) return;
    noteSeen(app, (item) => item.kind === 'replied' && isHere(item));
    // The lists count the replies.
    invalidateList('created');
    invalidateList('opened');
    if (shown.size) log.lastElementChild?.scrollIntoView({ block: 'nearest' });
  }

  /**
   * Adds a reply in the order of the conversation: one that is shown again has later ones after it.
   * @param {Reply} reply
   */
  function insert(reply) {
    const shown = /** @type {HTMLElement[]} */ ([...log.children]);
    const later = shown.find((each) => Number(each.dataset.reply) > reply.reply_id);
    log.insertBefore(replyView(reply), later ?? null);
  }

  /** Moves the focus of a reply that is gone. */
  function focusNext() {
    const next = /** @type {HTMLElement | null} */ (node.querySelector('textarea[name="content"]'));
    if (next) {
      next.focus({ preventScroll: true });
      return;
    }
    log.tabIndex = -1;
    log.focus({ preventScroll: true });
  }

  /** @param {Reply} reply */
  function replyView({ reply_id: id, author, content, created_at: createdAt, hidden }) {
    const isOwn = author.user_id === session.user?.user_id;
    const excerpt = [...content].slice(0, EXCERPT_LENGTH).join('');
    return el('div', { class: isOwn ? 'reply is-own' : 'reply', 'data-reply': id },
      el('p', { class: 'reply-head' },
        isOwn ? el('span', {}, t('talk.you')) : bdi(displayName(author)), ' · ', time(createdAt),
        hidden && [' · ', t('talk.hidden')]),
      el('p', { class: 'reply-text', ...USER_TEXT }, content),
      isOwn
        ? confirmButton({
          label: t('delete.yes'),
          accessibleLabel: t('talk.delete', { text: excerpt }),
          question: t('delete.sure'),
          yes: t('talk.deleteYes'),
          no: t('delete.no'),
          kind: 'quiet',
          run: (line) => removeReply(id, line),
        })
        : reportButton(app, `replies/${id}/report`, {
          accessibleLabel: t('talk.report', { text: excerpt }), kind: 'quiet',
        }));
  }

  /**
   * @param {number} id
   * @param {HTMLElement} line shows the failure
   */
  async function removeReply(id, line) {
    if (!await attempt(app, line, () => request('DELETE', `replies/${id}`))) return;
    const shown = log.querySelector(`[data-reply="${id}"]`);
    const hadFocus = shown?.contains(document.activeElement);
    shown?.remove();
    if (hadFocus) focusNext();
    load();
  }

  function replyForm() {
    const draft = openReplyDraft(bottleId, openerId ?? session.user?.user_id ?? 0);
    const accountId = session.user?.user_id;
    const text = el('textarea', { rows: 2, ...USER_TEXT });
    text.value = draft.read();
    const counter = el('p', { class: 'counter' });
    const updateCounter = () => {
      const count = characterCount(text.value);
      counter.textContent = t('throw.count', { n: count, most: MAX_REPLY_LENGTH });
      counter.classList.toggle('over', count > MAX_REPLY_LENGTH);
    };
    const send = async () => {
      const sent = text.value;
      // The session had ended, and another account has logged in.
      const post = () => {
        if (session.user?.user_id !== accountId) throw new ApiError(OTHER_ACCOUNT);
        const body = { content: sent, ...ofOpener };
        return request('POST', path, { body });
      };
      try {
        await withSession(app, async () => post());
      } catch (reason) {
        if (isBlocked(reason)) showBlock('rejected');
        throw reason;
      }
      // The reader may have gone on writing.
      text.value = text.value.startsWith(sent) ? text.value.slice(sent.length).trimStart() : text.value;
      draft.write(text.value);
      updateCounter();
      if (blockState === 'rejected') showBlock('none');
      await load();
      // Unless the reader went elsewhere meanwhile. WebKit does not focus a button that is clicked.
      if (document.activeElement === document.body || replyNode.contains(document.activeElement)) text.focus();
    };
    const replyNode = form(t('talk.send'), [field('content', t('talk.reply'), text), counter], {
      context: 'reply',
      /** @returns {Record<string, string>} */
      validate: () => {
        const isValid = text.value.trim() && characterCount(text.value) <= MAX_REPLY_LENGTH;
        return isValid ? {} : { content: t('reply.length') };
      },
      submit: send,
    });
    text.addEventListener('input', () => {
      updateCounter();
      draft.write(text.value);
    });
    text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) replyNode.requestSubmit();
    });
    updateCounter();
    return replyNode;
  }

  /**
   * Shows the button that blocks the other side, or the one that ends it.
   * @param {'none' | 'here' | 'rejected'} state whether the account has blocked the other side; `rejected`: the server
   *   rejected a reply because one side has blocked the other
   */
  function showBlock(state) {
    // A question about it stays.
    if (state === blockState) return;
    blockState = state;
    writer.hidden = state === 'here';
    const name = displayName(other);
    if (state === 'none') {
      block.replaceChildren(confirmButton({
        label: t('block.block', { name }),
        question: t('block.sure', { name }),
        yes: t('block.yes'),
        no: t('block.no'),
        kind: 'quiet',
        run: (line) => setBlocked(true, line),
      }));
      return;
    }
    const line = errorLine();
    const button = el('button', { type: 'button', onclick: () => setBlocked(false, line) }, t('block.end', { name }));
    block.replaceChildren(
      el('p', { class: 'hint', role: 'status' },
        state === 'rejected' ? t('block.maybe') : phrase('block.done', { name })),
      button, line);
  }

  /**
   * @param {boolean} blocked
   * @param {HTMLElement} line shows the failure
   */
  async function setBlocked(blocked, line) {
    const send = () => request('PUT', `users/${other.user_id}/block`, { body: { blocked } });
    if (!await attempt(app, line, send)) return;
    const hadFocus = block.contains(document.activeElement);
    showBlock(blocked ? 'here' : 'none');
    if (hadFocus) block.querySelector('button')?.focus();
    load();
  }
}
