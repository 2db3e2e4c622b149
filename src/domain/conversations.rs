//! The rules of threads: who writes, reads, deletes and blocks.

use std::sync::Arc;

use crate::domain::accounts::{Account, Login, required};
use crate::domain::events::EventBus;
use crate::domain::expiry::Expiry;
use crate::model::clock::Clock;
use crate::model::error::{Error, Result, ThreadRule};
use crate::model::fields::ReplyText;
use crate::model::inbox::Kind;
use crate::store::inbox::NewItem;
use crate::store::outbox::Event;
use crate::store::pages::PageRequest;
use crate::store::replies::{Participants, Side};
use crate::store::{
    Connection, Store, blocks, bottles, inbox, moderation, openings, outbox, replies, sessions,
};

pub use crate::store::replies::{Reply, Thread, ThreadKey};

/// A page of a thread's replies.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPage {
    /// True if the reader has blocked the other side.
    pub is_blocked: bool,
    /// True if there are more replies.
    pub has_more: bool,
}

/// The conversations of a store.
pub struct Conversations {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    expiry: Expiry,
}

impl Conversations {
    /// Creates the conversations of `store`, which inform inboxes by `events`.
    pub fn new(store: Arc<Store>, clock: Clock, events: EventBus, expiry: Expiry) -> Self {
        Self { store, clock, events, expiry }
    }

    /// Writes a reply: the opener of a bottle to its owner, or the owner to `opener`.
    ///
    /// # Errors
    /// Returns [`Error::Thread`] with the rule that does not let the account write,
    /// [`Error::NoSuchBottle`] if the bottle has ended or the account must not learn that it
    /// exists, and [`Error::Muted`] or [`Error::Frozen`] if it may not throw either.
    pub async fn reply(
        &self,
        login: &Login,
        bottle: i64,
        opener: Option<i64>,
        content: ReplyText,
    ) -> Result<Reply> {
        self.expiry.end_due().await;
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, author| {
            let (thread, other) = thread_to_write(db, &author, bottle, opener)?;
            moderation::ensure_can_throw(db, author.id, now)?;
            let actor = author.id;
            let reply = replies::insert(db, thread, author, &content, now)?;
            let item = NewItem {
                user: other,
                kind: Kind::Replied,
                bottle,
                actor: Some(actor),
                reply: Some(reply.id),
            };
            inbox::add(db, item, now)?;
            let event = Event::ReplyWritten { reply: reply.id, bottle, author: &reply.author };
            outbox::add(db, event, now)?;
            Ok((reply, other))
        });
        let events = self.events.clone();
        let publish = move |(reply, other): &(Reply, i64)| {
            events.publish_threads([reply.author.id, *other]);
        };
        self.store.write_then(change, publish).await.map(|(reply, _)| reply)
    }

    /// Passes the replies of a thread to `show`, oldest first, until the page is full. What its owner
    /// or opener has been shown is marked as read.
    ///
    /// # Errors
    /// Returns the errors of [`Conversations::reply`] for an account that may not read the thread.
    pub async fn replies(
        &self,
        login: &Login,
        bottle: i64,
        opener: Option<i64>,
        page: PageRequest,
        mut show: impl FnMut(Reply) -> Result<usize>,
    ) -> Result<ThreadPage> {
        self.expiry.end_due().await;
        let account = &login.account;
        let read = self.store.read_long(|db| {
            let (thread, side, other) = thread_to_read(db, account, bottle, opener)?;
            let is_blocked = blocks::exists(db, account.id, other)?;
            let mut last = 0;
            let with_hidden = account.is_teacher;
            let has_more =
                replies::in_thread(db, thread, account.id, with_hidden, page, |reply| {
                    last = reply.id;
                    show(reply)
                })?;
            // Unread replies of a blocked account were not shown.
            let unread = match side.filter(|_| !is_blocked) {
                Some(side) if replies::has_unread(db, thread, side, last)? => Some(side),
                _ => None,
            };
            let page = ThreadPage { is_blocked, has_more };
            Ok((page, unread.map(|side| (thread, side, last))))
        });
        let (page, unread) = read.await?;
        if let Some((thread, side, last)) = unread {
            let change = move |db: &_| replies::mark_read(db, thread, side, last);
            if let Err(e) = self.store.write(change).await {
                tracing::warn!("cannot mark replies as read: {e}");
            }
        }
        Ok(page)
    }

    /// Passes the threads of the account's own bottle to `show`, the latest first, until the page
    /// is full. Returns true if there are more.
    pub async fn threads(
        &self,
        bottle: i64,
        page: PageRequest,
        show: impl FnMut(Thread) -> Result<usize>,
    ) -> Result<bool> {
        self.store.read_long(|db| replies::threads(db, bottle, page, show)).await
    }

    /// Deletes a reply of the account.
    pub async fn delete(&self, login: &Login, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            let (participants, other) = visible(db, id, account.id)?;
            if participants.author != account.id {
                return Err(Error::Thread(ThreadRule::NotAuthor));
            }
            replies::delete(db, id)?;
            Ok(other)
        });
        let (events, author) = (self.events.clone(), login.account.id);
        let publish = move |other: &i64| events.publish_threads([author, *other]);
        self.store.write_then(change, publish).await.map(drop)
    }

    /// Blocks an account, or ends that. A blocked account neither opens the blocker's bottles nor
    /// replies to them.
    pub async fn block(&self, login: &Login, blocked: i64, is_blocked: bool) -> Result<()> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            if account.id == blocked {
                return Err(Error::OwnAccount);
            }
            blocks::set(db, account.id, blocked, is_blocked, now)
        });
        let (events, account) = (self.events.clone(), login.account.id);
        self.store
            .write_then(change, move |_: &()| events.publish_threads([account, blocked]))
            .await
    }

    /// Passes the accounts that the account has blocked to `show`, by id, until the page is full.
    /// Returns true if there are more.
    pub async fn blocked(
        &self,
        login: &Login,
        page: PageRequest,
        show: impl FnMut(Account) -> Result<usize>,
    ) -> Result<bool> {
        let account = login.account.id;
        self.store.read_long(|db| blocks::list(db, account, page, show)).await
    }
}

/// Returns the participants of a reply, and the other side than `account`. Returns
/// [`Error::NoSuchReply`] if it is hidden or in a thread of others.
pub(super) fn visible(db: &Connection, id: i64, account: i64) -> Result<(Participants, i64)> {
    let participants = replies::participants(db, id)?;
    let other = participants.other_side(account).filter(|_| !participants.is_hidden);
    other.map(|other| (participants, other)).ok_or_else(|| Error::NoSuchReply(id.to_string()))
}

/// Returns the thread in which the account may write now, and its other side.
fn thread_to_write(
    db: &Connection,
    account: &Account,
    bottle: i64,
    opener: Option<i64>,
) -> Result<(ThreadKey, i64)> {
    let refuse = |rule| Err(Error::Thread(rule));
    let ownership = bottles::ownership(db, bottle)?.filter(|bottle| !bottle.has_ended);
    let ownership = ownership.ok_or_else(|| no_such_bottle(bottle))?;
    let owner = ownership.owner;
    if account.id != owner {
        check_opener(db, account, bottle, opener)?;
        if blocks::exists(db, account.id, owner)? {
            return refuse(ThreadRule::Blocked);
        }
        return Ok((ThreadKey { bottle, opener: account.id }, owner));
    }
    let thread = ThreadKey { bottle, opener: required("opener_id", opener)? };
    if !ownership.on_sea {
        return refuse(ThreadRule::Hidden);
    }
    if !replies::has_begun(db, thread)? {
        return refuse(ThreadRule::OpenerFirst);
    }
    if blocks::exists(db, thread.opener, owner)? || blocks::exists(db, owner, thread.opener)? {
        return refuse(ThreadRule::Blocked);
    }
    Ok((thread, thread.opener))
}

/// Returns the thread that the account may read, its side, and the account of the other side. A
/// teacher who takes no part has no side, and the opener is the other.
fn thread_to_read(
    db: &Connection,
    account: &Account,
    bottle: i64,
    opener: Option<i64>,
) -> Result<(ThreadKey, Option<Side>, i64)> {
    let owner = bottles::owner(db, bottle)?.ok_or_else(|| no_such_bottle(bottle))?;
    if account.id == owner {
        let opener = required("opener_id", opener)?;
        return Ok((ThreadKey { bottle, opener }, Some(Side::Owner), opener));
    }
    let is_own = opener.is_none_or(|opener| opener == account.id);
    if account.is_teacher && !(is_own && openings::has_opened(db, bottle, account.id)?) {
        let opener = required("opener_id", opener)?;
        return Ok((ThreadKey { bottle, opener }, None, opener));
    }
    check_opener(db, account, bottle, opener)?;
    Ok((ThreadKey { bottle, opener: account.id }, Some(Side::Opener), owner))
}

/// Checks that the account, which does not own the bottle, takes part in its thread as an opener.
fn check_opener(
    db: &Connection,
    account: &Account,
    bottle: i64,
    opener: Option<i64>,
) -> Result<()> {
    bottles::visible_owner(db, bottle, account)?;
    if opener.is_some_and(|opener| opener != account.id) {
        return Err(Error::Thread(ThreadRule::Participants));
    }
    if !openings::has_opened(db, bottle, account.id)? {
        return Err(Error::Thread(ThreadRule::OpenFirst));
    }
    Ok(())
}

fn no_such_bottle(id: i64) -> Error {
    Error::NoSuchBottle(id.to_string())
}
