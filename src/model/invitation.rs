//! Invitations: their codes and their terms.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::error::{Error, Problem, Result};
use crate::model::fields::whole;
use crate::model::role::Role;
use crate::model::token::TokenHash;

/// The digits of a code: Crockford's base 32, which omits letters that look like others
/// (<https://www.crockford.com/base32.html>).
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The code of an invitation: 80 random bits, as 16 digits in groups of four. Only its hash is
/// stored.
///
/// ```
/// use bottle::model::invitation::InvitationCode;
///
/// let code = InvitationCode::random();
/// assert_eq!(code.secret().len(), 19);
/// // A person may type it in capitals, without dashes, and with the letter O for zero.
/// let typed = code.secret().to_uppercase().replace('-', " ").replace('0', "O");
/// assert_eq!(InvitationCode::presented(&typed).hash(), code.hash());
/// assert_eq!(format!("{code:?}"), "InvitationCode(…)");
/// ```
#[derive(Clone)]
pub struct InvitationCode(String);

impl InvitationCode {
    /// Creates a code of 80 random bits.
    pub fn random() -> Self {
        let bits = rand::random::<u128>();
        let digit = |at: usize| char::from(DIGITS[(bits >> (5 * at)) as usize % 32]);
        Self((0..16).map(digit).collect())
    }

    /// Wraps a code that a client sent, without regard to case, dashes and white space.
    pub fn presented(text: &str) -> Self {
        let is_ignored = |c: &char| *c == '-' || c.is_whitespace();
        let digits =
            text.chars().filter(|c| !is_ignored(c)).map(|c| match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                digit => digit,
            });
        Self(digits.collect())
    }

    /// Returns true if it has no digit: the client sent none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text for people.
    pub fn secret(&self) -> String {
        let digits: Vec<char> = self.0.chars().collect();
        let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }

    /// Returns the hash that the store keeps. A fast hash is enough for 80 random bits that live
    /// for a year at most.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(format!("invitation {}", self.0)).into())
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(…)")
    }
}

/// The accounts that one invitation may let in: 1 to this number.
const MAX_USES: i64 = 10_000;
/// The hours that an invitation may live: 1 to a year.
const MAX_HOURS: i64 = 24 * 366;

/// The terms of an invitation.
///
/// ```
/// use bottle::model::invitation::Terms;
/// use bottle::model::role::Role;
///
/// let terms = Terms::parse(None, Some(30), None)?;
/// assert_eq!((terms.role, terms.uses, terms.seconds), (Role::User, 30, 24 * 60 * 60));
/// assert!(Terms::parse(Some("operator"), None, None).is_err());
/// assert!(Terms::parse(None, Some(0), None).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The role of the accounts that it lets in: user or teacher.
    pub role: Role,
    /// The number of accounts that it lets in.
    pub uses: u32,
    /// The lifetime in seconds.
    pub seconds: u32,
}

impl Terms {
    /// Parses the terms of an invitation. By default it lets one user in, for a day.
    pub fn parse(role: Option<&str>, uses: Option<i64>, hours: Option<i64>) -> Result<Self> {
        let role = Role::parse(role.unwrap_or("user")).filter(|role| *role < Role::Operator);
        let role = role.ok_or(Error::field("role", Problem::NotOneOf("user, teacher")))?;
        let uses = whole("uses", uses.unwrap_or(1), MAX_USES)?;
        let hours = whole("hours", hours.unwrap_or(24), MAX_HOURS)?;
        Ok(Self { role, uses, seconds: hours * 60 * 60 })
    }
}
