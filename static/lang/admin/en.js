// The English strings of the operator's page.
export default {
  'admin.title': 'Bottle: operator page',
  'admin.sectionTitle': 'Bottle: operator page · {name}',
  'admin.sections': 'Sections',
  'admin.logIn': 'Log in as an operator to see this page.',
  'admin.forbidden': 'Only operators can see this page.',

  'admin.invitations': 'Invitations',
  'registration.save': 'Save',
  'registration.saved': 'Saved.',
  'registration.fixed': 'The settings file or the environment of the server decides this: {mode}.',
};
