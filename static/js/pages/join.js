// The page that shows how others on the network join, large enough for a projector.

import { byId, request, t, translatePage } from '../lib/core.js';
import { el, present } from '../lib/dom.js';

await translatePage('join.title');

/** @type {{ addresses: string[], fingerprint: string | null }} */
const { addresses: [address, ...others], fingerprint } = await request('GET', 'join');
byId('join').replaceChildren(...(address ? invitation() : instructions()));

function invitation() {
  return present([
    el('p', { class: 'address' }, el('a', { href: address }, address)),
    el('img', { class: 'qr', src: 'api/join.svg', alt: address }),
    el('p', {}, t('join.how')),
    others.length > 0 && el('p', { class: 'secondary' }, t('join.names'), ' ', others.join(' · ')),
    fingerprint && el('p', {}, t('join.untrusted')),
    fingerprint && el('pre', { tabindex: '0' }, fingerprint),
  ]);
}

function instructions() {
  return [el('p', {}, t('join.alone')), el('pre', { tabindex: '0' }, 'bottle serve --lan')];
}
