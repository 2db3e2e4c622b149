//! The model of the state that the server should have, in plain maps.

use std::collections::BTreeMap;

/// The contract a session belongs to. The draft's sessions are Bottle's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Bottle,
    Ledger,
    Music,
    Bookstore,
}

pub(super) struct Account {
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    pub(super) nickname: &'static str,
    pub(super) gender: &'static str,
    pub(super) email: &'static str,
    pub(super) avatar_url: &'static str,
    pub(super) created_at: String,
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
        }
    }
}

pub(super) struct Bottle {
    pub(super) owner: i64,
    pub(super) content: &'static str,
    pub(super) style: i64,
    pub(super) place: (f64, f64),
    pub(super) created_at: String,
    /// When each opener first opened it.
    pub(super) openings: BTreeMap<i64, String>,
}

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

#[derive(Default)]
pub(super) struct World {
    pub(super) accounts: BTreeMap<i64, Account>,
    pub(super) bottles: BTreeMap<i64, Bottle>,
    pub(super) holdings: [BTreeMap<i64, (i64, &'static str)>; 3],
    /// In the order in which they began.
    pub(super) sessions: Vec<Session>,
    /// The greatest ids ever given: none is given twice.
    pub(super) last_account: i64,
    pub(super) last_bottle: i64,
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
        }
        for holdings in &mut self.holdings {
            holdings.retain(|_, (owner, _)| *owner != id);
        }
    }
}
