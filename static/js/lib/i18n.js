// The reader's language: strings, plurals, numbers. All the words are in lang/en.js and lang/zh.js.

const LANGUAGES = ['en', 'zh'];
const KEY = 'bottle.language';

function choose() {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages];
  const known = wanted.map((tag) => tag?.toLowerCase().split('-')[0]).find((tag) => LANGUAGES.includes(tag));
  return known ?? 'en';
}

export const language = choose();

// Formats follow the reader's own region where it goes with the language: an Irish reader gets Irish dates.
export const locale = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;

const strings = (await import(`../../lang/${language}.js`)).default;
const plural = new Intl.PluralRules(locale);
const number = new Intl.NumberFormat(locale);

/** The words for `key`; `{name}` in them is replaced, and `n` chooses between singular and plural. */
export function t(key, values = {}) {
  let text = strings[key];
  if (typeof text === 'object') text = text[plural.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === 'number' ? number.format(values[name]) : values[name]));
}

/** Fills the words into the elements of the page that ask for them with data-t (text) or data-t-label (accessible name). */
export function translate(root) {
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en';
  document.title = t('app.title');
  for (const node of root.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll('[data-t-label]')) node.setAttribute('aria-label', t(node.dataset.tLabel));
}

/** Keeps the choice and starts the page again: drafts, session and place are kept elsewhere and survive it. */
export function switchLanguage() {
  localStorage.setItem(KEY, LANGUAGES.find((tag) => tag !== language));
  location.reload();
}
