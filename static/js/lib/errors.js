// Messages for failed requests. The server's own messages are for programs, and in one language.

import { ApiError, OTHER_ACCOUNT, t } from './core.js';

const FIELDS = ['username', 'password', 'nickname', 'gender', 'content', 'latitude', 'longitude', 'formatted_address'];

/** @typedef {'login' | 'register' | 'password' | 'delete' | 'throw' | 'open' | ''} Context the action that failed */

/**
 * Returns the message for an error, and its field if the page knows that better than the server. Reports an error that
 * is not the server's to the console: it is a fault of the page.
 * @param {unknown} error
 * @param {Context} [context]
 * @returns {{ message: string, field?: string }}
 */
export function explain(error, context = '') {
  if (!(error instanceof ApiError)) {
    reportError(error);
    return { message: t('error.unknown') };
  }
  const { status, field, retryAfter } = error;
  if (status === 0) return { message: t(context === 'throw' ? 'error.offline.draft' : 'error.offline') };
  if (status === 429) return { message: t('error.slow', { n: retryAfter || 60 }) };
  if (status === 403) return explainForbidden(context);
  if (status === 404) return { message: t('error.gone') };
  if (status === 409) return { field: 'username', message: t('error.taken') };
  if (status === OTHER_ACCOUNT) return { message: t('error.otherAccount') };
  if (status === 413) return { message: t('error.large') };
  if (status === 422 && field) return { field, message: t(`error.field.${FIELDS.includes(field) ? field : 'other'}`) };
  if (status === 401) return { message: t('error.ended') };
  if (status === 503 || status === 507) return { message: t('error.readOnly') };
  return { message: t('error.unknown') };
}

/**
 * @param {Context} context
 * @returns {{ message: string, field?: string }}
 */
function explainForbidden(context) {
  switch (context) {
    case 'login': return { field: 'password', message: t('error.login') };
    case 'password': return { field: 'current_password', message: t('error.password') };
    case 'delete': return { field: 'password', message: t('error.password') };
    case 'throw': return { message: t('error.mayNotThrow') };
    default: return { message: t('error.notYours') };
  }
}
