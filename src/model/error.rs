//! What can go wrong, in the domain's words. How a contract says it is the contract's business.

use std::borrow::Cow;
use std::fmt;

use crate::model::clock::Timestamp;
use crate::model::holding::Holding;

/// Why the domain refused, or could not do, what it was asked.
///
/// ```
/// use bottle::model::error::{Error, Problem};
///
/// let error = Error::field("latitude", Problem::Missing);
/// assert!(error.to_string().starts_with("latitude "));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A value breaks the rule of its field.
    #[error("{field} {problem}")]
    Field {
        /// The field's name, as the contracts spell it.
        field: Cow<'static, str>,
        /// The rule it breaks.
        problem: Problem,
    },
    /// Another account has this username.
    #[error("the username {0} is taken")]
    UsernameTaken(String),
    /// Another account has this email address.
    #[error("the email address is taken")]
    EmailTaken,
    /// No account has this name.
    #[error("no such account")]
    UnknownAccount,
    /// The password is not the account's.
    #[error("wrong password")]
    WrongPassword,
    /// The new password is the old one.
    #[error("the new password is the old one")]
    SamePassword,
    /// The client carries nothing that would prove a session.
    #[error("no token")]
    NoToken,
    /// What the client carries proves a session that is past its time.
    #[error("the token has expired")]
    ExpiredToken,
    /// No live session belongs to what the client carries.
    #[error("not logged in")]
    NotLoggedIn,
    /// The account has a holding of this kind, and may not go before it does.
    #[error("the account has a {0:?}")]
    HasHolding(Holding),
    /// The account has no holding of this kind with that id.
    #[error("no such {0:?}")]
    NoSuchHolding(Holding),
    /// No bottle has this id (kept as it was asked for, so that it can be named).
    #[error("bottle {0} does not exist")]
    NoSuchBottle(String),
    /// The bottle belongs to someone else.
    #[error("not the owner of this bottle")]
    NotOwner,
    /// One's own bottle is not to be reported.
    #[error("this is one's own bottle")]
    OwnBottle,
    /// No account has this id.
    #[error("user {0} does not exist")]
    NoSuchUser(String),
    /// Only a teacher may do this.
    #[error("not a teacher")]
    NotTeacher,
    /// A teacher lets this account throw nothing before then.
    #[error("muted until {0}")]
    Muted(Timestamp),
    /// A teacher lets nobody throw now.
    #[error("nobody may throw now")]
    Frozen,
    /// Someone tries this too often; a minute later they may again.
    #[error("too many attempts")]
    TooOften,
    /// The store cannot do this now (locked elsewhere, disk full, read-only): trying later may help.
    #[error("the store cannot do this now: {0}")]
    Unavailable(String),
    /// A bug or a broken file. The text is for the log, never for a client.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// `field` breaks the rule `problem`.
    pub fn field(field: impl Into<Cow<'static, str>>, problem: Problem) -> Self {
        Self::Field { field: field.into(), problem }
    }
}

/// The rule that a field's value breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// It is absent or null, and must be given.
    Missing,
    /// It has another JSON type than the one asked for.
    WrongType,
    /// It has fewer characters than this.
    TooShort(usize),
    /// It has more characters (of a password: bytes) than this.
    TooLong(usize),
    /// It is no finite number from the first to the second.
    OutOfRange(f64, f64),
    /// It holds a control character.
    ControlCharacter,
    /// It holds a character that nobody sees, or that reorders others.
    InvisibleCharacter,
    /// It begins or ends with white space.
    SurroundingSpace,
    /// It is no email address.
    NotAnEmail,
    /// It is none of these words.
    NotOneOf(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "is missing"),
            Self::WrongType => write!(f, "has the wrong type"),
            Self::TooShort(least) => write!(f, "must have at least {least} characters"),
            Self::TooLong(most) => write!(f, "must have at most {most} characters"),
            Self::OutOfRange(least, most) => write!(f, "must be a number from {least} to {most}"),
            Self::ControlCharacter => write!(f, "must not contain control characters"),
            Self::InvisibleCharacter => {
                write!(f, "must not contain invisible or format characters")
            }
            Self::SurroundingSpace => write!(f, "must not begin or end with white space"),
            Self::NotAnEmail => write!(f, "must be an email address"),
            Self::NotOneOf(words) => write!(f, "must be one of {words}"),
        }
    }
}

/// What the domain's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
