//! The names of an account: the unique one it logs in with, and the one it is shown with.

use unicode_normalization::UnicodeNormalization;

use super::{check_max, reject_control_characters, reject_invisible_characters, visible};
use crate::model::error::{Error, Problem, Result};

/// The username of an account: 1 to 64 characters after Unicode NFC, without control characters,
/// invisible characters (`fields/visible.rs`) or surrounding white space.
///
/// Usernames that differ only in ASCII case are equal; the collation of their column compares them
/// so.
///
/// ```
/// use bottle::model::fields::Username;
///
/// // Unicode NFC: a letter and its accent become one character.
/// assert_eq!(Username::parse("username", "Zoe\u{308}")?.as_str(), "Zoë");
/// assert_eq!(Username::key("ADA"), Username::key("ada"));
///
/// let error = Username::parse("name", " ada").unwrap_err();
/// assert!(error.to_string().starts_with("name "));
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Parses a username. The error names `field`, as the caller's contract does.
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let name = Self::normalized(text);
        if name.0.is_empty() {
            return Err(Error::field(field, Problem::TooShort(1)));
        }
        if name.0.trim() != name.0 {
            return Err(Error::field(field, Problem::SurroundingSpace));
        }
        reject_control_characters(field, &name.0)?;
        check_max(field, 64, name.0.chars().count())?;
        reject_invisible_characters(field, visible::in_username(&name.0))?;
        Ok(name)
    }

    /// Parses a username for an account with the username `current`, which it may keep even if the
    /// rules have become stricter.
    pub fn replacing(current: &str, field: &'static str, text: &str) -> Result<Self> {
        let name = Self::normalized(text);
        if name.0 == current { Ok(name) } else { Self::parse(field, text) }
    }

    /// Returns the form in which a username is looked up. An invalid one matches no account.
    pub fn normalized(text: &str) -> Self {
        Self(text.nfc().collect())
    }

    /// Returns the form in which login attempts are counted: equal usernames have equal keys.
    pub fn key(text: &str) -> String {
        text.nfc().collect::<String>().to_ascii_lowercase()
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The nickname of an account: 0 to 64 characters, without control characters or invisible ones
/// (`fields/visible.rs`).
///
/// ```
/// use bottle::model::fields::Nickname;
///
/// assert_eq!(Nickname::parse("雪 ✨")?.as_str(), "雪 ✨");
/// assert!(Nickname::parse("ad\u{200b}a").is_err()); // a space that has no width
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

impl Nickname {
    /// Parses a nickname.
    pub fn parse(text: &str) -> Result<Self> {
        reject_control_characters("nickname", text)?;
        check_max("nickname", 64, text.chars().count())?;
        reject_invisible_characters("nickname", visible::in_nickname(text))?;
        Ok(Self(text.to_owned()))
    }

    /// Parses a nickname for an account with the names `current`, which it may keep even if the
    /// rules have become stricter: clients send the whole profile to change another field.
    pub fn replacing(current: &[&str], text: &str) -> Result<Self> {
        if current.contains(&text) { Ok(Self(text.to_owned())) } else { Self::parse(text) }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::shortest("a", true)]
    #[case::longest(&"雪".repeat(64), true)]
    #[case::too_long(&"a".repeat(65), false)]
    #[case::longest_once_composed(&"e\u{301}".repeat(64), true)]
    #[case::empty("", false)]
    #[case::space_before(" a", false)]
    #[case::space_after("a\u{3000}", false)]
    #[case::space_inside("a b", true)]
    #[case::nul("a\u{0}", false)]
    #[case::control("a\tb", false)]
    #[case::invisible("a\u{200b}", false)]
    fn a_username_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Username::parse("username", text).is_ok(), valid);
    }

    #[rstest]
    #[case("ADA", "ada", true)]
    #[case("Zoe\u{308}", "Zo\u{eb}", true)]
    #[case("ärger", "Ärger", false)]
    fn spellings_of_one_name_have_one_key(
        #[case] one: &str,
        #[case] other: &str,
        #[case] same: bool,
    ) {
        assert_eq!(Username::key(one) == Username::key(other), same);
    }

    #[test]
    fn an_account_keeps_a_name_that_the_rules_no_longer_allow() {
        let old = "\u{202e}ada";
        assert_eq!(Username::replacing(old, "username", old).unwrap().as_str(), old);
        assert!(Username::replacing("ada", "username", old).is_err());
        assert_eq!(Nickname::replacing(&["ada", old], old).unwrap().as_str(), old);
        assert!(Nickname::replacing(&["ada"], old).is_err());
    }

    #[rstest]
    #[case::empty("", true)]
    #[case::longest(&"n".repeat(64), true)]
    #[case::too_long(&"n".repeat(65), false)]
    #[case::control("a\u{7f}", false)]
    #[case::emoji("👩\u{200d}💻", true)]
    fn a_nickname_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Nickname::parse(text).is_ok(), valid);
    }
}
