// The English strings of feeds in the account dialog.
export default {
  'feed.about':
    'With secret links, feed readers and map programs follow your inbox and a part of the sea. Everyone '
    + 'who has the links sees what you see there.',
  'feed.none': 'You have no links.',
  'feed.since': 'Your links were made',
  'feed.make': 'Make links',
  'feed.renew': 'Make new links',
  'feed.renewSure': 'Make new links? The old ones will stop working.',
  'feed.renewYes': 'Make new ones',
  'feed.end': 'Revoke the links',
  'feed.endSure': 'Revoke the links? Programs that use them will stop working.',
  'feed.endYes': 'Revoke them',
  'feed.keep': 'Keep these links',
  'feed.inbox': 'Inbox (Atom)',
  'feed.nearby': 'Bottles in view (GeoJSON)',
  'feed.once': 'Copy the links now. They are not shown again.',
  'feed.ended': 'The links have been revoked.',
};
