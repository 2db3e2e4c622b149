// Messages for failed requests. The server's own messages are for programs, and in one language.

import { ApiError, OTHER_ACCOUNT, t } from './core.js';
import { distanceText } from './format.js';

const FIELDS = ['username', 'password', 'nickname', 'gender', 'content', 'latitude', 'longitude', 'formatted_address'];

/**
 * The action that failed.
 * @typedef {'login' | 'register' | 'password' | 'delete' | 'throw' | 'open' | 'catch' | 'reply' | ''} Context
 */

/** The reasons for a rejected reply that have a message of their own. */
const REPLY_REASONS = ['muted', 'frozen', 'blocked', 'hidden'];

/**
 * Tells whether a reply was rejected because one side has blocked the other.
 * @param {unknown} error
 */
export const isBlocked = (error) => error instanceof ApiError && error.data.reason === 'blocked';

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
  if (status === 403) return explainForbidden(error, context);
  if (status === 404) return { message: t(context === 'catch' ? 'catch.none' : 'error.gone') };
  if (error.code === 'TOO_MANY_TOKENS') return { message: t('error.tokens') };
  if (status === 409) return { field: 'username', message: t('error.taken') };
  if (status === OTHER_ACCOUNT) return { message: t('error.otherAccount') };
  if (status === 413) return { message: t('error.large') };
  if (status === 422 && context === 'reply') return { field: 'content', message: t('reply.length') };
  if (status === 422 && field) return { field, message: t(`error.field.${FIELDS.includes(field) ? field : 'other'}`) };
  if (status === 401) return { message: t('error.ended') };
  if (error.code === 'STANDBY') return { message: t('error.standby', { url: error.data.primary_url ?? '' }) };
  if (status === 503 || status === 507) return { message: t('error.readOnly') };
  return { message: t('error.unknown') };
}

/**
 * @param {ApiError} error
 * @param {Context} context
 * @returns {{ message: string, field?: string }}
 */
function explainForbidden(error, context) {
  if (error.code === 'INVITATION_INVALID') return { field: 'invitation', message: t('error.invitation') };
  if (error.code === 'REGISTRATION_CLOSED') return { message: t('error.registration') };
  if (error.code === 'CLASS_CODE_INVALID') return { field: 'code', message: t('error.classCode') };
  if (error.code === 'CLASS_FULL') return { message: t('error.classFull') };
  if (error.code === 'GUEST') return { message: t('error.guest') };
  if (error.code === 'SETUP_INVALID') return { message: t('setup.invalid') };
  if (error.code === 'LAST_OPERATOR') return { message: t('error.lastOperator') };
  if (error.code === 'TOO_FAR') return { message: explainDistance(error.data) };
  switch (context) {
    case 'login': return { field: 'password', message: t('error.login') };
    case 'password': return { field: 'current_password', message: t('error.password') };
    case 'delete': return { field: 'password', message: t('error.password') };
    case 'throw': return { message: t('error.mayNotThrow') };
    case 'reply': return { message: explainReply(error.data.reason) };
    default: return { message: t('error.notYours') };
  }
}

/** @param {string} [reason] */
const explainReply = (reason = '') => t(REPLY_REASONS.includes(reason) ? `error.reply.${reason}` : 'error.notYours');

/** @param {{ distance_m?: number, open_within_m?: number }} data */
function explainDistance({ distance_m: distance, open_within_m: within }) {
  if (distance !== undefined) return t('near.tooFar', { distance: distanceText(distance) });
  return t('near.limit', { distance: distanceText(within ?? 0) });
}
