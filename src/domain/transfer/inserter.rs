//! Inserts the rows of an import inside a transaction.

use std::collections::HashMap;

use crate::store::Connection;

use super::incoming::{IncomingBottle, Row};
use crate::model::clock::Timestamp;
use crate::model::error::Error;
use crate::model::fields::{
    Address, AvatarUrl, Content, Email, Gender, Nickname, OpenWithin, ReplyText, Style, Username,
};
use crate::model::geo::Position;
use crate::model::role::Role;
use crate::store::bottles::{self, NewBottle};
use crate::store::replies::ThreadKey;
use crate::store::transfer::{self, Block, Opening, Person, WrittenReply};
use crate::store::users::{self, NewAccount};

/// Maps the usernames and bottle ids of the file to rows of the database. It is kept across
/// transactions, so a row may have been deleted meanwhile.
#[derive(Default)]
pub(super) struct ImportIndex {
    /// By [`Username::key`]; `None` for an account that was deleted during the import.
    accounts: HashMap<String, Option<i64>>,
    bottles: HashMap<i64, i64>,
}

/// Values for rows that lack them.
#[derive(Clone)]
pub(super) struct Defaults {
    /// The owner of bottles that other programs wrote.
    pub(super) owner: Option<String>,
    /// The start of the import.
    pub(super) now: Timestamp,
    /// A hash that matches no known password.
    pub(super) unusable_hash: String,
}

/// The reason why a row was not added.
pub(super) enum Failure {
    /// The row is invalid.
    Row(String),
    /// The store failed, and the transaction is rolled back.
    Store(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) | Error::Damaged(_) | Error::Internal(_) => Self::Store(error),
            error => Self::Row(error.to_string()),
        }
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Inserts the rows of an import through one connection.
pub(super) struct Inserter<'a> {
    pub(super) db: &'a Connection,
    pub(super) index: &'a mut ImportIndex,
    pub(super) defaults: &'a Defaults,
}

impl Inserter<'_> {
    /// Inserts a row. Returns false if it exists.
    pub(super) fn insert(&mut self, row: &Row) -> Result<bool> {
        match row {
            Row::User(person) => self.insert_account(person),
            Row::Bottle(bottle) => self.insert_bottle(bottle),
            Row::Opening(opening) => self.insert_opening(opening),
            Row::Reply(reply) => self.insert_reply(reply),
            Row::Block(block) => self.insert_block(block),
        }
    }

    fn insert_account(&mut self, person: &Person) -> Result<bool> {
        if users::id_by_name(self.db, &person.username)?.is_some() {
            return Ok(false);
        }
        let new = NewAccount {
            username: Username::parse("username", &person.username)?,
            password_hash: self.defaults.unusable_hash.clone(),
            nickname: Nickname::parse(&person.nickname)?,
            gender: Gender::parse(&person.gender)?,
            email: person.email.as_deref().map(Email::parse).transpose()?,
            password_is_one_time: false,
            role: Role::User,
        };
        let avatar = person.avatar_url.as_deref().map(AvatarUrl::parse).transpose()?;
        let avatar = avatar.as_ref().map(AvatarUrl::as_str);
        let id = transfer::insert_account(self.db, &new, avatar, person.created_at)?;
        self.index.accounts.insert(Username::key(&person.username), Some(id));
        Ok(true)
    }

    fn insert_bottle(&mut self, bottle: &IncomingBottle) -> Result<bool> {
        let new = NewBottle {
            content: Content::parse(&bottle.content)?,
            formatted_address: Address::parse(&bottle.location.formatted_address)?,
            position: Position::new(bottle.location.latitude, bottle.location.longitude)?,
            style: Style::parse(bottle.style)?,
            expires_at: bottle.expires_at,
            open_within: bottle.open_within_m.map(OpenWithin::parse).transpose()?,
        };
        let left_sea = (bottle.hidden_at, bottle.ended_at);
        let created_at = bottle.created_at.unwrap_or(self.defaults.now);
        let owner = self.owner(bottle)?.to_owned();
        let (id, added) = self.for_account("owner", &owner, created_at, |db, owner| {
            let existing = transfer::find_bottle(db, owner, &new, bottle.created_at)?;
            match existing {
                Some(id) => Ok((id, false)),
                None => {
                    let id = transfer::insert_bottle(db, owner, &new, created_at, left_sea)?;
                    Ok((id, true))
                }
            }
        })?;
        if let Some(id_in_file) = bottle.id {
            self.index.bottles.insert(id_in_file, id);
        }
        Ok(added)
    }

    /// Returns the owner of a bottle. For another program's file the owner given by the operator
    /// takes precedence, because the property `owner` of such a file may mean anything.
    fn owner<'a>(&'a self, bottle: &'a IncomingBottle) -> Result<&'a str> {
        let (named, default) = (bottle.owner.as_deref(), self.defaults.owner.as_deref());
        let owner = if bottle.id.is_some() { named.or(default) } else { default.or(named) };
        owner.ok_or_else(|| {
            Failure::Row(
                "no owner is named: set one with --owner NAME, or in the property `owner`".into(),
            )
        })
    }

    /// Returns the id and the owner of the bottle with this id in the file.
    fn bottle(&self, id_in_file: i64) -> Result<(i64, i64)> {
        let bottle = self.index.bottles.get(&id_in_file).copied();
        let owner = bottle.map(|id| bottles::owner(self.db, id)).transpose()?.flatten();
        Ok(bottle.zip(owner).ok_or_else(|| Error::NoSuchBottle(id_in_file.to_string()))?)
    }

    fn insert_reply(&mut self, reply: &WrittenReply) -> Result<bool> {
        let (bottle, owner) = self.bottle(reply.bottle_id)?;
        let content = ReplyText::parse(&reply.content)?;
        let opener = self.existing_account(&reply.opener)?;
        let author = self.existing_account(&reply.author)?;
        if author != owner && author != opener {
            return Err(Failure::Row("the author is neither owner nor opener".to_owned()));
        }
        let times = (reply.created_at, reply.hidden_at);
        let thread = ThreadKey { bottle, opener };
        match transfer::insert_reply(self.db, thread, author, &content, times) {
            Err(Error::NotLoggedIn) => {
                Err(Failure::Row("the opener has not opened the bottle".to_owned()))
            }
            added => Ok(added?),
        }
    }

    fn insert_block(&mut self, block: &Block) -> Result<bool> {
        let blocker = self.existing_account(&block.blocker)?;
        let blocked = self.existing_account(&block.blocked)?;
        if blocker == blocked {
            return Err(Failure::Row("an account cannot block itself".to_owned()));
        }
        Ok(transfer::insert_block(self.db, blocker, blocked, block.blocked_at)?)
    }

    /// Returns the account of that name, which must exist.
    fn existing_account(&self, name: &str) -> Result<i64> {
        let found = users::id_by_name(self.db, name)?;
        found.ok_or_else(|| Failure::Row(format!("there is no account {name}")))
    }

    fn insert_opening(&mut self, opening: &Opening) -> Result<bool> {
        let Opening { bottle_id, opener, open_at } = opening;
        let (bottle, owner) = self.bottle(*bottle_id)?;
        self.for_account("opener", opener, *open_at, |db, opener| {
            if opener == owner {
                return Ok(None);
            }
            transfer::insert_opening(db, bottle, opener, *open_at).map(Some)
        })?
        .ok_or_else(|| Failure::Row("the opener owns the bottle".to_owned()))
    }

    /// Runs `insert` for the account of that name. If the account was deleted meanwhile, runs it
    /// again for another account with the same name.
    fn for_account<T>(
        &mut self,
        field: &'static str,
        name: &str,
        created_at: Timestamp,
        insert: impl Fn(&Connection, i64) -> crate::model::error::Result<T>,
    ) -> Result<T> {
        let id = self.account(field, name, created_at)?;
        match insert(self.db, id) {
            Err(Error::NotLoggedIn) => {
                self.index.accounts.insert(Username::key(name), None);
                let id = self.account(field, name, created_at)?;
                Ok(insert(self.db, id)?)
            }
            added => Ok(added?),
        }
    }

    /// Returns the account of that name, creating it if it never existed.
    fn account(&mut self, field: &'static str, name: &str, created_at: Timestamp) -> Result<i64> {
        let known = self.index.accounts.get(&Username::key(name)).copied();
        if let Some(Some(id)) = known {
            return Ok(id);
        }
        let id = match users::id_by_name(self.db, name)? {
            Some(id) => id,
            None if known.is_some() => {
                return Err(Failure::Row(format!(
                    "the account {name} was deleted during the import"
                )));
            }
            None => self.create_account(Username::parse(field, name)?, created_at)?,
        };
        self.index.accounts.insert(Username::key(name), Some(id));
        Ok(id)
    }

    fn create_account(&self, username: Username, created_at: Timestamp) -> Result<i64> {
        let new = NewAccount {
            nickname: Nickname::parse(username.as_str())?,
            username,
            password_hash: self.defaults.unusable_hash.clone(),
            gender: Gender::Unknown,
            email: None,
            password_is_one_time: false,
            role: Role::User,
        };
        Ok(transfer::insert_account(self.db, &new, None, created_at)?)
    }
}
