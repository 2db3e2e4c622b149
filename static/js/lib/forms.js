// Forms: fields with label, hint and error, validation and submission.

/** @import { Child, Properties } from './dom.js' */
/** @import { Context } from './errors.js' */

import { ApiError, isAbort, t } from './core.js';
import { el, whileBusy } from './dom.js';
import { explain } from './errors.js';
import { toast } from './notices.js';

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */
/** @typedef {Record<string, Control>} Controls the controls of a form by their names */

let fieldCount = 0;

/**
 * Creates a labelled field. A screen reader reads its hint and its error with it.
 * @param {string} name
 * @param {string} label
 * @param {Control} control
 * @param {string | null} [hint]
 */
export function field(name, label, control, hint = null) {
  const id = `field-${name}-${(fieldCount += 1)}`;
  control.id = id;
  control.name = name;
  control.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  return el('div', { class: 'field', 'data-field': name },
    el('label', { for: id }, label),
    control instanceof HTMLInputElement && control.type === 'password' ? withRevealButton(control) : control,
    el('p', { class: 'hint', id: `${id}-hint` }, hint),
    el('p', { class: 'error', id: `${id}-error`, role: 'alert' }));
}

/** @param {Properties} properties */
export const input = (properties) => el('input', { type: 'text', ...properties });

/** @param {HTMLInputElement} control */
function withRevealButton(control) {
  const button = el('button', {
    type: 'button', class: 'reveal', 'aria-pressed': 'false', 'aria-label': t('form.show'),
  }, t('form.show.short'));
  button.addEventListener('click', () => {
    const isShown = control.type === 'text';
    control.type = isShown ? 'password' : 'text';
    button.setAttribute('aria-pressed', String(!isShown));
  });
  return el('div', { class: 'with-reveal' }, control, button);
}

/**
 * @param {[string, string][]} options values and labels
 * @param {string} value
 */
export function select(options, value) {
  const nodes = options.map(([key, label]) => el('option', { value: key, selected: key === value }, label));
  return el('select', {}, nodes);
}

/** @returns {[string, string][]} */
export const genders = () => ['unknown', 'female', 'male', 'other'].map((gender) => [gender, t(`gender.${gender}`)]);

/**
 * Creates a form that validates, submits, and shows each error beside its field.
 * @param {string} label of the button
 * @param {(Child | Child[])[]} contents
 * @param {object} options
 * @param {(controls: any) => Promise<unknown>} options.submit sends the values
 * @param {(controls: any) => Record<string, string>} [options.validate] returns the message of each wrong field
 * @param {Context} [options.context]
 * @param {boolean} [options.isDanger] whether the button looks dangerous
 */
export function form(label, contents, { submit, validate = () => ({}), context, isDanger = false }) {
  const button = el('button', { type: 'submit', class: isDanger ? 'danger' : 'primary' }, label);
  const general = el('p', { class: 'error general', role: 'alert' });
  const node = el('form', { novalidate: true, class: 'form' }, ...contents,
    el('div', { class: 'form-end' }, general, button));
  node.addEventListener('input', ({ target }) => {
    general.textContent = '';
    clearError(/** @type {Control} */ (target));
  });
  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (node.hasAttribute('aria-busy')) return;
    // The dialog may have another form, whose error is out of date too.
    for (const each of node.closest('dialog')?.querySelectorAll('form') ?? [node]) clearErrors(each);
    const controls = controlsOf(node);
    if (showErrors(node, validate(controls))) return;
    node.setAttribute('aria-busy', 'true');
    try {
      await whileBusy(button, () => submit(controls));
    } catch (error) {
      // The reader cancelled the login.
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
      const { field: name, message } = explain(error, context);
      // The reader may have closed the form meanwhile.
      if (!node.isConnected) toast(message);
      else if (!showErrors(node, { [name ?? error.field ?? '']: message })) general.textContent = message;
    } finally {
      node.removeAttribute('aria-busy');
    }
  });
  return node;
}

/**
 * Returns the controls of a form, which also have an entry for each name.
 * @param {HTMLFormElement} node
 */
export const controlsOf = (node) => /** @type {HTMLFormControlsCollection & Controls} */ (
  /** @type {unknown} */ (node.elements));

/** @param {HTMLFormElement} node */
function clearErrors(node) {
  for (const error of node.querySelectorAll('.error')) error.textContent = '';
  for (const control of node.elements) control.removeAttribute('aria-invalid');
}

/** @param {Control} control */
function clearError(control) {
  control.removeAttribute('aria-invalid');
  control.closest('[data-field]')?.querySelector('.error')?.replaceChildren();
}

/**
 * Shows each message beside its field and focuses the first one. Returns false if no message belongs to a field.
 * @param {HTMLFormElement} node
 * @param {Record<string, string>} messages
 */
function showErrors(node, messages) {
  let first = null;
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll('[data-field]'))) {
    const name = each.dataset.field ?? '';
    const message = messages[name];
    const error = each.querySelector('.error');
    if (!message || !error) continue;
    error.textContent = message;
    const control = controlsOf(node)[name];
    control.setAttribute('aria-invalid', 'true');
    first ??= control;
  }
  first?.focus();
  return first !== null;
}
