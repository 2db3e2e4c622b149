// Making elements without a framework: el('p', { class: 'hint' }, 'text', child).

const SVG = 'http://www.w3.org/2000/svg';

/** A new element. A property that starts with "on" is a listener; true is an empty attribute; null and false are left out. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG, which lives in a namespace of its own. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const sheets = new Map();

/** Loads a style sheet that the first paint did not need; what uses it waits, so nothing is ever shown unstyled. */
export function needStyle(name) {
  if (!sheets.has(name)) {
    sheets.set(name, new Promise((resolve) => {
      document.head.append(el('link', { rel: 'stylesheet', href: `css/${name}.css`, onload: resolve, onerror: resolve }));
    }));
  }
  return sheets.get(name);
}
