// Every route of this server, to read and to try: the OpenAPI document as a page. The page's own words are in the
// reader's language, the texts of the document are in English and marked as such.

import { byId, t, translatePage } from '../lib/core.js';
import { el } from '../lib/dom.js';

/**
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {Schema[]} [oneOf]
 * @property {Schema[]} [anyOf]
 * @property {unknown[]} [enum]
 * @property {string | string[]} [type]
 * @property {Record<string, Schema>} [properties]
 */

/** @typedef {{ name: string, in: string, description?: string, required?: boolean }} Parameter */
/** @typedef {Parameter & { input: HTMLInputElement }} Field a parameter and its control */

/**
 * @typedef {object} Operation
 * @property {string} operationId
 * @property {string} summary
 * @property {string[]} [tags]
 * @property {Parameter[]} [parameters]
 * @property {{ content: Record<string, { schema: Schema }> }} [requestBody]
 * @property {Record<string, { description: string }>} responses
 * @property {Record<string, unknown>[]} [security]
 */

/**
 * @typedef {object} OpenApi
 * @property {{ description: string }} info
 * @property {Record<string, Record<string, Operation>>} paths
 * @property {{ schemas: Record<string, Schema> }} components
 */

await translatePage('docs.title');
const openapi = await fetchOpenApi();
if (openapi) showReference(openapi);
else byId('loading').textContent = t('error.offline');

/**
 * Returns null if the server does not respond.
 * @returns {Promise<OpenApi | null>}
 */
async function fetchOpenApi() {
  try {
    const response = await fetch('api/openapi.json');
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/**
 * Shows the whole reference at once, so that no part of it moves another.
 * @param {OpenApi} api
 */
function showReference({ info, paths }) {
  byId('about').textContent = info.description;
  byId('operations').replaceChildren(...groups(paths));
  byId('loading').remove();
  byId('reference').hidden = false;
}

/**
 * Returns a section for each tag.
 * @param {OpenApi['paths']} paths
 */
function groups(paths) {
  /** @type {Map<string, HTMLElement[]>} */
  const byTag = new Map();
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = operation.tags?.[0] ?? 'Server';
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationView(method.toUpperCase(), path, operation)]);
    }
  }
  return [...byTag].map(([tag, operations]) => el('section', {}, el('h2', { lang: 'en' }, tag), operations));
}

/**
 * Creates the view of an operation. Its body is created when the reader opens it.
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 */
function operationView(method, path, operation) {
  const access = t(operation.security ? 'docs.session' : 'docs.anyone');
  const summary = el('summary', {},
    el('code', { class: 'method' }, method), ' ',
    el('code', {}, path), ' ',
    el('span', { lang: 'en' }, operation.summary), ' ',
    el('span', { class: 'access' }, access));
  const details = el('details', { id: operation.operationId }, summary);
  details.addEventListener('toggle', () => details.append(operationBody(method, path, operation)), { once: true });
  return details;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Operation} operation
 */
function operationBody(method, path, operation) {
  const schema = operation.requestBody?.content['application/json'].schema;
  const fields = (operation.parameters ?? []).map((parameter) => {
    const input = el('input', { required: parameter.required });
    return { ...parameter, input };
  });
  const body = schema && el('textarea', { 'aria-label': t('docs.body'), spellcheck: 'false' },
    JSON.stringify(example(schema), null, 2));
  const output = el('pre', { role: 'status', tabindex: '0', 'aria-label': t('docs.answer'), hidden: true });
  const form = el('form', {}, fields.map(fieldView), body,
    el('div', {}, el('button', { class: 'send' }, t('docs.send'))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    const headers = { ...credentials(operation), ...parameterHeaders(fields) };
    await send(method, fillPath(path, fields), headers, body?.value, output);
  });
  return el('div', { class: 'operation-body' }, form, output, responseTable(operation));
}

/** @param {Field} field */
function fieldView({ name, description, input }) {
  const label = el('span', {}, el('code', {}, name), description && el('small', { lang: 'en' }, description));
  return el('label', {}, label, input);
}

/**
 * @param {Field[]} fields
 * @returns {Record<string, string>}
 */
function parameterHeaders(fields) {
  const filled = fields.filter(({ in: place, input }) => place === 'header' && input.value !== '');
  return Object.fromEntries(filled.map(({ name, input }) => [name, input.value]));
}

/**
 * Returns the address of an operation with its parameters.
 * @param {string} path
 * @param {Field[]} fields
 */
function fillPath(path, fields) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: place, input } of fields) {
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (place === 'query' && input.value !== '') query.set(name, input.value);
  }
  return filled.slice(1) + (query.size ? `?${query}` : '');
}

/**
 * Sends a request and shows its response. An event stream has no end, so it is shown as it arrives.
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {string | undefined} body
 * @param {HTMLElement} output
 */
async function send(method, url, headers, body, output) {
  const allHeaders = { ...headers, ...(body && { 'Content-Type': 'application/json' }) };
  try {
    const response = await fetch(url, { method, headers: allHeaders, body });
    const status = `${response.status} ${response.statusText}\n`;
    if (!response.body || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      output.textContent = status + formatJson(await response.text());
      return;
    }
    output.textContent = status;
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) output.textContent += text;
  } catch {
    // Only the network can fail here.
    output.textContent = t('offline.gone');
  }
}

/**
 * Returns the header that carries the credential of an operation. The browser sends cookies by itself.
 * @param {Operation} operation
 * @returns {Record<string, string>}
 */
function credentials(operation) {
  const schemes = (operation.security ?? []).flatMap((choice) => Object.keys(choice));
  const token = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id)).value.trim();
  if (schemes.includes('access_token') && token('access-token')) {
    return { Authorization: `Bearer ${token('access-token')}` };
  }
  if (schemes.includes('music_session') && token('bearer')) return { Authorization: `Bearer ${token('bearer')}` };
  if (schemes.includes('bookstore_session') && token('terminal')) return { token: token('terminal') };
  return {};
}

/**
 * Returns JSON with indentation, and any other text as it is.
 * @param {string} text
 */
function formatJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** @param {Operation} operation */
function responseTable({ responses }) {
  const column = (/** @type {string} */ key) => el('th', { scope: 'col' }, t(key));
  const rows = Object.entries(responses).map(([status, { description }]) => el('tr', {},
    el('th', { scope: 'row' }, status === 'default' ? '…' : status),
    el('td', { lang: 'en' }, description)));
  return el('table', {},
    el('thead', {}, el('tr', {}, column('docs.status'), column('docs.answer'))),
    el('tbody', {}, rows));
}

/**
 * Returns a value that fits a schema.
 * @param {Schema} schema
 * @returns {unknown}
 */
function example(schema) {
  if (schema.$ref) return example(openapi?.components.schemas[schema.$ref.split('/').pop() ?? ''] ?? {});
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return example(choices.find((choice) => choice.type !== 'null') ?? choices[0]);
  if (schema.enum) return schema.enum[0];
  switch ([schema.type].flat()[0]) {
    case 'object': return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, property]) => [name, example(property)]));
    case 'string': return '';
    case 'integer':
    case 'number': return 0;
    case 'boolean': return false;
    case 'array': return [];
    default: return null;
  }
}
