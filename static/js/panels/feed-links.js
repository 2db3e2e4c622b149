// The secret links of the account's feed in the account dialog: making, showing once, ending.

/** @import { App } from '../lib/types.js' */

import { loadStrings, request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { field, input } from '../lib/forms.js';
import { time } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { attempt, confirmButton, errorLine, loadUnfolded } from './controls.js';

const DEGREE_DIGITS = 4;

/** @typedef {{ active: boolean, created_at: string | null }} Feed */

/**
 * Creates the collapsed section. It fetches what it shows when the reader opens it.
 * @param {App} app
 */
export function feedLinks(app) {
  const error = errorLine();
  const contents = el('div', { class: 'form' });
  const summary = el('summary', {}, t('feed.title'));
  const node = el('details', {}, summary, contents, error);
  loadUnfolded(app, node, error, load);
  return node;

  async function load() {
    /** @type {[Feed, void]} */
    const [feed] = await Promise.all([request('GET', 'feed'), loadStrings('feed')]);
    show(feed);
  }

  /**
   * @param {Feed} feed
   * @param {HTMLElement[]} [links] fields with the links, just after they were made
   */
  function show({ active, created_at: createdAt }, links = []) {
    const buttons = active
      ? [
        confirmed('feed.renew', 'feed.renewSure', 'feed.renewYes', make),
        confirmed('feed.end', 'feed.endSure', 'feed.endYes', end),
      ]
      : [el('button', { type: 'button', onclick: () => attempt(app, error, make) }, t('feed.make'))];
    contents.replaceChildren(
      el('p', { class: 'hint' }, t('feed.about')),
      el('div', {}, ...(createdAt ? [t('feed.since'), ' ', time(createdAt)] : [t('feed.none')])),
      ...links,
      el('div', { class: 'row' }, buttons));
  }

  /**
   * @param {string} label
   * @param {string} question
   * @param {string} yes
   * @param {() => Promise<void>} run
   */
  function confirmed(label, question, yes, run) {
    return confirmButton({
      label: t(label),
      question: t(question),
      yes: t(yes),
      no: t('feed.keep'),
      run: (failure) => attempt(app, failure, run),
    });
  }

  async function make() {
    /** @type {{ created_at: string, nearby: string, inbox: string }} */
    const made = await request('POST', 'feed');
    const inbox = linkField(made.inbox);
    show({ active: true, created_at: made.created_at }, [
      field('inbox', t('feed.inbox'), inbox),
      field('nearby', t('feed.nearby'), linkField(`${made.nearby}?${rectangle(app)}`), t('feed.once')),
    ]);
    inbox.select();
    inbox.focus();
  }

  async function end() {
    await request('DELETE', 'feed');
    show({ active: false, created_at: null });
    summary.focus();
    toast(t('feed.ended'));
  }
}

/**
 * Creates the control of a link, which is selected as a whole.
 * @param {string} link
 */
function linkField(link) {
  const control = input({ readonly: true, value: link, autocomplete: 'off', spellcheck: 'false' });
  control.addEventListener('focus', () => control.select());
  return control;
}

/**
 * Returns the visible rectangle as the parameters of the link.
 * @param {App} app
 */
function rectangle(app) {
  const numbers = Object.entries(app.rectangle()).map(([name, value]) => [name, value.toFixed(DEGREE_DIGITS)]);
  return new URLSearchParams(numbers).toString();
}
