//! The model of threads, blocks and inboxes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::run;
use super::world::{Bottle, World};

/// The last reply that each side of a thread has read.
#[derive(Clone, Default)]
pub(super) struct Thread {
    pub(super) owner_read: i64,
    pub(super) opener_read: i64,
}

#[derive(Clone)]
pub(super) struct Reply {
    pub(super) bottle: i64,
    pub(super) opener: i64,
    pub(super) author: i64,
    pub(super) content: &'static str,
    pub(super) created_at: String,
    pub(super) is_hidden: bool,
    /// The reports by reporter.
    pub(super) reports: BTreeMap<i64, Report>,
}

impl Reply {
    pub(super) fn new(
        (bottle, opener): (i64, i64),
        author: i64,
        content: &'static str,
        created_at: String,
    ) -> Self {
        let reports = BTreeMap::new();
        Self { bottle, opener, author, content, created_at, is_hidden: false, reports }
    }
}

#[derive(Clone)]
pub(super) struct Report {
    pub(super) reason: &'static str,
    /// The time before the request.
    pub(super) since: String,
    /// No teacher has settled it.
    pub(super) is_open: bool,
}

impl Report {
    pub(super) fn new(reason: &'static str, request: &run::Reply) -> Self {
        Self { reason, since: request.before.clone(), is_open: true }
    }
}

/// An item of an inbox.
#[derive(Clone)]
pub(super) struct Item {
    /// The id, once a list has shown it.
    pub(super) id: Option<i64>,
    pub(super) kind: &'static str,
    pub(super) bottle: i64,
    pub(super) actor: Option<i64>,
    pub(super) reply: Option<i64>,
    pub(super) count: usize,
    /// The time, or the earliest possible one until a list has shown it.
    pub(super) created_at: String,
    pub(super) is_time_known: bool,
    pub(super) is_read: bool,
}

impl Item {
    /// An unread item without an actor, of a time that is not before `since`.
    pub(super) fn since(kind: &'static str, bottle: i64, since: String) -> Self {
        Self {
            id: None,
            kind,
            bottle,
            actor: None,
            reply: None,
            count: 1,
            created_at: since,
            is_time_known: false,
            is_read: false,
        }
    }

    /// An unread item of something that `actor` did at a known time.
    pub(super) fn by(actor: i64, kind: &'static str, bottle: i64, created_at: String) -> Self {
        Self { actor: Some(actor), is_time_known: true, ..Self::since(kind, bottle, created_at) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Owner,
    Opener,
}

/// Adds the numbers of replies and of unread ones to the view of a list, unless they are 0.
pub(super) fn with_counts(mut view: Value, (replies, unread): (usize, usize)) -> Value {
    for (field, count) in [("replies_count", replies), ("unread_count", unread)] {
        if count > 0 {
            view[field] = json!(count);
        }
    }
    view
}

/// Adds the limits of a bottle to its view, if it has any.
pub(super) fn with_limits(mut view: Value, bottle: &Bottle) -> Value {
    if let Some((_, expires_at)) = &bottle.expires_at {
        view["expires_at"] = json!(expires_at);
    }
    if let Some(metres) = bottle.open_within_m {
        view["open_within_m"] = json!(metres);
    }
    view
}

/// Adds that a bottle is hidden or has ended to the view that its owner gets.
pub(super) fn with_state(mut view: Value, bottle: &Bottle) -> Value {
    for (field, is_set) in [("hidden", bottle.is_hidden), ("expired", bottle.has_ended)] {
        if is_set {
            view[field] = json!(true);
        }
    }
    view
}

impl World {
    pub(super) fn has_blocked(&self, blocker: i64, blocked: i64) -> bool {
        self.blocks.contains(&(blocker, blocked))
    }

    pub(super) fn is_teacher(&self, account: i64) -> bool {
        self.accounts.get(&account).is_some_and(|account| account.is_teacher)
    }

    /// The bottle, if the account may learn that it exists.
    pub(super) fn visible(&self, bottle: i64, account: i64) -> Option<&Bottle> {
        self.bottles.get(&bottle).filter(|bottle| {
            let is_blocked = self.has_blocked(bottle.owner, account) && !self.is_teacher(account);
            bottle.owner == account || bottle.is_on_sea() && !is_blocked
        })
    }

    /// The replies of a thread, oldest first.
    pub(super) fn thread(&self, bottle: i64, opener: i64) -> impl Iterator<Item = (i64, &Reply)> {
        let replies = self.replies.iter().map(|(id, reply)| (*id, reply));
        replies.filter(move |(_, reply)| (reply.bottle, reply.opener) == (bottle, opener))
    }

    /// The visible replies of a thread, and how many of them are the other side's and unread.
    pub(super) fn counts(&self, bottle: i64, opener: i64, side: Side) -> (usize, usize) {
        let Some(thread) = self.bottles[&bottle].threads.get(&opener) else { return (0, 0) };
        let visible = || self.thread(bottle, opener).filter(|(_, reply)| !reply.is_hidden);
        let unread = visible().filter(|(id, reply)| match side {
            Side::Owner => reply.author == opener && *id > thread.owner_read,
            Side::Opener => reply.author != opener && *id > thread.opener_read,
        });
        (visible().count(), unread.count())
    }

    /// The counts that a side of a thread gets: none if it has blocked the other side.
    pub(super) fn shown_counts(&self, bottle: i64, opener: i64, side: Side) -> (usize, usize) {
        let owner = self.bottles[&bottle].owner;
        let has_blocked = match side {
            Side::Owner => self.has_blocked(owner, opener),
            Side::Opener => self.has_blocked(opener, owner),
        };
        if has_blocked { (0, 0) } else { self.counts(bottle, opener, side) }
    }

    /// The counts of all threads of a bottle that its owner gets.
    pub(super) fn bottle_counts(&self, bottle: i64) -> (usize, usize) {
        let threads = self.bottles[&bottle].threads.keys();
        threads.fold((0, 0), |(replies, unread), opener| {
            let (more, more_unread) = self.shown_counts(bottle, *opener, Side::Owner);
            (replies + more, unread + more_unread)
        })
    }

    /// Adds an item to an inbox, unless the account does not want it. An opening replaces the unread
    /// item of earlier ones.
    pub(super) fn add_item(&mut self, user: i64, mut item: Item) {
        let is_blocked = item.actor.is_some_and(|actor| self.has_blocked(user, actor));
        let Some(account) = self.accounts.get_mut(&user) else { return };
        if is_blocked || account.silenced.contains(item.kind) {
            return;
        }
        if item.kind == "opened" {
            let same =
                |old: &Item| !old.is_read && old.kind == "opened" && old.bottle == item.bottle;
            if let Some(at) = account.inbox.iter().position(same) {
                item.count += account.inbox.remove(at).count;
            }
        }
        account.inbox.push(item);
    }

    /// Removes the items for which `is_gone` returns true of an account and an item.
    pub(super) fn remove_items(&mut self, is_gone: impl Fn(i64, &Item) -> bool) {
        for (id, account) in &mut self.accounts {
            account.inbox.retain(|item| !is_gone(*id, item));
        }
    }

    /// Removes what belonged to bottles, threads and replies that are gone, or to a deleted account.
    pub(super) fn remove_orphans(&mut self, deleted: Option<i64>) {
        let Self { bottles, replies, accounts, .. } = self;
        replies.retain(|_, reply| {
            let bottle = bottles.get(&reply.bottle);
            bottle.is_some_and(|bottle| bottle.threads.contains_key(&reply.opener))
        });
        for reply in replies.values_mut() {
            reply.reports.retain(|reporter, _| Some(*reporter) != deleted);
        }
        for account in accounts.values_mut() {
            account.inbox.retain(|item| {
                bottles.contains_key(&item.bottle)
                    && item.actor.is_none_or(|actor| Some(actor) != deleted)
                    && item.reply.is_none_or(|reply| replies.contains_key(&reply))
            });
        }
    }

    /// Hides a bottle or shows it again, and informs its owner, unless it is in that state.
    pub(super) fn set_hidden(&mut self, id: i64, is_hidden: bool, since: String) {
        let Some(bottle) = self.bottles.get_mut(&id).filter(|it| it.is_hidden != is_hidden) else {
            return;
        };
        bottle.is_hidden = is_hidden;
        let (owner, has_ended) = (bottle.owner, bottle.has_ended);
        if is_hidden && !has_ended {
            self.remove_items(|user, item| item.bottle == id && user != owner);
        }
        let kind = if is_hidden { "hidden" } else { "shown" };
        self.add_item(owner, Item::since(kind, id, since));
    }

    /// Ends the bottles whose time has come. Returns true if there are some.
    pub(super) fn end_due(&mut self, now: i64) -> bool {
        let is_due = |bottle: &Bottle| {
            !bottle.has_ended && bottle.expires_at.as_ref().is_some_and(|(end, _)| *end <= now)
        };
        let due = self.bottles.iter().filter(|(_, bottle)| is_due(bottle));
        let due: Vec<i64> = due.map(|(id, _)| *id).collect();
        for id in &due {
            let Some(bottle) = self.bottles.get_mut(id) else { continue };
            bottle.has_ended = true;
            let (owner, is_hidden) = (bottle.owner, bottle.is_hidden);
            let since = bottle.expires_at.as_ref().map_or_else(String::new, |(_, at)| at.clone());
            if !is_hidden {
                self.remove_items(|user, item| item.bottle == *id && user != owner);
            }
            self.add_item(owner, Item::since("expired", *id, since));
        }
        !due.is_empty()
    }
}
