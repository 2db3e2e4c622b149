// How others on the network come in, large enough to be projected.

import { call } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { switchLanguage, t, translate } from '../lib/i18n.js';

translate(document.body);
document.title = t('join.title');
document.getElementById('language').addEventListener('click', switchLanguage);

const { addresses: [first, ...others], fingerprint } = await call('GET', 'join');
document.getElementById('join').replaceChildren(...(first ? invitation() : [
  el('p', {}, t('join.alone')),
  el('pre', { tabindex: '0' }, 'bottle serve --lan'),
]));

function invitation() {
  return [
    el('p', { class: 'address' }, el('a', { href: first }, first)),
    el('img', { class: 'qr', src: 'api/join.svg', alt: first }),
    el('p', {}, t('join.how')),
    others.length > 0 && el('p', { class: 'quiet' }, t('join.names'), ' ', others.join(' · ')),
    fingerprint && el('p', {}, t('join.untrusted')),
    fingerprint && el('pre', { tabindex: '0' }, fingerprint),
  ].filter(Boolean);
}
