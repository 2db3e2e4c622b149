//! Guest classes: their codes and their terms.

use std::fmt;

use crate::model::error::Result;
use crate::model::fields::whole;

/// The digits of a code. No two look alike, and without vowels they spell no word.
const DIGITS: &[u8; 25] = b"23456789CDFGHJKMNPQRTVWXY";

/// The number of digits: 25 to the power of 6 is 244 million codes.
const LENGTH: usize = 6;

/// The code with which pupils join a guest class: six digits and letters.
///
/// It is stored as it is, so that the page of the teacher can show it again. It lives for
/// [`MAX_MINUTES`] at most, lets in guests only, and guesses are limited.
///
/// ```
/// use bottle::model::class::ClassCode;
///
/// let code = ClassCode::random();
/// assert_eq!(code.as_str().len(), 6);
/// let typed = format!(" {} ", code.as_str().to_lowercase());
/// assert_eq!(ClassCode::presented(&typed).as_str(), code.as_str());
/// // A letter that a code never has is taken for the digit that it looks like.
/// assert_eq!(ClassCode::presented("b5-sz c").as_str(), "8552C");
/// assert_eq!(format!("{code:?}"), "ClassCode(…)");
/// ```
#[derive(Clone)]
pub struct ClassCode(String);

impl ClassCode {
    /// Creates a random code.
    pub fn random() -> Self {
        let digit = |_| char::from(DIGITS[rand::random_range(0..DIGITS.len())]);
        Self((0..LENGTH).map(digit).collect())
    }

    /// Wraps a code that a client sent, without regard to case, dashes and white space.
    pub fn presented(text: &str) -> Self {
        let is_ignored = |c: &char| *c == '-' || c.is_whitespace();
        let digits =
            text.chars().filter(|c| !is_ignored(c)).map(|c| match c.to_ascii_uppercase() {
                'B' => '8',
                'S' => '5',
                'Z' => '2',
                digit => digit,
            });
        Self(digits.collect())
    }

    /// Returns the text for people.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassCode(…)")
    }
}

/// The minutes that a class may last: 1 to this number.
pub const MAX_MINUTES: i64 = 480;

/// Parses the duration of a class. Returns it in seconds.
///
/// ```
/// use bottle::model::class::parse_minutes;
///
/// assert_eq!(parse_minutes(45), Ok(45 * 60));
/// assert!(parse_minutes(0).is_err());
/// assert!(parse_minutes(481).is_err());
/// ```
pub fn parse_minutes(minutes: i64) -> Result<u32> {
    Ok(whole("minutes", minutes, MAX_MINUTES)? * 60)
}
