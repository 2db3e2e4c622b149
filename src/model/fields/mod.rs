//! The fields of accounts and bottles. Each is a type without invalid values.

mod bottle;
mod visible;

use std::fmt;

use email_address::EmailAddress;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::model::error::{Error, Problem, Result};

pub use super::holding::Holding;
pub use bottle::{Address, Content, Reason, Style};

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

/// A new password: from the configured minimum number of characters to 1,024 bytes.
///
/// ```
/// use bottle::model::fields::NewPassword;
///
/// let password = NewPassword::parse("password", "driftwood", 4)?;
/// assert_eq!(password.secret(), "driftwood");
/// assert_eq!(format!("{password:?}"), "NewPassword(…)");
/// assert!(NewPassword::parse("password", "sea", 4).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    /// Parses a new password. The error names `field`, as the caller's contract does.
    pub fn parse(field: &'static str, text: &str, min: usize) -> Result<Self> {
        if text.chars().count() < min {
            return Err(Error::field(field, Problem::TooShort(min)));
        }
        check_max(field, 1024, text.len())?;
        reject_control_characters(field, text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the password.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// The gender of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Gender {
    Male,
    Female,
    Other,
    Unknown,
}

impl Gender {
    /// Parses the word for a gender.
    ///
    /// ```
    /// use bottle::model::fields::Gender;
    ///
    /// assert_eq!(Gender::parse("other")?, Gender::Other);
    /// assert_eq!(Gender::Female.as_str(), "female");
    /// assert!(Gender::parse("Female").is_err());
    /// # Ok::<(), bottle::model::error::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "male" => Ok(Self::Male),
            "female" => Ok(Self::Female),
            "other" => Ok(Self::Other),
            "unknown" => Ok(Self::Unknown),
            _ => Err(Error::field("gender", Problem::NotOneOf("male, female, other, unknown"))),
        }
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

/// An email address of at most 254 bytes (RFC 5321), in the owner's spelling.
///
/// ```
/// use bottle::model::fields::Email;
///
/// assert_eq!(Email::parse("Ada@example.org")?.as_str(), "Ada@example.org");
/// assert_eq!(Email::key("Ada@example.org"), Email::key("ada@EXAMPLE.org"));
/// assert!(Email::parse("Ada <ada@example.org>").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self> {
        check_max("email", 254, text.len())?;
        if text.contains(['<', '"']) || !EmailAddress::is_valid(text) {
            return Err(Error::field("email", Problem::NotAnEmail));
        }
        Ok(Self(text.nfc().collect()))
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form in which an address is looked up: addresses that differ only in case are
    /// equal.
    pub fn key(text: &str) -> String {
        text.nfc().collect::<String>().to_lowercase()
    }
}

/// The URL of an account's picture: `http:` or `https:`, at most 2,048 characters; or empty.
///
/// ```
/// use bottle::model::fields::AvatarUrl;
///
/// assert_eq!(AvatarUrl::parse("https://example.org/ada.png")?.as_str(), "https://example.org/ada.png");
/// assert!(AvatarUrl::parse("javascript:alert(1)").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvatarUrl(String);

impl AvatarUrl {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self> {
        check_max("avatar_url", 2048, text.chars().count())?;
        reject_control_characters("avatar_url", text)?;
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !text.is_empty() && !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(Error::field("avatar_url", Problem::NotOneOf("https:, http:")));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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

    #[rstest]
    #[case::shortest("pass", true)]
    #[case::too_short("pas", false)]
    #[case::longest(&"p".repeat(1024), true)]
    #[case::too_long(&"p".repeat(1025), false)]
    #[case::longest_in_bytes(&"é".repeat(512), true)]
    #[case::too_long_in_bytes(&"é".repeat(513), false)]
    #[case::nul("pass\0", false)]
    fn a_new_password_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(NewPassword::parse("password", text, 4).is_ok(), valid);
    }

    #[rstest]
    fn a_gender_is_one_of_four(#[values("male", "female", "other", "unknown")] word: &str) {
        assert_eq!(Gender::parse(word).unwrap().as_str(), word);
        assert!(Gender::parse(&word.to_uppercase()).is_err());
    }

    #[rstest]
    #[case("ada@example.org", true)]
    #[case("Ada <ada@example.org>", false)]
    #[case("\"ada\"@example.org", false)]
    #[case("ada", false)]
    #[case(&format!("{}@example.org", "a".repeat(254)), false)]
    fn an_email_obeys_its_rules(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Email::parse(text).is_ok(), valid);
    }

    #[rstest]
    #[case("", true)]
    #[case("https://example.org/a.png", true)]
    #[case("HTTP://example.org/a.png", true)]
    #[case("javascript:alert(1)", false)]
    #[case("data://example.org", false)]
    #[case("https://example.org/\n", false)]
    fn an_avatar_is_at_a_web_address(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(AvatarUrl::parse(text).is_ok(), valid);
    }
}
