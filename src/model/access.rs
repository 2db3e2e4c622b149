//! The terms of personal access tokens.

use super::error::{Error, Problem, Result};
use super::fields::{ProgramName, whole};

/// The requests that a credential authorizes.
///
/// ```
/// use bottle::model::access::Access;
///
/// assert_eq!(Access::parse("read"), Some(Access::Read));
/// assert_eq!(Access::Full.as_str(), "full");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Requests that only read.
    Read,
    /// All requests.
    Full,
}

impl Access {
    /// Parses the word for an access.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Full].into_iter().find(|access| access.as_str() == text)
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Full => "full",
        }
    }
}

/// The days that an access token may live: 1 to a year.
const MAX_DAYS: i64 = 365;
/// The days that an access token lives by default.
const DEFAULT_DAYS: i64 = 90;

/// The terms of a personal access token.
///
/// ```
/// use bottle::model::access::{Access, TokenTerms};
///
/// let terms = TokenTerms::parse("backup", None, None)?;
/// assert_eq!((terms.access, terms.seconds), (Access::Read, 90 * 24 * 60 * 60));
/// assert!(TokenTerms::parse("", None, None).is_err());
/// assert!(TokenTerms::parse("backup", Some("write"), None).is_err());
/// assert!(TokenTerms::parse("backup", None, Some(366)).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTerms {
    /// The name that its owner gives it.
    pub name: ProgramName,
    /// The requests that it authorizes.
    pub access: Access,
    /// The lifetime in seconds.
    pub seconds: u32,
}

impl TokenTerms {
    /// Parses the terms of a token. By default it reads, for 90 days.
    pub fn parse(name: &str, access: Option<&str>, expires_in_days: Option<i64>) -> Result<Self> {
        let access = Access::parse(access.unwrap_or("read"));
        let access = access.ok_or(Error::field("access", Problem::NotOneOf("read, full")))?;
        let days = whole("expires_in_days", expires_in_days.unwrap_or(DEFAULT_DAYS), MAX_DAYS)?;
        Ok(Self { name: ProgramName::parse(name)?, access, seconds: days * 24 * 60 * 60 })
    }
}
