// Elements without a framework: el('p', { class: 'hint' }, 'text', child).

import { t } from './core.js';

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {string | Node | null | undefined | false} Child a missing child is left out */
/** @typedef {(event: any) => unknown} Listener */
/** @typedef {Record<string, string | number | boolean | null | undefined | Listener>} Properties */

/**
 * Creates an element. A property that begins with "on" is a listener, `true` is an empty attribute; null and false are
 * left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  fill(node, properties, children);
  return node;
}

/**
 * Creates an SVG element, as `el` does for HTML.
 * @param {string} tag
 * @param {Properties} [properties]
 * @param {...(Child | Child[])} children
 */
export function svg(tag, properties = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  fill(node, properties, children);
  return node;
}

/**
 * @param {Element} node
 * @param {Properties} properties
 * @param {(Child | Child[])[]} children
 */
function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...present(children.flat()));
}

/**
 * Returns the children that are not missing.
 * @param {Child[]} children
 */
export const present = (children) => /** @type {(string | Node)[]} */ (
  children.filter((child) => child !== null && child !== undefined && child !== false));

/**
 * The properties of an element whose text people write: its direction follows from the text, and its language is
 * unknown. A browser would else choose fonts, and a screen reader the voice, of the page's language.
 */
export const USER_TEXT = { dir: 'auto', lang: '' };

/**
 * Isolates a text of people, whose direction and language may differ from those of the text around it.
 * @param {string | Node} text
 */
export const bdi = (text) => el('bdi', { lang: '' }, text);

/**
 * Returns a string of the page as nodes, with each value isolated.
 * @param {string} key
 * @param {Record<string, string | Node>} values
 */
export function phrase(key, values) {
  const names = Object.keys(values);
  // Characters for private use mark the places of the values.
  const marks = Object.fromEntries(names.map((name, at) => [name, String.fromCharCode(0xe000 + at)]));
  return t(key, marks).split(/([\ue000-\ue0ff])/).map((part) => {
    const name = names[part.charCodeAt(0) - 0xe000];
    return name === undefined ? part : bdi(values[name]);
  });
}

/**
 * The style sheets by their addresses. Those of the HTML have loaded before any script runs. A second copy of one at
 * the end of the head would override the sheets after the first.
 * @type {Map<string | null, Promise<unknown>>}
 */
const sheets = new Map([...document.querySelectorAll('link[rel="stylesheet"]')]
  .map((link) => [link.getAttribute('href'), Promise.resolve()]));

/**
 * Loads a style sheet that the first view does not need. Callers wait for it, so that nothing appears without style. If
 * that fails, the next caller tries again.
 * @param {string} name
 */
export function loadStyle(name) {
  const href = `css/${name}.css`;
  const loading = sheets.get(href) ?? new Promise((resolve) => {
    const link = el('link', { rel: 'stylesheet', href, onload: resolve });
    link.addEventListener('error', () => {
      sheets.delete(href);
      link.remove();
      resolve(null);
    });
    document.head.append(link);
  });
  sheets.set(href, loading);
  return loading;
}

/**
 * Runs an action, unless the button's action is running. The button looks disabled meanwhile, but keeps the focus,
 * which an element with `disabled` loses.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<unknown>} action
 */
export async function whileBusy(button, action) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await action();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}
