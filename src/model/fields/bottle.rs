//! The fields of bottles and reports.

use super::{check_max, reject_nul};
use crate::model::error::{Error, Problem, Result};

/// A bottle's message: 1 to 4,000 characters.
///
/// ```
/// use bottle::model::fields::Content;
///
/// assert_eq!(Content::parse("two\nlines")?.as_str(), "two\nlines");
/// assert!(Content::parse("").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(String);

impl Content {
    /// Parses a message.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::field("content", Problem::TooShort(1)));
        }
        check_max("content", 4000, text.chars().count())?;
        reject_nul("content", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the message.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The reason of a report: 1 to 500 characters.
///
/// ```
/// use bottle::model::fields::Reason;
///
/// assert_eq!(Reason::parse("It is unkind.")?.as_str(), "It is unkind.");
/// assert!(Reason::parse(" ").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Parses a reason.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::field("reason", Problem::TooShort(1)));
        }
        check_max("reason", 500, text.chars().count())?;
        reject_nul("reason", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address of a bottle, a text that describes its position: 0 to 256 characters.
///
/// ```
/// use bottle::model::fields::Address;
///
/// assert_eq!(Address::parse("")?.as_str(), "");
/// assert!(Address::parse(&"a".repeat(257)).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self> {
        check_max("formatted_address", 256, text.chars().count())?;
        reject_nul("formatted_address", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A reply in a conversation: 1 to 500 characters.
///
/// ```
/// use bottle::model::fields::ReplyText;
///
/// assert_eq!(ReplyText::parse("Greetings!")?.as_str(), "Greetings!");
/// assert!(ReplyText::parse("").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyText(String);

impl ReplyText {
    /// Parses a reply.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::field("content", Problem::TooShort(1)));
        }
        check_max("content", 500, text.chars().count())?;
        reject_nul("content", text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the reply.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key that a client chooses for a throw, so that the same request sent again throws no second
/// bottle: 1 to 64 visible ASCII characters.
///
/// ```
/// use bottle::model::fields::ThrowKey;
///
/// assert_eq!(ThrowKey::parse("8e03978e-40d5")?.as_str(), "8e03978e-40d5");
/// assert!(ThrowKey::parse("").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ThrowKey(String);

impl ThrowKey {
    /// Parses the value of the header `Idempotency-Key`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::field("Idempotency-Key", Problem::TooShort(1)));
        }
        check_max("Idempotency-Key", 64, text.len())?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::field("Idempotency-Key", Problem::InvisibleCharacter));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The distance within which a bottle can be opened: 20 to 50,000 metres.
///
/// ```
/// use bottle::model::fields::OpenWithin;
///
/// assert_eq!(OpenWithin::parse(100)?.metres(), 100);
/// assert!(OpenWithin::parse(19).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenWithin(u32);

impl OpenWithin {
    /// Parses a number of metres.
    pub fn parse(metres: i64) -> Result<Self> {
        match u32::try_from(metres) {
            Ok(metres @ 20..=50_000) => Ok(Self(metres)),
            _ => Err(Error::field("open_within_m", Problem::OutOfRange(20.0, 50_000.0))),
        }
    }

    /// Returns the metres.
    pub fn metres(self) -> u32 {
        self.0
    }
}

/// The time after which a bottle leaves the sea: 1 to 365 days.
///
/// ```
/// use bottle::model::fields::ExpiresIn;
///
/// assert_eq!(ExpiresIn::parse(2)?.seconds(), 172_800);
/// assert!(ExpiresIn::parse(366).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiresIn(u32);

impl ExpiresIn {
    /// Parses a number of days.
    pub fn parse(days: i64) -> Result<Self> {
        match u32::try_from(days) {
            Ok(days @ 1..=365) => Ok(Self(days)),
            _ => Err(Error::field("expires_in_days", Problem::OutOfRange(1.0, 365.0))),
        }
    }

    /// Returns the seconds.
    pub fn seconds(self) -> u32 {
        self.0 * 24 * 60 * 60
    }
}

/// The look of a bottle: 0 (blue), 1 (green) or 2 (yellow).
///
/// ```
/// use bottle::model::fields::Style;
///
/// assert_eq!(Style::parse(2)?.number(), 2);
/// assert_eq!(Style::default().number(), 0);
/// assert!(Style::parse(3).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style(u8);

impl Style {
    /// Parses the number of a style.
    pub fn parse(number: i64) -> Result<Self> {
        match u8::try_from(number) {
            Ok(style @ 0..=2) => Ok(Self(style)),
            _ => Err(Error::field("style", Problem::OutOfRange(0.0, 2.0))),
        }
    }

    /// Returns the number.
    pub fn number(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::longest(&"瓶".repeat(4000), true)]
    #[case::too_long(&"瓶".repeat(4001), false)]
    #[case::empty("", false)]
    #[case::white_space(" ", true)]
    #[case::lines("one\r\n\ttwo", true)]
    #[case::nul("c\0", false)]
    fn a_message_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Content::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case::longest(&"r".repeat(500), true)]
    #[case::too_long(&"r".repeat(501), false)]
    #[case::white_space(" \n", false)]
    #[case::nul("r\0", false)]
    fn a_reason_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Reason::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case::empty("", true)]
    #[case::longest(&"瓶".repeat(256), true)]
    #[case::too_long(&"a".repeat(257), false)]
    #[case::nul("a\0", false)]
    fn an_address_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Address::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case(0, true)]
    #[case(2, true)]
    #[case(3, false)]
    #[case(-1, false)]
    #[case(256, false)]
    #[case(i64::MIN, false)]
    fn a_style_is_one_of_three(#[case] number: i64, #[case] valid: bool) {
        let style = Style::parse(number);
        assert_eq!(style.map(|style| i64::from(style.number())).ok(), valid.then_some(number));
    }
}
