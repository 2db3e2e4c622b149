// Forms: fields with their label, hint and error beside them, and what happens when one is sent.

import { ApiError } from './api.js';
import { el } from './dom.js';
import { explain } from './errors.js';
import { t } from './i18n.js';

let count = 0;

/** A labelled field. `control` is the input; the error below it is read out with it. */
export function field(name, label, control, hint = null) {
  const id = `field-${name}-${(count += 1)}`;
  control.id = id;
  control.name = name;
  control.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  return el('div', { class: 'field', 'data-field': name },
    el('label', { for: id }, label),
    control.type === 'password' ? withEye(control) : control,
    el('p', { class: 'hint', id: `${id}-hint` }, hint),
    el('p', { class: 'error', id: `${id}-error`, role: 'alert' }));
}

export const input = (properties) => el('input', { type: 'text', ...properties });

/** A password that can be looked at. */
function withEye(control) {
  const eye = el('button', { type: 'button', class: 'eye', 'aria-pressed': 'false', 'aria-label': t('form.show') }, t('form.show.short'));
  eye.addEventListener('click', () => {
    const shown = control.type === 'text';
    control.type = shown ? 'password' : 'text';
    eye.setAttribute('aria-pressed', String(!shown));
  });
  return el('div', { class: 'with-eye' }, control, eye);
}

export function select(options, value) {
  return el('select', {}, options.map(([key, label]) => el('option', { value: key, selected: key === value }, label)));
}

export const genders = () => ['unknown', 'female', 'male', 'other'].map((gender) => [gender, t(`gender.${gender}`)]);

/** A form that checks, sends, and shows each error beside its field. `check` gives { field: message } for what is wrong. */
export function form(button, contents, { check = () => ({}), send, context, danger = false }) {
  const submit = el('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, button);
  const general = el('p', { class: 'error general', role: 'alert' });
  const node = el('form', { novalidate: true, class: 'form' }, contents, el('div', { class: 'form-end' }, general, submit));
  node.addEventListener('submit', async (event) => {
    event.preventDefault();
    clear(node);
    const wrong = check(node.elements);
    if (showErrors(node, wrong)) return;
    submit.disabled = true;
    node.setAttribute('aria-busy', 'true');
    try {
      await send(node.elements);
    } catch (error) {
      if (error.name === 'AbortError') return;   // the reader turned away from the log in
      if (!(error instanceof ApiError)) throw error;
      const { field: name, message } = explain(error, context);
      if (!showErrors(node, { [name ?? error.field]: message })) general.textContent = message;
    } finally {
      submit.disabled = false;
      node.removeAttribute('aria-busy');
    }
  });
  return node;
}

function clear(node) {
  for (const error of node.querySelectorAll('.error')) error.textContent = '';
  for (const control of node.elements) control.removeAttribute('aria-invalid');
}

/** Writes each message beside its field and goes to the first; false when no field of this form is meant. */
function showErrors(node, messages) {
  const fields = [...node.querySelectorAll('[data-field]')].map((each) => each.dataset.field);
  const wrong = fields.filter((name) => messages[name]);
  for (const name of wrong) {
    node.querySelector(`[data-field="${name}"] .error`).textContent = messages[name];
    node.elements[name].setAttribute('aria-invalid', 'true');
  }
  if (wrong.length) node.elements[wrong[0]].focus();
  return wrong.length > 0;
}
