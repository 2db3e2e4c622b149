// Every route of this server, to read and to try: what /api/openapi.json says, as a page.

import { el } from '../lib/dom.js';
import { switchLanguage, t, translate } from '../lib/i18n.js';

const openapi = await (await fetch('api/openapi.json')).json();

translate(document.body);
document.title = t('docs.title');
document.getElementById('language').addEventListener('click', switchLanguage);
document.getElementById('about').textContent = openapi.info.description;
document.getElementById('operations').replaceChildren(...groups());

function groups() {
  const byTag = new Map();
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = operation.tags?.[0] ?? 'Server';
      byTag.set(tag, [...(byTag.get(tag) ?? []), view(method.toUpperCase(), path, operation)]);
    }
  }
  return [...byTag].map(([tag, operations]) => el('section', {}, el('h2', {}, tag), operations));
}

/** One operation, whose inside is made when it is opened. */
function view(method, path, operation) {
  const who = t(operation.security ? 'docs.session' : 'docs.anyone');
  const summary = el('summary', {},
    el('code', { class: 'method' }, method), ' ', el('code', {}, path), ' ', el('span', {}, operation.summary), ' ', el('span', { class: 'who' }, who));
  const details = el('details', { id: operation.operationId }, summary);
  details.addEventListener('toggle', () => details.append(inside(method, path, operation)), { once: true });
  return details;
}

function inside(method, path, operation) {
  const schema = operation.requestBody?.content['application/json'].schema;
  const fields = (operation.parameters ?? []).map((parameter) => ({ ...parameter, input: el('input', { required: parameter.required }) }));
  const body = schema && el('textarea', { 'aria-label': t('docs.body'), spellcheck: 'false' }, JSON.stringify(example(schema), null, 2));
  const output = el('pre', { role: 'status', tabindex: '0', 'aria-label': t('docs.answer'), hidden: true });
  const form = el('form', {},
    fields.map(({ name, description, input }) => el('label', {}, el('span', {}, name, description && el('small', {}, description)), input)),
    body,
    el('div', {}, el('button', { class: 'send' }, t('docs.send'))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    await send(method, filled(path, fields), { ...credentials(operation), ...headersOf(fields) }, body?.value, output);
  });
  return el('div', { class: 'inside' }, form, output, answers(operation));
}

const headersOf = (fields) => Object.fromEntries(fields.filter(({ in: place, input }) => place === 'header' && input.value !== '')
  .map(({ name, input }) => [name, input.value]));

/** The path with the parameters that were given. */
function filled(path, fields) {
  const query = new URLSearchParams();
  for (const { name, in: place, input } of fields) {
    if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (place === 'query' && input.value !== '') query.set(name, input.value);
  }
  return path.slice(1) + (query.size ? `?${query}` : '');
}

async function send(method, url, headers, body, output) {
  try {
    const answer = await fetch(url, { method, headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) }, body });
    const status = `${answer.status} ${answer.statusText}\n`;
    if (!answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      output.textContent = status + pretty(await answer.text());
      return;
    }
    // It has no end: what has come so far is shown.
    output.textContent = status;
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) output.textContent += text;
  } catch {
    output.textContent = t('offline.gone');
  }
}

/** Two contracts carry their session in a header. Cookies the browser keeps by itself. */
function credentials(operation) {
  const asked = (operation.security ?? []).flatMap((choice) => Object.keys(choice));
  const value = (id) => document.getElementById(id).value.trim();
  if (asked.includes('music_session') && value('bearer')) return { Authorization: `Bearer ${value('bearer')}` };
  if (asked.includes('bookstore_session') && value('terminal')) return { token: value('terminal') };
  return {};
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function answers(operation) {
  const rows = Object.entries(operation.responses).map(([status, { description }]) =>
    el('tr', {}, el('th', { scope: 'row' }, status === 'default' ? '…' : status), el('td', {}, description)));
  return el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('docs.status')), el('th', { scope: 'col' }, t('docs.answer')))), el('tbody', {}, rows));
}

/** A value of the schema, to begin with. */
function example(schema) {
  if (schema.$ref) return example(openapi.components.schemas[schema.$ref.split('/').pop()]);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return example(choices.find((choice) => choice.type !== 'null') ?? choices[0]);
  if (schema.enum) return schema.enum[0];
  const type = [schema.type].flat()[0];
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, value]) => [name, example(value)]));
  return { string: '', integer: 0, number: 0, boolean: false, array: [] }[type] ?? null;
}
