//! The other fields of an account: password, gender, email address and avatar.

use std::fmt;

use email_address::EmailAddress;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use super::{check_max, reject_control_characters};
use crate::model::error::{Error, Problem, Result};

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

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
