// The English strings of feeds in the account dialog.
export default {
  'feed.about':
    'Feed readers and map programs follow your inbox and a part of the sea by secret links. '
    + 'Everyone who has the links sees what you see there.',
  'feed.none': 'You have no links.',
  'feed.since': 'Your links were made',
  'feed.make': 'Make links',
  'feed.renew': 'Make new links',
  'feed.renewSure': 'Make new links? The old ones stop working.',
  'feed.renewYes': 'Make new ones',
  'feed.end': 'End the links',
  'feed.endSure': 'End the links? Programs that use them stop working.',
  'feed.endYes': 'End them',
  'feed.keep': 'Keep the old ones',
  'feed.inbox': 'Inbox (Atom)',
  'feed.nearby': 'Bottles in view (GeoJSON)',
  'feed.once': 'Copy the links now. They are not shown again.',
  'feed.ended': 'The links have ended.',
};
