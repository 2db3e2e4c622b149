//! The inbox of an account: the events of its bottles and threads.

use std::sync::Arc;

use crate::domain::accounts::Login;
use crate::domain::events::{EventBus, InboxSubscription};
use crate::domain::expiry::Expiry;
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::store::pages::PageRequest;
use crate::store::{Store, feeds, inbox, sessions};

pub use crate::model::inbox::Kind;
pub use crate::store::feeds::FeedItem;
pub use crate::store::inbox::Item;

/// The inboxes of a store.
#[derive(Clone)]
pub struct Inbox {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    expiry: Expiry,
}

impl Inbox {
    /// Creates the inboxes of `store`, which are informed by `events`.
    pub fn new(store: Arc<Store>, clock: Clock, events: EventBus, expiry: Expiry) -> Self {
        Self { store, clock, events, expiry }
    }

    /// Passes the items of the account to `show`, newest first, until the page is full. Returns the
    /// number of unread items, and true if there are more items after the page.
    pub async fn items(
        &self,
        login: &Login,
        page: PageRequest,
        show: impl FnMut(Item) -> Result<usize>,
    ) -> Result<(i64, bool)> {
        self.expiry.end_due().await;
        let account = login.account.id;
        let read = self.store.read_long(|db| {
            Ok((inbox::unread(db, account)?, inbox::items(db, account, page, show)?))
        });
        read.await
    }

    /// Returns the latest openings and replies, newest first.
    pub async fn feed_items(&self, login: &Login) -> Result<Vec<FeedItem>> {
        self.expiry.end_due().await;
        let account = login.account.id;
        self.store.read_long(|db| feeds::items(db, account)).await
    }

    /// Marks the items up to `through` as read, and returns the number of those that are not.
    pub async fn mark_read(&self, login: &Login, through: i64) -> Result<i64> {
        self.expiry.end_due().await;
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            inbox::mark_read(db, account.id, through)?;
            inbox::unread(db, account.id)
        });
        let (events, account) = (self.events.clone(), login.account.id);
        self.store.write_then(change, move |_| events.publish_inbox(account)).await
    }

    /// Subscribes to changes of the account's inbox and threads. Returns [`Error::Unavailable`] if there are too
    /// many subscribers.
    ///
    /// [`Error::Unavailable`]: crate::model::error::Error::Unavailable
    pub fn subscribe(&self, account: i64) -> Result<InboxSubscription> {
        self.events.subscribe_inbox(account)
    }

    /// Returns the items after `last`, or none if there is no `last`, with the id of the newest item
    /// and the number of unread ones.
    pub fn news(&self, account: i64, last: Option<i64>) -> Result<(Vec<Item>, i64, i64)> {
        self.store.read(|db| {
            let items = match last {
                Some(last) => inbox::after(db, account, last)?,
                None => Vec::new(),
            };
            let newest = match items.last() {
                Some(item) => item.id,
                None => inbox::newest(db, account)?.max(last.unwrap_or(0)),
            };
            Ok((items, newest, inbox::unread(db, account)?))
        })
    }
}
