// ESLint for all JavaScript of this repository. Run by .ci/lint-js.

import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import globals from 'globals';

export default [
  { ignores: ['static/vendor/', 'target/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 'latest', sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { jsdoc },
    rules: {
      'max-len': ['error', { code: 120 }],
      'max-lines': ['error', 400],
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-implicit-globals': 'error',
      'no-restricted-globals': ['error', 'event', 'name'],
      'no-var': 'error',
      'prefer-const': 'error',
      'eqeqeq': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-promise-executor-return': 'error',
    },
  },
  {
    files: ['static/**/*.js'],
    languageOptions: { globals: { ...globals.browser, L: 'readonly' } },
    rules: {
      // tsc checks the types; these rules check that they are there.
      'jsdoc/check-param-names': 'error',
      'jsdoc/check-tag-names': ['error', { typed: false }],
      'jsdoc/require-param-name': 'error',
      'jsdoc/require-param-type': 'error',
      'jsdoc/no-multi-asterisks': 'error',
      'no-console': 'error',
      'no-shadow': 'error',
    },
  },
  {
    // The comment at the strings in static/js/lib/core.js says why. A page's own script is imported by no other.
    files: ['static/js/**/*.js'],
    ignores: ['static/js/main.js', ...['admin', 'docs', 'join', 'projector', 'setup', 'teacher', 'xray']
      .map((page) => `static/js/pages/${page}.js`)],
    rules: {
      'no-restricted-syntax': ['error', {
        selector: 'AwaitExpression:not(:function AwaitExpression)',
        message: 'Await nothing at the top level of a module that others import.',
      }],
    },
  },
  {
    files: ['static/sw.js'],
    languageOptions: { globals: globals.serviceworker },
  },
  {
    // The strings of the page are a list, which has no better place to be cut.
    files: ['static/lang/**/*.js'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: ['benches/**/*.js', '.ci/**/*.js'],
    languageOptions: { globals: globals.node },
  },
];
