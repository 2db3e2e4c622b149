//! The fields of accounts and bottles. Each is a type without invalid values.

mod account;
mod bottle;
mod names;
mod visible;

use crate::model::error::{Error, Problem, Result};

pub use super::holding::Holding;
pub use account::{AvatarUrl, Email, Gender, NewPassword};
pub use bottle::{Address, Content, ExpiresIn, OpenWithin, Reason, ReplyText, Style, ThrowKey};
pub use names::{Nickname, Username};

/// The terminal of a Bookstore session, a name of the client's device: 0 to 256 characters, without
/// control characters.
///
/// ```
/// use bottle::model::fields::Terminal;
///
/// assert_eq!(Terminal::parse("laptop")?.as_str(), "laptop");
/// assert!(Terminal::parse("lap\ttop").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal(String);

impl Terminal {
    /// Parses the name of a terminal.
    pub fn parse(text: &str) -> Result<Self> {
        reject_control_characters("terminal", text)?;
        check_max("terminal", 256, text.chars().count())?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a card, a member or a division: 0 to 64 characters, without control characters.
///
/// ```
/// use bottle::model::fields::HoldingName;
///
/// assert_eq!(HoldingName::parse("savings")?.as_str(), "savings");
/// assert!(HoldingName::parse(&"s".repeat(65)).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldingName(String);

impl HoldingName {
    /// Parses the name of a holding.
    pub fn parse(text: &str) -> Result<Self> {
        reject_control_characters("name", text)?;
        check_max("name", 64, text.chars().count())?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a personal access token: 1 to 64 characters, without control characters, invisible
/// characters (`fields/visible.rs`) or surrounding white space.
///
/// ```
/// use bottle::model::fields::ProgramName;
///
/// assert_eq!(ProgramName::parse("weather station")?.as_str(), "weather station");
/// assert!(ProgramName::parse(" ").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramName(String);

impl ProgramName {
    /// Parses the name of an access token.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::field("name", Problem::TooShort(1)));
        }
        if text.trim() != text {
            return Err(Error::field("name", Problem::SurroundingSpace));
        }
        reject_control_characters("name", text)?;
        check_max("name", 64, text.chars().count())?;
        reject_invisible_characters("name", visible::in_nickname(text))?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns `number` if it is from 1 to `max`.
pub(super) fn whole(field: &'static str, number: i64, max: i64) -> Result<u32> {
    let out_of_range = || Error::field(field, Problem::OutOfRange(1.0, max as f64));
    let number =
        Some(number).filter(|number| (1..=max).contains(number)).ok_or_else(out_of_range)?;
    u32::try_from(number).map_err(|_| out_of_range())
}

fn check_max(field: &'static str, max: usize, length: usize) -> Result<()> {
    if length > max {
        return Err(Error::field(field, Problem::TooLong(max)));
    }
    Ok(())
}

fn reject_control_characters(field: &'static str, text: &str) -> Result<()> {
    if text.chars().any(char::is_control) {
        return Err(Error::field(field, Problem::ControlCharacter));
    }
    Ok(())
}

fn reject_invisible_characters(field: &'static str, all_visible: bool) -> Result<()> {
    match all_visible {
        true => Ok(()),
        false => Err(Error::field(field, Problem::InvisibleCharacter)),
    }
}

/// Rejects NUL, the only character that a text of several lines may not contain.
fn reject_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::field(field, Problem::ControlCharacter));
    }
    Ok(())
}
