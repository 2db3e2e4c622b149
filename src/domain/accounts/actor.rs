//! The author of a change that an operator or the command line makes.

use super::{Account, Login};
use crate::model::clock::Clock;
use crate::model::error::Result;
use crate::store::sessions::SessionKey;
use crate::store::{Connection, sessions};

/// The author of a change, which the log names.
#[derive(Clone, Copy, Debug)]
pub enum Actor {
    /// An account, by its session or access token.
    Account(SessionKey),
    /// The command line, which may do everything.
    CommandLine,
}

impl From<&Login> for Actor {
    fn from(login: &Login) -> Self {
        Self::Account(login.session)
    }
}

impl Actor {
    /// Binds `change` to this author, as [`sessions::authorized`] does. Inside the change's own
    /// transaction `check` must accept the account. `change` receives it, or `None` for the command
    /// line.
    pub fn authorized<T>(
        self,
        clock: &Clock,
        check: fn(&Account) -> Result<()>,
        change: impl FnOnce(&Connection, Option<&Account>) -> Result<T> + Send + 'static,
    ) -> impl FnOnce(&Connection) -> Result<T> + Send + 'static {
        let clock = clock.clone();
        move |db| match self {
            Self::CommandLine => change(db, None),
            Self::Account(session) => {
                let checked = move |db: &Connection, account: Account| {
                    check(&account)?;
                    change(db, Some(&account))
                };
                sessions::authorized(session, &clock, checked)(db)
            }
        }
    }
}

/// Returns the name of an author for the log; `None` for the command line.
pub(super) fn name(author: Option<&Account>) -> Option<&str> {
    author.map(|account| account.username.as_str())
}
