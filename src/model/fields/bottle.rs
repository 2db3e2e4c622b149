//! The fields of bottles.

use super::{at_most, no_nul};
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
    /// The message `text` is.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::field("content", Problem::TooShort(1)));
        }
        at_most("content", 4000, text.chars().count())?;
        no_nul("content", text)?;
        Ok(Self(text.to_owned()))
    }

    /// The message.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a bottle is reported: 1 to 500 characters.
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
    /// The reason `text` is.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::field("reason", Problem::TooShort(1)));
        }
        at_most("reason", 500, text.chars().count())?;
        no_nul("reason", text)?;
        Ok(Self(text.to_owned()))
    }

    /// The reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a bottle was thrown, in words: at most 256 characters, perhaps none.
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
    /// The address `text` is.
    pub fn parse(text: &str) -> Result<Self> {
        at_most("formatted_address", 256, text.chars().count())?;
        no_nul("formatted_address", text)?;
        Ok(Self(text.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a bottle looks: 0 (blue), 1 (green) or 2 (yellow).
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
    /// The style of this number.
    pub fn parse(number: i64) -> Result<Self> {
        match u8::try_from(number) {
            Ok(style @ 0..=2) => Ok(Self(style)),
            _ => Err(Error::field("style", Problem::OutOfRange(0.0, 2.0))),
        }
    }

    /// Its number.
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
