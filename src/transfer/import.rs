//! Data that come in: what is there already stays as it is, so that the same file may come again.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;

use super::geojson::Feature;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::fields::{Address, AvatarUrl, Content, Email, Gender, Nickname, Style, Username};
use crate::geo::Position;
use crate::store::Store;
use crate::store::bottles::NewBottle;
use crate::store::transfer::{self, Opening, Person, Record, Thrown};
use crate::store::users::{self, NewAccount};

/// So many rows are one transaction.
const ROWS_AT_ONCE: usize = 1000;

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many rows were added.
    pub added: u64,
    /// How many were there already.
    pub there: u64,
    /// Those that were left out: their number in the file, and why.
    pub left_out: Vec<(u64, String)>,
}

/// An import on its way.
pub struct Import {
    store: Arc<Store>,
    waiting: Vec<(u64, Record)>,
    known: Known,
    done: Imported,
}

/// What names and ids in the file stand for in the database.
#[derive(Default)]
struct Known {
    accounts: HashMap<String, i64>,
    bottles: HashMap<i64, i64>,
    /// The hash of a password that nobody has, for accounts that come without one.
    no_password: String,
}

impl Import {
    /// Into `store`. Accounts come without passwords, and get `no_password` for their hash.
    pub fn new(store: Arc<Store>, no_password: String) -> Self {
        let known = Known { no_password, ..Known::default() };
        Self { store, waiting: Vec::new(), known, done: Imported::default() }
    }

    /// Takes what stands at this number of the file; whether it is time to write.
    pub fn take(&mut self, number: u64, row: Result<Value, String>) -> bool {
        match row.and_then(|row| record(row).map_err(|e| e.to_string())) {
            Ok(record) => self.waiting.push((number, record)),
            Err(why) => self.done.left_out.push((number, why)),
        }
        self.waiting.len() >= ROWS_AT_ONCE
    }

    /// Writes the rest.
    pub async fn end(mut self) -> Result<Imported> {
        self.write().await?;
        self.done.left_out.sort();
        Ok(self.done)
    }

    /// Writes what was taken, in one transaction.
    pub async fn write(&mut self) -> Result<()> {
        let rows = take(&mut self.waiting);
        let mut known = take(&mut self.known);
        let (known, done) = self
            .store
            .write(move |db| {
                let mut done = Imported::default();
                for (number, record) in rows {
                    match known.add(db, record) {
                        Ok(true) => done.added += 1,
                        Ok(false) => done.there += 1,
                        Err(e @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(e),
                        Err(e) => done.left_out.push((number, e.to_string())),
                    }
                }
                Ok((known, done))
            })
            .await?;
        self.known = known;
        self.done.added += done.added;
        self.done.there += done.there;
        self.done.left_out.extend(done.left_out);
        Ok(())
    }
}

fn record(row: Value) -> serde_json::Result<Record> {
    match row["type"].as_str() {
        Some("Feature") => Ok(Record::Bottle(serde_json::from_value::<Feature>(row)?.into())),
        _ => serde_json::from_value(row),
    }
}

impl Known {
    /// Adds a row, unless it is there; whether it was added.
    fn add(&mut self, db: &Connection, record: Record) -> Result<bool> {
        match record {
            Record::User(person) => self.add_person(db, &person),
            Record::Bottle(bottle) => self.add_bottle(db, &bottle),
            Record::Opening(opening) => self.add_opening(db, &opening),
        }
    }

    fn add_person(&mut self, db: &Connection, person: &Person) -> Result<bool> {
        if users::id_by_name(db, &person.username)?.is_some() {
            return Ok(false);
        }
        let new = NewAccount {
            username: Username::parse("username", &person.username)?,
            password_hash: self.no_password.clone(),
            nickname: Nickname::parse(&person.nickname)?,
            gender: Gender::parse(&person.gender)?,
            email: person.email.as_deref().map(Email::parse).transpose()?,
            password_is_one_time: false,
            is_teacher: false,
        };
        let avatar = person.avatar_url.as_deref().map(AvatarUrl::parse).transpose()?;
        let id = transfer::add_account(
            db,
            &new,
            avatar.as_ref().map(AvatarUrl::as_str),
            person.created_at,
        )?;
        self.accounts.insert(person.username.clone(), id);
        Ok(true)
    }

    fn add_bottle(&mut self, db: &Connection, bottle: &Thrown) -> Result<bool> {
        let new = NewBottle {
            content: Content::parse(&bottle.content)?,
            formatted_address: Address::parse(&bottle.location.formatted_address)?,
            position: Position::new(bottle.location.latitude, bottle.location.longitude)?,
            style: Style::parse(bottle.style)?,
        };
        let owner = self.account(db, "owner", &bottle.owner, bottle.created_at)?;
        let (id, added) = transfer::add_bottle(db, owner, &new, bottle)?;
        self.bottles.insert(bottle.bottle_id, id);
        Ok(added)
    }

    fn add_opening(&mut self, db: &Connection, opening: &Opening) -> Result<bool> {
        let bottle = self.bottles.get(&opening.bottle_id).copied();
        let bottle = bottle.ok_or_else(|| Error::NoSuchBottle(opening.bottle_id.to_string()))?;
        let opener = self.account(db, "opener", &opening.opener, opening.open_at)?;
        transfer::add_opening(db, bottle, opener, opening.open_at)
    }

    /// The account of that name, which is made if it is not there.
    fn account(
        &mut self,
        db: &Connection,
        field: &'static str,
        name: &str,
        now: Timestamp,
    ) -> Result<i64> {
        if let Some(id) = self.accounts.get(name) {
            return Ok(*id);
        }
        let id = match users::id_by_name(db, name)? {
            Some(id) => id,
            None => {
                let username = Username::parse(field, name)?;
                let new = NewAccount {
                    nickname: Nickname::parse(username.as_str())?,
                    username,
                    password_hash: self.no_password.clone(),
                    gender: Gender::Unknown,
                    email: None,
                    password_is_one_time: false,
                    is_teacher: false,
                };
                transfer::add_account(db, &new, None, now)?
            }
        };
        self.accounts.insert(name.to_owned(), id);
        Ok(id)
    }
}
