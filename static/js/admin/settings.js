// The section of the effective settings, with a form for each that may change while the server runs.

/** @import { Control } from '../lib/forms.js' */

import { language, request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { field, form, input, select } from '../lib/forms.js';
import { toast } from '../lib/notices.js';
import { table } from './section.js';

/**
 * @typedef {object} Setting
 * @property {'bottle' | 'rocket'} group
 * @property {string} name
 * @property {string | number | boolean | string[] | null} value
 * @property {string | number | boolean | string[] | null} default
 * @property {string} unit
 * @property {string} about
 * @property {'default' | 'file' | 'environment' | 'command_line' | 'page'} source
 * @property {string} [origin]
 * @property {boolean} can_change
 * @property {number} [max]
 */

/**
 * The documentation in the reader's language, where the server's English one is translated.
 * @type {Record<string, string>}
 */
let translations = {};

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  /** @type {{ settings: Setting[] }} */
  const { settings } = await request('GET', 'admin/settings', { signal });
  translations = (await import(`../../lang/settings/${language}.js`)).default;
  const changing = settings.filter((setting) => setting.can_change);
  container.replaceChildren(
    el('p', {}, t('settings.about')),
    el('h3', {}, t('settings.changing')), ...changing.map((setting) => settingForm(setting, refresh)),
    ...['bottle', 'rocket'].flatMap((group) => [
      el('h3', {}, t(`settings.${group}`)),
      settingTable(t(`settings.${group}`), settings.filter((setting) => setting.group === group))]));

  async function refresh() {
    const { activeElement } = document;
    const name = activeElement?.closest('form')?.dataset.setting;
    await show(container, signal);
    if (!name) return;
    /** @type {HTMLElement | null} */
    const button = container.querySelector(`form[data-setting="${name}"] button`);
    button?.focus();
  }
}

/** @param {Setting} setting */
const about = ({ name, about: text, unit }) => translations[name] ?? `${text} (${unit})`.replaceAll('`', '');

/** @param {Setting['value']} value */
const valueText = (value) => (value === null || String(value) === '' ? t('settings.empty') : String(value));

/**
 * @param {string} label
 * @param {Setting[]} settings
 */
function settingTable(label, settings) {
  const columns = ['name', 'value', 'source', 'meaning'].map((key) => t(`settings.${key}`));
  return el('div', { class: 'settings' }, table(label, columns, settings.map((setting) => {
    const { name, value, source, origin } = setting;
    const place = el('span', {}, el('span', { class: `source source-${source}` }, t(`settings.${source}`)),
      origin && el('span', { class: 'secondary' }, origin));
    return [el('code', {}, name), el('code', {}, valueText(value)), place, about(setting)];
  })));
}

/**
 * @param {Setting} setting
 * @param {() => Promise<void>} refresh
 */
function settingForm(setting, refresh) {
  const { name, max } = setting;
  const control = settingControl(setting);
  const parse = () => (max === undefined ? control.value : Number(control.value));
  const isWrong = () => max !== undefined && !(/^\d+$/.test(control.value) && Number(control.value) <= max);
  const node = form(t('settings.save'), [field('value', name, control, about(setting))], {
    /** @returns {Record<string, string>} */
    validate: () => (isWrong() ? { value: t('settings.range', { max: max ?? 0 }) } : {}),
    submit: async () => {
      const value = typeof setting.value === 'boolean' ? control.value === 'true' : parse();
      await request('PUT', `admin/settings/${name}`, { body: { value } });
      await refresh();
      toast(t('settings.saved'));
    },
  });
  node.dataset.setting = name;
  return node;
}

/**
 * @param {Setting} setting
 * @returns {Control}
 */
function settingControl({ name, value, max }) {
  if (typeof value === 'boolean') {
    return select([['true', t('settings.yes')], ['false', t('settings.no')]], String(value));
  }
  if (name === 'registration') {
    return select(['open', 'invite', 'closed'].map((mode) => [mode, t(`setup.${mode}`)]), String(value));
  }
  return input({ type: 'number', min: 0, max, value: Number(value), inputmode: 'numeric' });
}
