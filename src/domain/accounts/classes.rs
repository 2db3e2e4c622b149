//! Guest classes: a teacher opens one, and pupils without an account join with a code and a
//! nickname.

use std::net::IpAddr;

use super::{Account, Accounts, Contract, Login, Role, StartedSession};
use crate::model::class::ClassCode;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::{Gender, Nickname, Username};
use crate::model::token::Token;
use crate::store::action::Action;
use crate::store::audit_log::NewEntry;
use crate::store::pages::PageRequest;
use crate::store::sessions::NewSession;
use crate::store::users::NewAccount;
use crate::store::{Connection, audit_log, classes, sessions};

pub use crate::store::classes::Class;

/// The time after the end of a class at which its guests and their bottles are deleted.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The maximum number of characters of a guest's nickname, so that the username made of it is valid.
const MAX_NICKNAME: usize = 40;

/// The attempts to draw a username that no other account has.
const MAX_DRAWS: u32 = 20;

/// Returns the teacher whose classes the account may see and end, or `None` for all classes.
///
/// # Errors
/// Returns [`Error::NotTeacher`] for an account that is neither a teacher's nor an operator's.
fn owner(account: &Account) -> Result<Option<i64>> {
    account.check_teacher()?;
    Ok((!account.is_operator).then_some(account.id))
}

fn log(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    detail: &str,
    now: Timestamp,
) -> Result<()> {
    audit_log::add(db, NewEntry { detail: Some(detail), ..NewEntry::new(actor, action) }, now)
}

/// Opens a class and logs it.
fn open(db: &Connection, teacher: Option<&Account>, seconds: u32, now: Timestamp) -> Result<Class> {
    let class =
        classes::open(db, teacher.map(|teacher| teacher.id), now, now.plus_seconds(seconds))?;
    let (actor, minutes) = (teacher.map(|teacher| teacher.username.as_str()), seconds / 60);
    let detail = format!("class {}, {minutes} minutes", class.id);
    log(db, actor, Action::OpenClass, &detail, now)?;
    Ok(class)
}

/// Ends a class of `owner` and logs it, unless it had ended already.
fn end(
    db: &Connection,
    actor: Option<&str>,
    id: i64,
    owner: Option<i64>,
    now: Timestamp,
) -> Result<Class> {
    let class = classes::find(db, id, owner)?;
    if classes::end(db, id, now)? {
        let detail = format!("class {id}, {} guests", class.guests);
        log(db, actor, Action::EndClass, &detail, now)?;
    }
    Ok(class)
}

/// Ends a class of `owner` and deletes some of its guests. Returns true once none is left; the last
/// change is logged.
fn delete_some(
    db: &Connection,
    actor: Option<&str>,
    id: i64,
    owner: Option<i64>,
    now: Timestamp,
) -> Result<bool> {
    end(db, actor, id, owner, now)?;
    let is_deleted = classes::delete_guests(db, id)?;
    if is_deleted {
        log(db, actor, Action::DeleteClass, &format!("class {id}"), now)?;
    }
    Ok(is_deleted)
}

/// Inserts a guest with a username made of the nickname: `guest-Ada`, or `guest-Ada-4821` if that is
/// taken.
fn insert_guest(
    db: &Connection,
    class: i64,
    mut new: NewAccount,
    now: Timestamp,
) -> Result<Account> {
    let name = new.username.as_str().to_owned();
    for _ in 0..MAX_DRAWS {
        match classes::insert_guest(db, class, &new, now) {
            Err(Error::UsernameTaken(_)) => {
                let number = rand::random_range(1000..10_000);
                new.username = Username::parse("nickname", &format!("{name}-{number}"))?;
            }
            inserted => return inserted,
        }
    }
    Err(Error::UsernameTaken(name))
}

impl Accounts {
    /// Opens a class for a time.
    pub async fn open_class(&self, login: &Login, seconds: u32) -> Result<Class> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            teacher.check_teacher()?;
            open(db, Some(&teacher), seconds, now)
        });
        self.store.write(change).await
    }

    /// Opens a class on the command line.
    pub async fn open_class_without_session(&self, seconds: u32) -> Result<Class> {
        let now = self.clock.now();
        self.store.write(move |db| open(db, None, seconds, now)).await
    }

    /// Passes the classes that the account may see to `show`, newest first.
    pub async fn classes(
        &self,
        account: &Account,
        page: PageRequest,
        show: impl FnMut(Class) -> Result<usize>,
    ) -> Result<bool> {
        let owner = owner(account)?;
        self.store.read_long(|db| classes::list(db, owner, page, show)).await
    }

    /// Returns a class that the account may see.
    pub fn class(&self, account: &Account, id: i64) -> Result<Class> {
        let owner = owner(account)?;
        self.store.read(|db| classes::find(db, id, owner))
    }

    /// Ends a class and the sessions of its guests. Their bottles stay.
    pub async fn end_class(&self, login: &Login, id: i64) -> Result<()> {
        let now = self.clock.now();
        let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
            end(db, Some(&teacher.username), id, owner(&teacher)?, now).map(drop)
        });
        self.store.write(change).await
    }

    /// Ends a class on the command line.
    pub async fn end_class_without_session(&self, id: i64) -> Result<()> {
        let now = self.clock.now();
        self.store.write(move |db| end(db, None, id, None, now).map(drop)).await
    }

    /// Deletes a class with the accounts and bottles of its guests: in one change, or in several if
    /// the bottles are many. The class ends in the first.
    pub async fn delete_class(&self, login: &Login, id: i64) -> Result<()> {
        loop {
            let now = self.clock.now();
            let change = sessions::authorized(login.session, &self.clock, move |db, teacher| {
                delete_some(db, Some(&teacher.username), id, owner(&teacher)?, now)
            });
            if self.store.write_then(change, self.publish_deletion()).await? {
                return Ok(());
            }
        }
    }

    /// Deletes a class as [`Accounts::delete_class`] does, on the command line or at its time.
    pub async fn delete_class_without_session(&self, id: i64) -> Result<()> {
        loop {
            let now = self.clock.now();
            let change = move |db: &Connection| delete_some(db, None, id, None, now);
            if self.store.write_then(change, self.publish_deletion()).await? {
                return Ok(());
            }
        }
    }

    fn publish_deletion(&self) -> impl FnOnce(&bool) + Send + 'static {
        let publish = self.publish_reset();
        move |_| publish(&())
    }

    /// Lets a guest into the class of this code, in each mode of registration. The session ends with
    /// the class.
    ///
    /// Returns [`Error::InvalidClassCode`] if the code is wrong or the class has ended, and counts
    /// that against the limit of the address; [`Error::ClassFull`] if the class has all its guests.
    pub async fn join_class(
        &self,
        code: ClassCode,
        nickname: &str,
        replaces: Option<Token>,
        ip: IpAddr,
    ) -> Result<StartedSession> {
        let joined = self.join(code, nickname, replaces, ip).await;
        if matches!(joined, Err(Error::InvalidClassCode)) {
            self.rate_limiter.record_guess(ip);
        }
        joined
    }

    async fn join(
        &self,
        code: ClassCode,
        nickname: &str,
        replaces: Option<Token>,
        ip: IpAddr,
    ) -> Result<StartedSession> {
        let new = self.guest(nickname)?;
        self.rate_limiter.check_guess(ip)?;
        let (token, now) = (Token::random(), self.clock.now());
        // A guess does not wait for the writer.
        self.store.read(|db| classes::admit(db, &code, now))?;
        let (hash, replaces) = (token.hash(), replaces.map(|token| token.hash()));
        let change = move |db: &Connection| {
            let (class, ends_at) = classes::admit(db, &code, now)?;
            let account = insert_guest(db, class, new, now)?;
            let session = NewSession {
                token: hash,
                account: account.id,
                password_version: 1,
                contract: Contract::Bottle,
                terminal: None,
                replaces,
                expires_at: ends_at,
            };
            sessions::insert(db, &session, now)?;
            Ok((account, ends_at))
        };
        let (account, expires_at) = self.store.write(change).await?;
        Ok(StartedSession { account, token, expires_at })
    }

    /// Returns the values of a guest's account, with a hash that matches no password.
    fn guest(&self, nickname: &str) -> Result<NewAccount> {
        let nickname = nickname.trim();
        if nickname.is_empty() {
            return Err(Error::field("nickname", Problem::TooShort(1)));
        }
        if nickname.chars().count() > MAX_NICKNAME {
            return Err(Error::field("nickname", Problem::TooLong(MAX_NICKNAME)));
        }
        Ok(NewAccount {
            username: Username::parse("nickname", &format!("guest-{nickname}"))?,
            password_hash: self.passwords.dummy_hash(None),
            nickname: Nickname::parse(nickname)?,
            gender: Gender::Unknown,
            email: None,
            password_is_one_time: false,
            role: Role::User,
        })
    }

    /// Ends the classes whose time has passed, and deletes those that ended 30 days ago.
    pub(super) async fn sweep_classes(&self, now: Timestamp) -> Result<()> {
        if self.store.read(|db| classes::any_due(db, now))? {
            self.store.write(move |db| classes::end_due(db, now)).await?;
        }
        let kept_from = Timestamp::from_millis(now.millis().saturating_sub(KEPT_MS));
        while let Some(id) = self.store.read(|db| classes::ended_by(db, kept_from))? {
            self.delete_class_without_session(id).await?;
        }
        Ok(())
    }
}
