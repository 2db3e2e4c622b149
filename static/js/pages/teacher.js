// The teacher's page: what was reported, what is hidden, who may throw nothing, and who did what. Each thing done here has the
// button beside it that undoes it.

import { call } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { place, time } from '../lib/format.js';
import { switchLanguage, t, translate } from '../lib/i18n.js';

const MUTES = [10, 60, 1440];   // minutes
const LOG = 30;                 // entries shown
const AGAIN = 5000;             // milliseconds until the page asks again by itself

translate(document.body);
document.title = t('teacher.title');
const at = (id) => document.getElementById(id);
at('language').addEventListener('click', switchLanguage);

const who = ({ nickname, username }) => (nickname && nickname !== username ? `${nickname} (${username})` : username);
const button = (key, act, values) => el('button', { type: 'button', onclick: () => change(act) }, t(key, values));
const none = () => el('p', { class: 'quiet' }, t('teacher.none'));

let shown = '';

/** Asks how things stand and shows it. What has not changed is left alone: someone may be reading, or about to press. */
async function show() {
  try {
    const [sea, reported, hidden, log] = await Promise.all([
      call('GET', 'teacher/sea'),
      call('GET', 'teacher/bottles', { query: { state: 'reported' } }),
      call('GET', 'teacher/bottles', { query: { state: 'hidden' } }),
      call('GET', 'teacher/log', { query: { limit: LOG } }),
    ]);
    at('problem').textContent = '';
    const now = JSON.stringify([sea, reported, hidden, log]);
    if (now === shown) return;
    shown = now;
    at('sea').replaceChildren(seaView(sea));
    at('reported').replaceChildren(cases(reported.bottles));
    at('hidden').replaceChildren(cases(hidden.bottles));
    at('muted').replaceChildren(mutedView(sea.muted));
    at('log').replaceChildren(logView(log.entries));
  } catch ({ status }) {
    at('problem').textContent = t(status === 401 ? 'teacher.logIn' : status === 403 ? 'teacher.notYou' : 'error.offline');
  }
}

async function change([path, body]) {
  try {
    await call('PUT', `teacher/${path}`, { body });
  } catch {
    at('problem').textContent = t('error.unknown');
  }
  await show();
}

const setHidden = (id, hidden) => [`bottles/${id}`, { hidden }];
const setMuted = (id, minutes) => [`users/${id}`, { muted_minutes: minutes }];
const setFrozen = (frozen) => ['sea', { frozen }];

function seaView({ frozen }) {
  return el('div', { class: 'row' },
    el('span', {}, t(frozen ? 'teacher.isFrozen' : 'teacher.isOpen')),
    button(frozen ? 'teacher.unfreeze' : 'teacher.freeze', setFrozen(!frozen)));
}

function cases(bottles) {
  return bottles.length ? el('ul', { class: 'cases' }, bottles.map(caseView)) : none();
}

function caseView({ bottle_id: id, content, owner, location, created_at: thrown, hidden, muted_until: muted, reports }) {
  return el('li', {},
    el('blockquote', {}, content),
    el('p', { class: 'quiet' }, `${who(owner)} · `, place(location), ' · ', time(thrown)),
    reports.map(({ reporter, reason, reported_at: reported }) => el('p', {}, `${who(reporter)}: ${reason} · `, time(reported))),
    el('div', { class: 'row' },
      hidden ? button('teacher.show', setHidden(id, false)) : button('teacher.hide', setHidden(id, true)),
      reports.length > 0 && !hidden && button('teacher.keep', setHidden(id, false)),
      hidden && button('teacher.stay', setHidden(id, true)),
      muted && new Date(muted) > new Date() ? button('teacher.unmute', setMuted(owner.user_id, 0), { name: who(owner) })
        : MUTES.map((minutes) => button(`teacher.mute.${minutes}`, setMuted(owner.user_id, minutes), { name: who(owner) }))));
}

function mutedView(muted) {
  return muted.length ? el('ul', { class: 'cases' }, muted.map((user) => el('li', {},
    el('p', {}, who(user), ' · ', t('teacher.until'), ' ', time(user.muted_until)),
    el('div', { class: 'row' }, button('teacher.unmute', setMuted(user.user_id, 0), { name: who(user) }))))) : none();
}

function logView(entries) {
  if (!entries.length) return none();
  const head = ['time', 'actor', 'action', 'about'].map((name) => el('th', { scope: 'col' }, t(`teacher.log.${name}`)));
  return el('table', {}, el('thead', {}, el('tr', {}, head)), el('tbody', {}, entries.map((entry) => el('tr', {},
    el('td', {}, time(entry.done_at)),
    el('td', {}, entry.actor ?? t('teacher.log.reports')),
    el('td', {}, t(`teacher.did.${entry.action}`)),
    el('td', {}, [entry.bottle_id && t('bottle.numbered', { id: String(entry.bottle_id) }), entry.username].filter(Boolean).join(' · '))))));
}

await show();
setInterval(show, AGAIN);
