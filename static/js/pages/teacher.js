// The teacher's page: reported and hidden bottles, muted accounts, the moderation log. Each action has a button that
// undoes it.

/** @import { Account, Person, Place, Reply } from '../lib/types.js' */

import { ApiError, byId, isAbort, loadStrings, request, server, session, t, translatePage } from '../lib/core.js';
import { bdi, el, phrase, present } from '../lib/dom.js';
import { absoluteTime, placeText, time } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { offerLogin, showFailure, showProblem } from './access.js';
import { showClasses, withdrawClasses } from './classes.js';

const MUTE_MINUTES = [10, 60, 1440];
const MAX_LOG_ENTRIES = 30;
const MAX_CLASSES = 20;
const REFRESH_MS = 5000;

/** @typedef {{ reporter: Person, reason: string, reported_at: string, settled_at?: string }} Report */

/** @typedef {Reply & { opener_id: number, reports: Report[] }} ReportedReply */

/**
 * @typedef {object} ReportedBottle
 * @property {number} bottle_id
 * @property {string} content
 * @property {Person} owner
 * @property {Place} location
 * @property {string} created_at
 * @property {boolean} hidden
 * @property {string | null} muted_until when the owner's mute ends
 * @property {Report[]} reports
 * @property {ReportedReply[]} [replies] those that are reported or hidden
 */

/** @typedef {Person & { muted_until: string }} MutedAccount */

/**
 * @typedef {{ done_at: string, actor?: string, action: string, bottle_id?: number, reply_id?: number,
 *   username?: string, until?: string }} LogEntry
 */

/**
 * A request to teacher/. `done` is the key of the string that says what it did, if nothing else on the page does.
 * @typedef {{ path: string, body: object, done?: string }} Change
 */

await loadStrings('classes');
await translatePage('teacher.title');

let shown = '';
/** Replies with reports that no teacher has settled. @type {Set<number>} */
let openReplyIds = new Set();
/** @type {Set<number>} */
let mutedIds = new Set();
/** @type {AbortController | null} */
let pending = null;
/** @type {number | undefined} */
let timer;

/**
 * Shows what the session's account may see. Only the page of a teacher goes on to send requests: one of a visitor sends
 * none, one of any other account asks for the account.
 */
async function showSession() {
  window.clearInterval(timer);
  pending?.abort();
  const { signal } = pending = new AbortController();
  byId('admin').hidden = !session.user?.is_operator;
  if (!session.user) {
    withdraw();
    offerLogin('teacher.logIn');
    return;
  }
  try {
    /** @type {Account} */
    const account = await request('GET', 'users/self', { signal });
    byId('admin').hidden = !account.is_operator;
    if (!account.is_teacher) throw new ApiError(403);
  } catch (error) {
    // After a 401 the session's event has called this function again, for a visitor.
    if (isAbort(error) || signal.aborted) return;
    if (error instanceof ApiError && error.status === 403) withdraw();
    showFailure(error, 'teacher.logIn');
    return;
  }
  timer = window.setInterval(refresh, REFRESH_MS);
  await refresh();
}

/** Removes what only teachers may see. */
function withdraw() {
  shown = '';
  byId('contents').hidden = true;
  withdrawClasses();
  for (const id of ['sea', 'reported', 'hidden', 'muted', 'log']) byId(id).replaceChildren();
}

/** Fetches and shows the state. Leaves the page alone if nothing has changed: the reader may be about to click. */
async function refresh() {
  const signal = pending?.signal;
  let state;
  try {
    state = await fetchState(signal);
  } catch (error) {
    if (isAbort(error) || signal?.aborted) return;
    if (error instanceof ApiError && error.status === 403) await showSession();
    else showFailure(error, 'teacher.logIn');
    return;
  }
  showProblem('');
  const { classes } = state.pop();
  showClasses(classes, refresh);
  const serialized = JSON.stringify(state);
  if (serialized === shown) return;
  shown = serialized;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const section = focused?.closest('#contents > *');
  const [sea, reported, hidden, log] = state;
  byId('sea').replaceChildren(seaView(sea.frozen), messagesView(sea.shows_messages ?? false));
  /** @type {ReportedBottle[]} */
  const cases = reported.bottles;
  // The others are listed for their replies.
  const openCases = cases.filter(({ reports }) => reports.some((report) => !report.settled_at));
  const openIds = new Set(openCases.map((bottle) => bottle.bottle_id));
  mutedIds = new Set(sea.muted.map((/** @type {MutedAccount} */ account) => account.user_id));
  openReplyIds = new Set(cases.flatMap(({ replies = [] }) => replies.map((reply) => reply.reply_id)));
  byId('reported').replaceChildren(bottlesView(cases, openIds));
  byId('hidden').replaceChildren(bottlesView(hidden.bottles, openIds));
  byId('muted').replaceChildren(mutedView(sea.muted));
  byId('log').replaceChildren(logView(log.entries));
  byId('contents').hidden = false;
  if (focused && section && !focused.isConnected) restoreFocus(focused.dataset.change ?? '', section);
}

/**
 * Focuses a button for the same bottle or account, which may be in another section now, else the section.
 * @param {string} path of the change that the button made
 * @param {Element} section
 */
function restoreFocus(path, section) {
  /** @type {HTMLElement} */
  const next = document.querySelector(`[data-change="${path}"]`) ?? section.querySelector('h2') ?? byId('sea');
  if (!next.matches('button')) next.tabIndex = -1;
  next.focus();
}

/** @param {AbortSignal} [signal] */
function fetchState(signal) {
  return Promise.all([
    request('GET', 'teacher/sea', { signal }),
    request('GET', 'teacher/bottles', { query: { state: 'reported' }, signal }),
    request('GET', 'teacher/bottles', { query: { state: 'hidden' }, signal }),
    request('GET', 'teacher/log', { query: { limit: MAX_LOG_ENTRIES }, signal }),
    request('GET', 'teacher/classes', { query: { limit: MAX_CLASSES }, signal }),
  ]);
}

/** @param {Change} change */
async function apply({ path, body, done }) {
  try {
    await request('PUT', `teacher/${path}`, { body });
  } catch (error) {
    showFailure(error, 'teacher.logIn');
    return;
  }
  if (done) toast(t(done));
  await refresh();
}

/**
 * @param {number} id
 * @param {boolean} hidden
 * @returns {Change}
 */
const setHidden = (id, hidden) => ({ path: `bottles/${id}`, body: { hidden } });

/**
 * @param {number} id
 * @param {boolean} hidden
 * @returns {Change}
 */
const setReplyHidden = (id, hidden) => ({ path: `replies/${id}`, body: { hidden } });

/**
 * @param {number} id
 * @param {number} minutes
 * @returns {Change}
 */
const setMuted = (id, minutes) => ({ path: `users/${id}`, body: { muted_minutes: minutes } });

/**
 * @param {boolean} frozen
 * @returns {Change}
 */
const setFrozen = (frozen) => ({ path: 'sea', body: { frozen } });

/**
 * @param {string} key
 * @param {Change} change
 * @param {Record<string, string | Node>} [values]
 */
const button = (key, change, values = {}) => el('button', {
  type: 'button', 'data-change': change.path, onclick: () => apply(change),
}, phrase(key, values));

const emptyView = () => el('p', { class: 'secondary' }, t('teacher.none'));

/**
 * Returns the nickname and the username of an account, each with its own direction.
 * @param {Person} person
 */
function fullName({ nickname, username, is_guest: isGuest }) {
  if (isGuest) return el('span', {}, phrase('teacher.guest', { nickname, username }));
  return el('span', {}, nickname && nickname !== username ? [bdi(nickname), ' (', bdi(username), ')'] : bdi(username));
}

/** @param {boolean} frozen */
function seaView(frozen) {
  const freezeButton = button(frozen ? 'teacher.unfreeze' : 'teacher.freeze', setFrozen(!frozen));
  freezeButton.classList.add(frozen ? 'send' : 'freeze');
  return el('div', { class: frozen ? 'row sea-state is-frozen' : 'row sea-state' },
    el('strong', {}, t(frozen ? 'teacher.isFrozen' : 'teacher.isOpen')), freezeButton);
}

/** @param {boolean} isShown */
function messagesView(isShown) {
  /** @type {Change} */
  const change = { path: 'sea', body: { shows_messages: !isShown } };
  const toggle = button(isShown ? 'teacher.hideMessages' : 'teacher.showMessages', change);
  // The button beside it that pauses throwing has the same path.
  toggle.dataset.change = 'sea/messages';
  return el('div', { class: 'row sea-state' }, isShown && t('teacher.messagesShown'), toggle);
}

/**
 * @param {ReportedBottle[]} bottles
 * @param {Set<number>} openIds bottles with reports that no teacher has settled
 */
function bottlesView(bottles, openIds) {
  if (!bottles.length) return emptyView();
  return el('ul', { class: 'cases' }, bottles.map((bottle) => bottleView(bottle, openIds.has(bottle.bottle_id))));
}

/**
 * @param {ReportedBottle} bottle
 * @param {boolean} isOpen
 */
function bottleView(bottle, isOpen) {
  const { content, owner, location, created_at: thrownAt, reports, replies = [] } = bottle;
  return el('li', {},
    el('blockquote', { dir: 'auto' }, content),
    el('p', { class: 'secondary' }, fullName(owner), ' · ', bdi(placeText(location)), ' · ', time(thrownAt)),
    reports.map(reportView),
    el('div', { class: 'row' }, ...bottleButtons(bottle, isOpen)),
    replies.length > 0 && el('ul', { class: 'reported-replies', 'aria-label': t('teacher.replies') },
      replies.map((reply) => replyView(owner, reply))));
}

/** @param {Report} report */
const reportView = ({ reporter, reason, reported_at: reportedAt, settled_at: settledAt }) =>
  el('p', { class: settledAt && 'secondary' }, phrase('teacher.report', { name: fullName(reporter), reason }), ' · ',
    time(reportedAt), settledAt && ` · ${t('teacher.settled')}`);

/**
 * @param {Person} owner of the bottle
 * @param {ReportedReply} reply
 */
function replyView(owner, { reply_id: id, author, content, created_at: createdAt, hidden, reports }) {
  const isOpen = openReplyIds.has(id);
  const side = author.user_id === owner.user_id ? 'teacher.replyOfOwner' : 'teacher.replyOfOpener';
  return el('li', {},
    el('p', { class: 'secondary' }, phrase(side, { name: fullName(author) }), ' · ', time(createdAt),
      hidden && ` · ${t('talk.hidden')}`),
    el('blockquote', { dir: 'auto' }, content),
    reports.map(reportView),
    el('div', { class: 'row' },
      hidden
        ? button('teacher.showReply', setReplyHidden(id, false))
        : button('teacher.hideReply', setReplyHidden(id, true)),
      isOpen && !hidden && button('teacher.keep', { ...setReplyHidden(id, false), done: 'teacher.kept' }),
      isOpen && hidden && button('teacher.stay', { ...setReplyHidden(id, true), done: 'teacher.stayedReply' }),
      // The bottle has the buttons for its owner.
      author.user_id !== owner.user_id && muteButtons(author, mutedIds.has(author.user_id))));
}

/**
 * @param {ReportedBottle} bottle
 * @param {boolean} isOpen
 */
function bottleButtons({ bottle_id: id, owner, hidden, muted_until: mutedUntil }, isOpen) {
  const isMuted = Boolean(mutedUntil) && new Date(mutedUntil ?? 0) > new Date();
  return [
    hidden ? button('teacher.show', setHidden(id, false)) : button('teacher.hide', setHidden(id, true)),
    isOpen && !hidden && button('teacher.keep', { ...setHidden(id, false), done: 'teacher.kept' }),
    isOpen && hidden && button('teacher.stay', { ...setHidden(id, true), done: 'teacher.stayed' }),
    muteButtons(owner, isMuted),
  ];
}

/**
 * @param {Person} person
 * @param {boolean} isMuted
 */
function muteButtons(person, isMuted) {
  return isMuted
    ? button('teacher.unmute', setMuted(person.user_id, 0), { name: fullName(person) })
    : MUTE_MINUTES.map((minutes) =>
      button(`teacher.mute.${minutes}`, setMuted(person.user_id, minutes), { name: fullName(person) }));
}

/** @param {MutedAccount[]} muted */
function mutedView(muted) {
  if (!muted.length) return emptyView();
  return el('ul', { class: 'cases' }, muted.map((account) => el('li', {},
    el('p', {}, fullName(account), ' · ', t('teacher.until', { time: absoluteTime(account.muted_until) })),
    el('div', { class: 'row' },
      button('teacher.unmute', setMuted(account.user_id, 0), { name: fullName(account) })))));
}

/** @param {LogEntry[]} entries */
function logView(entries) {
  if (!entries.length) return emptyView();
  const columns = ['time', 'actor', 'action', 'about'];
  const head = columns.map((name) => el('th', { scope: 'col' }, t(`teacher.log.${name}`)));
  return el('table', {}, el('thead', {}, el('tr', {}, head)), el('tbody', {}, entries.map(logRow)));
}

/** @param {LogEntry} entry */
function logRow({ done_at: doneAt, actor, action, bottle_id: bottleId, reply_id: replyId, username, until }) {
  const about = present([
    bottleId && t('bottle.numbered', { id: String(bottleId) }),
    replyId && t('teacher.log.reply', { id: String(replyId) }),
    username && bdi(username),
  ].map((part) => part || null));
  return el('tr', {},
    el('td', {}, time(doneAt)),
    el('td', { dir: 'auto' }, actor ?? t('teacher.log.reports')),
    el('td', {}, until ? t('teacher.until', { time: absoluteTime(until) }) : t(`teacher.did.${action}`)),
    el('td', {}, about.flatMap((part, n) => (n ? [' · ', part] : [part]))));
}

server.addEventListener('session', showSession);
server.addEventListener('online', showSession);
await showSession();
