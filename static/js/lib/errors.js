// What the server refused, in words that help. Its own messages are written for programs (and in one language).

import { t } from './i18n.js';

/** The message for an error, and the field it belongs to when the page knows that better than the server.
    `context` is what was being done: "login", "register", "password", "delete", "throw", "open" ... */
export function explain(error, context = '') {
  const { status, field, retryAfter } = error;
  if (status === 0) return { message: t(context === 'throw' ? 'error.offline.draft' : 'error.offline') };
  if (status === 429) return { message: t('error.slow', { n: retryAfter || 60 }) };
  if (status === 403 && context === 'login') return { field: 'password', message: t('error.login') };
  if (status === 403 && context === 'password') return { field: 'current_password', message: t('error.password') };
  if (status === 403 && context === 'delete') return { field: 'password', message: t('error.password') };
  if (status === 403 && context === 'throw') return { message: t('error.mayNotThrow') };
  if (status === 403) return { message: t('error.notYours') };
  if (status === 404) return { message: t('error.gone') };
  if (status === 409) return { field: 'username', message: t('error.taken') };
  if (status === 413) return { message: t('error.large') };
  if (status === 422 && field) return { field, message: t(`error.field.${known(field)}`) };
  if (status === 401) return { message: t('error.ended') };
  if (status === 503 || status === 507) return { message: t('error.readOnly') };
  return { message: t('error.unknown') };
}

const FIELDS = ['username', 'password', 'nickname', 'gender', 'content', 'latitude', 'longitude', 'formatted_address'];
const known = (field) => (FIELDS.includes(field) ? field : 'other');
