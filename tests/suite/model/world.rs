//! The model of the state that the server should have, in plain maps.

use std::collections::{BTreeMap, BTreeSet};

use super::threads::{Item, Reply, Report, Thread};

/// The contract a session belongs to. The draft's sessions are Bottle's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Bottle,
    Ledger,
    Music,
    Bookstore,
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    pub(super) nickname: &'static str,
    pub(super) gender: &'static str,
    pub(super) email: &'static str,
    pub(super) avatar_url: &'static str,
    pub(super) created_at: String,
    pub(super) is_teacher: bool,
    /// The end of a mute, which may be over: in milliseconds, and as the server writes it.
    pub(super) muted_until: Option<(i64, String)>,
    /// The kinds of inbox items that it does not receive.
    pub(super) silenced: BTreeSet<&'static str>,
    /// Its inbox, oldest item first.
    pub(super) inbox: Vec<Item>,
}

impl Account {
    /// An account of which nothing else is known.
    pub(super) fn new(name: &'static str, password: &'static str) -> Self {
        let username = normal(name);
        Self {
            username,
            password,
            nickname: username,
            gender: "unknown",
            email: "",
            avatar_url: "",
            created_at: String::new(),
            is_teacher: false,
            muted_until: None,
            silenced: BTreeSet::new(),
            inbox: Vec::new(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Bottle {
    pub(super) owner: i64,
    pub(super) content: &'static str,
    pub(super) style: i64,
    pub(super) place: (f64, f64),
    pub(super) created_at: String,
    /// When each opener first opened it.
    pub(super) openings: BTreeMap<i64, String>,
    /// The threads by opener.
    pub(super) threads: BTreeMap<i64, Thread>,
    /// The reports by reporter.
    pub(super) reports: BTreeMap<i64, Report>,
    pub(super) is_hidden: bool,
    /// The time at which it ends: in milliseconds, and as the server writes it.
    pub(super) expires_at: Option<(i64, String)>,
    pub(super) has_ended: bool,
    pub(super) open_within_m: Option<i64>,
}

impl Bottle {
    pub(super) fn is_on_sea(&self) -> bool {
        !self.is_hidden && !self.has_ended
    }
}

#[derive(Clone)]
pub(super) struct Session {
    pub(super) by: By,
    pub(super) account: i64,
    /// The value of the client's header, as the login returned it.
    pub(super) carries: String,
    pub(super) terminal: Option<&'static str>,
    /// It ends by itself at some millisecond from the first to the second.
    pub(super) ends: (i64, i64),
    /// Ended before its time.
    pub(super) over: bool,
}

/// The tables of cards, members and divisions: owner and name by id.
pub(super) const KINDS: [&str; 3] = ["card", "member", "division"];

#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) accounts: BTreeMap<i64, Account>,
    pub(super) bottles: BTreeMap<i64, Bottle>,
    pub(super) replies: BTreeMap<i64, Reply>,
    /// The blocker and the blocked account.
    pub(super) blocks: BTreeSet<(i64, i64)>,
    pub(super) is_frozen: bool,
    pub(super) holdings: [BTreeMap<i64, (i64, &'static str)>; 3],
    /// In the order in which they began.
    pub(super) sessions: Vec<Session>,
    /// The greatest ids ever given: none is given twice.
    pub(super) last_account: i64,
    pub(super) last_bottle: i64,
    pub(super) last_reply: i64,
    pub(super) last_holding: [i64; 3],
}

/// A name as the server keeps it: in Unicode NFC.
pub(super) fn normal(name: &'static str) -> &'static str {
    if name == "e\u{301}ve" { "\u{e9}ve" } else { name }
}

impl World {
    pub(super) fn named(&self, name: &'static str) -> Option<i64> {
        let same = |account: &Account| account.username.eq_ignore_ascii_case(normal(name));
        self.accounts.iter().find(|(_, account)| same(account)).map(|(id, _)| *id)
    }

    pub(super) fn with_email(&self, email: &str) -> Option<i64> {
        let same = |account: &Account| account.email.to_lowercase() == email.to_lowercase();
        self.accounts.iter().find(|(_, account)| same(account)).map(|(id, _)| *id)
    }

    /// A second session at a terminal is the end of the first one there.
    pub(super) fn begin(&mut self, new: Session) {
        for old in &mut self.sessions {
            old.over |= new.terminal.is_some()
                && old.terminal == new.terminal
                && old.account == new.account;
        }
        self.sessions.push(new);
    }

    /// The next moment from `now` on at which no session, mute or bottle is about to end, so that
    /// the model need not know the millisecond.
    pub(super) fn clear_of_ends(&self, now: i64) -> i64 {
        const CLEAR: i64 = 3000;
        let at = |end: &Option<(i64, String)>| end.as_ref().map(|(end, _)| (*end, *end));
        let sessions = self.sessions.iter().map(|session| session.ends);
        let mutes = self.accounts.values().filter_map(|account| at(&account.muted_until));
        let bottles = self.bottles.values().filter_map(|bottle| at(&bottle.expires_at));
        let ends: Vec<(i64, i64)> = sessions.chain(mutes).chain(bottles).collect();
        let close = |now: i64| {
            ends.iter().find(|(first, last)| first - CLEAR <= now && now <= last + CLEAR)
        };
        let mut clear = now;
        while let Some((_, last)) = close(clear) {
            clear = last + CLEAR + 1;
        }
        clear
    }

    /// Ends all sessions of an account but the one at `kept`.
    pub(super) fn end_sessions(&mut self, account: i64, kept: Option<usize>) {
        for (at, session) in self.sessions.iter_mut().enumerate() {
            session.over |= session.account == account && Some(at) != kept;
        }
    }

    /// A new password is the end of all other sessions.
    pub(super) fn set_password(&mut self, id: i64, new: &'static str, kept: Option<usize>) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.password = new;
        }
        self.end_sessions(id, kept);
    }

    /// The first kind of holding, in Ledger's order, that the account has.
    pub(super) fn holds(&self, account: i64) -> Option<&'static str> {
        let has = |kind: &usize| self.holdings[*kind].values().any(|(owner, _)| *owner == account);
        (0..KINDS.len()).find(has).map(|kind| KINDS[kind])
    }

    /// An account goes with all that is its own.
    pub(super) fn delete(&mut self, id: i64) {
        self.end_sessions(id, None);
        self.accounts.remove(&id);
        self.bottles.retain(|_, bottle| bottle.owner != id);
        for bottle in self.bottles.values_mut() {
            bottle.openings.remove(&id);
            bottle.threads.remove(&id);
            bottle.reports.remove(&id);
        }
        self.blocks.retain(|(blocker, blocked)| *blocker != id && *blocked != id);
        self.remove_orphans(Some(id));
        for holdings in &mut self.holdings {
            holdings.retain(|_, (owner, _)| *owner != id);
        }
    }
}
