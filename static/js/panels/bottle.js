// One bottle: found on the map (closed, with the button that opens it), and read.

import { call, session } from '../lib/api.js';
import { asUser } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { styleName } from '../map/bottles.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { coordinates, place, time } from '../lib/format.js';
import { t } from '../lib/i18n.js';
import { againstBottle } from './bottle-actions.js';
import { toast } from '../lib/notices.js';
import { openersOf } from './openers.js';
import { showPanel, showPlace } from './panel.js';
import { forget } from '../lib/my-bottles.js';

/** Shows a bottle of the map, still closed. */
export function showBottle(app, { bottle_id: id, style, is_owner: mine, location }) {
  const known = location && [
    el('p', { class: 'place' }, place(location)),
    location.formatted_address && el('p', { class: 'hint' }, coordinates(location.latitude, location.longitude)),
  ];
  const state = { opened: app.opened.has(id), mine };
  const words = mine ? 'bottle.mine' : state.opened ? 'bottle.openedBefore' : 'bottle.closed';
  return present(app, id, location ? t(`bottle.${styleName(style)}`) : t('bottle.numbered', { id: String(id) }), [
    el('div', { class: 'found' }, bottleIcon(style ?? 0, state),
      el('div', {}, known, el('p', {}, t(location ? words : 'bottle.linked')))),
    el('p', { class: 'error', role: 'alert' }),
    el('div', { class: 'form-end' },
      el('button', { type: 'button', class: 'primary', onclick: (event) => open(app, id, event.currentTarget) }, t('bottle.open'))),
  ]);
}

async function open(app, id, button) {
  const error = button.closest('.panel').querySelector('.error');
  error.textContent = '';
  button.disabled = true;
  try {
    const bottle = await asUser(app, () => call('POST', `bottles/${id}/open`));
    const first = bottle.owner.user_id !== session.user.user_id && !app.opened.has(id);
    if (first) {
      app.opened.add(id);
      forget('opened');
    }
    await readBottle(app, bottle);
    showPlace(app.map, bottle.location.latitude, bottle.location.longitude, Math.max(app.map.getZoom(), 6));
  } catch (reason) {
    if (reason.name !== 'AbortError') error.textContent = explain(reason, 'open').message;
  } finally {
    button.disabled = false;
  }
}

/** Shows an opened bottle: the letter, who threw it, where and when. */
export async function readBottle(app, bottle) {
  const { bottle_id: id, style, content, owner, location, created_at: thrown } = bottle;
  const mine = !owner || owner.user_id === session.user?.user_id;
  const who = owner && (owner.nickname || owner.username);
  await present(app, id, mine ? t('read.mine') : t('read.from', { name: who }), [
    el('div', { class: 'letter' },
      el('p', { class: 'letter-text' }, content),
      el('p', { class: 'letter-end' }, !mine && el('span', { class: 'owner' }, `— ${who}`), bottleIcon(style, { opened: true, mine }))),
    el('dl', { class: 'facts' },
      el('dt', {}, t('read.where')), el('dd', {}, place(location),
        location.formatted_address && el('span', { class: 'hint' }, coordinates(location.latitude, location.longitude))),
      el('dt', {}, t('read.thrown')), el('dd', {}, time(thrown)),
      bottle.open_at && !mine && [el('dt', {}, t('read.opened')), el('dd', {}, time(bottle.open_at))]),
    el('div', { class: 'row' },
      el('button', { type: 'button', onclick: () => showPlace(app.map, location.latitude, location.longitude, 8) }, t('read.show')),
      el('button', { type: 'button', onclick: () => copyLink(id) }, t('read.copy'))),
    bottle.hidden && el('p', { class: 'hint' }, t('read.hidden')),
    mine && openersOf(app, id, bottle.openers_count),
    againstBottle(app, id, mine),
  ]);
}

/** While a bottle is in the panel, its link is in the address bar and it is marked on the map. */
async function present(app, id, title, contents) {
  await showPanel(title, contents, {
    kind: 'panel-bottle',
    onClose() {
      app.bottles.choose(null);
      const { lat, lng } = app.map.getCenter().wrap();
      history.replaceState(null, '', `#${app.map.getZoom()}/${lat.toFixed(4)}/${lng.toFixed(4)}`);
    },
  });
  app.bottles.choose(id);
  history.replaceState(null, '', `#bottle/${id}`);
}

async function copyLink(id) {
  const link = new URL(`#bottle/${id}`, document.baseURI).href;
  try {
    await navigator.clipboard.writeText(link);
    toast(t('read.copied'));
  } catch {
    // Without https a page may not write to the clipboard: show what to copy.
    toast(link);
  }
}

