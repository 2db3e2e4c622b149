// The section that imports another program's points: a file, what would happen, the import.

import { ApiError, request, t } from '../lib/core.js';
import { USER_TEXT, el, present } from '../lib/dom.js';
import { field, form, input } from '../lib/forms.js';
import { toast } from '../lib/notices.js';

/**
 * @typedef {object} Imported
 * @property {number} added
 * @property {number} existing
 * @property {number} rejected_count
 * @property {{ first: number, count: number, reason: string }[]} rejected
 */

/** @param {HTMLElement} container */
export async function show(container) {
  // A reader who was disconnected keeps the preview.
  if (container.querySelector('input')) return;
  const preview = el('div', { class: 'points-preview', role: 'status' });
  container.replaceChildren(
    el('p', { class: 'hint' }, t('points.about'), ' ', t('points.text')), chooser(preview), preview);
}

/** @param {HTMLElement} preview */
function chooser(preview) {
  const file = input({ type: 'file', accept: '.geojson,.json,application/geo+json,application/json' });
  const owner = input({ autocomplete: 'off', maxlength: 64, ...USER_TEXT });
  for (const control of [file, owner]) control.addEventListener('input', () => preview.replaceChildren());
  return form(t('points.preview'), [
    field('file', t('points.file'), file),
    field('owner', t('points.owner'), owner, t('points.ownerHint')),
  ], {
    validate: () => ({ ...(!file.files?.length && { file: t('points.noFile') }) }),
    submit: async () => {
      preview.replaceChildren();
      const body = await read(/** @type {FileList} */ (file.files)[0]);
      if (!body) {
        showError(file, t('points.notGeoJson'));
        return;
      }
      const name = owner.value.trim();
      try {
        const result = await send(body, name, true);
        preview.replaceChildren(...describe(result));
        if (result.added) preview.append(importForm(preview, result.added, body, name));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 404) showError(owner, t('points.noOwner'));
        else if (error.status === 422) showError(file, t('points.notGeoJson'));
        else throw error;
      }
    },
  });
}

/**
 * Returns the JSON object in a file, or null if it has none.
 * @param {File} file
 * @returns {Promise<object | null>}
 */
async function read(file) {
  try {
    return JSON.parse((await file.text()).replace(/^\uFEFF/, ''));
  } catch {
    return null;
  }
}

/**
 * @param {object} body
 * @param {string} owner
 * @param {boolean} isTrial
 * @returns {Promise<Imported>}
 */
function send(body, owner, isTrial) {
  const query = new URLSearchParams({ dry_run: String(isTrial), ...(owner && { owner }) });
  return request('POST', `admin/import?${query}`, { body });
}

/**
 * Creates the form that imports what the preview shows.
 * @param {HTMLElement} preview
 * @param {number} count
 * @param {object} body
 * @param {string} owner
 */
function importForm(preview, count, body, owner) {
  return form(t('points.run', { n: count }), [], {
    submit: async () => {
      const { added } = await send(body, owner, false);
      const done = t('points.done', { n: added });
      preview.replaceChildren(el('p', {}, done));
      toast(done);
    },
  });
}

/** @param {Imported} result */
function describe({ added, existing, rejected_count: leftOut, rejected }) {
  return present([
    el('p', {}, t('points.wouldAdd', { n: added })),
    existing > 0 && el('p', {}, t('points.existing', { n: existing })),
    leftOut > 0 && el('p', {}, t('points.leftOut', { n: leftOut })),
    leftOut > 0 && el('ul', {}, rejected.map((each) => el('li', {}, reason(each)))),
  ]);
}

/** @param {{ first: number, count: number, reason: string }} rejected */
function reason({ first, count, reason: text }) {
  return count === 1 ? t('points.first', { first, reason: text }) : t('points.many', { count, first, reason: text });
}

/**
 * @param {HTMLInputElement} control
 * @param {string} message
 */
function showError(control, message) {
  control.setAttribute('aria-invalid', 'true');
  control.closest('[data-field]')?.querySelector('.error')?.replaceChildren(message);
  control.focus();
}
