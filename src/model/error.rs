//! The errors of the domain. Each contract maps them to its own statuses and messages.

use std::borrow::Cow;
use std::fmt;

use crate::model::clock::Timestamp;
use crate::model::holding::Holding;

/// The reason why the domain rejected a request or could not serve it.
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
    /// The request has no credential.
    #[error("no token")]
    NoToken,
    /// The credential has expired.
    #[error("the token has expired")]
    ExpiredToken,
    /// No live session matches the credential.
    #[error("not logged in")]
    NotLoggedIn,
    /// The personal access token only reads.
    #[error("the access token only reads")]
    ReadOnlyToken,
    /// A personal access token does not authorise this, a session does.
    #[error("this needs a session")]
    SessionRequired,
    /// The account has no personal access token with this id.
    #[error("the access token does not exist")]
    NoSuchAccessToken,
    /// The account has as many personal access tokens as it may have.
    #[error("the account has {0} access tokens")]
    TooManyAccessTokens(u32),
    /// The feed does not exist, or has ended.
    #[error("the feed does not exist")]
    NoSuchFeed,
    /// The account has a holding of this kind, and cannot be deleted.
    #[error("the account has a {0:?}")]
    HasHolding(Holding),
    /// The account has no holding of this kind with that id.
    #[error("no such {0:?}")]
    NoSuchHolding(Holding),
    /// No bottle has this id, which is kept as the client wrote it, for messages.
    #[error("bottle {0} does not exist")]
    NoSuchBottle(String),
    /// The bottle can be opened from nearby only, and this far away it cannot.
    #[error("{distance_m} m away from the bottle")]
    TooFar {
        /// The distance in metres.
        distance_m: f64,
    },
    /// The bottle can be opened from nearby only, and the request has no position.
    #[error("opening needs a position within {open_within_m} m of the bottle")]
    NoPosition {
        /// The distance in metres within which it can be opened.
        open_within_m: u32,
    },
    /// No eligible bottle is left to catch.
    #[error("there is no bottle to catch")]
    NothingToCatch,
    /// No reply has this id, or the account must not learn that it exists.
    #[error("reply {0} does not exist")]
    NoSuchReply(String),
    /// The account may not write or read these replies.
    #[error("not allowed in this thread: {0:?}")]
    Thread(ThreadRule),
    /// The account belongs to the client itself, which cannot block it.
    #[error("this is one's own account")]
    OwnAccount,
    /// The bottle belongs to another account.
    #[error("not the owner of this bottle")]
    NotOwner,
    /// The bottle belongs to the account itself, which cannot report it.
    #[error("this is one's own bottle")]
    OwnBottle,
    /// No account has this id.
    #[error("user {0} does not exist")]
    NoSuchUser(String),
    /// Only a teacher may do this.
    #[error("not a teacher")]
    NotTeacher,
    /// Only an operator may do this.
    #[error("not an operator")]
    NotOperator,
    /// The account is the operator's own: its owner does this with the password.
    #[error("this is one's own account; log in and change it there")]
    OwnerOnly,
    /// The account is the only operator, and must stay one who can work.
    #[error("this is the last operator")]
    LastOperator,
    /// Registration is closed, or needs an invitation that the request does not have.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The invitation is wrong, used up or old.
    #[error("the invitation is not valid")]
    InvalidInvitation,
    /// No invitation has this id, or the account must not learn that it exists.
    #[error("invitation {0} does not exist")]
    NoSuchInvitation(String),
    /// The code of a guest class is wrong, or the class has ended.
    #[error("the class code is not valid")]
    InvalidClassCode,
    /// The class has as many guests as it may have.
    #[error("the class has {0} guests")]
    ClassFull(u32),
    /// No class has this id, or the account must not learn that it exists.
    #[error("class {0} does not exist")]
    NoSuchClass(String),
    /// The account is a guest of a class, which has no password, no role and no credential but its
    /// session.
    #[error("this is the account of a guest, who has no password and no role")]
    Guest,
    /// The setup link is wrong or used, or there is an operator already.
    #[error("the setup link is not valid")]
    InvalidSetup,
    /// The settings file or the environment names a value for this setting, so it cannot be changed.
    #[error("the settings file or the environment sets {0}; change it there")]
    Overridden(&'static str),
    /// There is no webhook.
    #[error("there is no webhook")]
    NoWebhook,
    /// No setting of this name can be changed while the server runs.
    #[error("no such setting")]
    NoSuchSetting,
    /// A backup or a check is in progress.
    #[error("a backup or a check is in progress")]
    Busy,
    /// The folder has no backup of this name.
    #[error("no such backup")]
    NoSuchBackup,
    /// A teacher has muted this account until that time.
    #[error("muted until {0}")]
    Muted(Timestamp),
    /// A teacher has frozen throwing for everyone.
    #[error("nobody may throw now")]
    Frozen,
    /// The rate limit is exceeded; a minute later the client may try again.
    #[error("too many attempts")]
    TooOften,
    /// The server is a standby, which changes nothing. The text is the address of the primary.
    #[error("this is the standby; the primary is {0}")]
    Standby(String),
    /// The store cannot serve this now: it is locked, the disk is full or read-only, or a queue is
    /// full. A later attempt may succeed.
    #[error("the store cannot do this now: {0}")]
    Unavailable(String),
    /// A page or a value of the file is damaged. The store logs the text, which is never for a client.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A bug. The text is for the log, never for a client.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The rule that keeps an account out of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadRule {
    /// Only a bottle's owner, one of its openers and a teacher read their thread.
    Participants,
    /// An opener must have opened the bottle.
    OpenFirst,
    /// An owner answers an opener who has written.
    OpenerFirst,
    /// One side has blocked the other.
    Blocked,
    /// The bottle is hidden.
    Hidden,
    /// Only its author deletes a reply.
    NotAuthor,
    /// Only the other side reports a reply.
    OwnReply,
}

impl Error {
    /// Creates an [`Error::Field`].
    pub fn field(field: impl Into<Cow<'static, str>>, problem: Problem) -> Self {
        Self::Field { field: field.into(), problem }
    }
}

/// The rule that a field's value breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// It is required, and absent or null.
    Missing,
    /// It has the wrong JSON type.
    WrongType,
    /// It has fewer characters than this.
    TooShort(usize),
    /// It has more characters (of a password: bytes) than this.
    TooLong(usize),
    /// It is not a finite number from the first to the second.
    OutOfRange(f64, f64),
    /// It contains a control character.
    ControlCharacter,
    /// It contains a character that is invisible or reorders others.
    InvisibleCharacter,
    /// It begins or ends with white space.
    SurroundingSpace,
    /// It is not an email address.
    NotAnEmail,
    /// It is not one of these words.
    NotOneOf(&'static str),
    /// It is not a time in RFC 3339.
    NotATime,
    /// Its first line, which names the columns, does not name this one.
    NoColumn(&'static str),
    /// The line has another number of columns than the first, or is no CSV.
    WrongColumns,
    /// It has more lines than this.
    TooManyLines(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "is missing"),
            Self::WrongType => write!(f, "has the wrong type"),
            Self::TooShort(min) => write!(f, "must have at least {min} characters"),
            Self::TooLong(max) => write!(f, "must have at most {max} characters"),
            Self::OutOfRange(min, max) => write!(f, "must be a number from {min} to {max}"),
            Self::ControlCharacter => write!(f, "must not contain control characters"),
            Self::InvisibleCharacter => {
                write!(f, "must not contain invisible or format characters")
            }
            Self::SurroundingSpace => write!(f, "must not begin or end with white space"),
            Self::NotAnEmail => write!(f, "must be an email address"),
            Self::NotOneOf(words) => write!(f, "must be one of {words}"),
            Self::NotATime => write!(f, "must be a time such as 2026-09-01T08:00:00Z"),
            Self::NoColumn(column) => {
                write!(f, "has no column {column}; name the columns on its first line")
            }
            Self::WrongColumns => {
                write!(f, "has another number of columns on this line than on the first")
            }
            Self::TooManyLines(max) => write!(f, "must have at most {max} lines"),
        }
    }
}

/// The result of the domain's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
