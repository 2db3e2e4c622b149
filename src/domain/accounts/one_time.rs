//! One-time passwords, which operators hand out.

use rand::seq::IndexedRandom;

const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
const VOWELS: &[u8] = b"aeiou";
/// The characters of a word with the dash before it.
const WORD_LENGTH: usize = 5;
const MIN_WORDS: usize = 3;

/// Generates a one-time password of at least `min_length` characters that can be read out in a
/// classroom, such as `tamo-keru-nisa`.
///
/// There are at least 10^11 of them, which the rate limit for logins makes enough.
///
/// ```
/// use bottle::domain::accounts::one_time_password;
///
/// assert_eq!(one_time_password(4).len(), 14);
/// assert!(one_time_password(15).len() >= 15);
/// ```
pub fn one_time_password(min_length: usize) -> String {
    let rng = &mut rand::rng();
    let mut letter = |from: &[u8]| from.choose(rng).map_or('x', |letter| char::from(*letter));
    let words: Vec<String> = (0..MIN_WORDS.max((min_length + 1).div_ceil(WORD_LENGTH)))
        .map(|_| [CONSONANTS, VOWELS, CONSONANTS, VOWELS].map(&mut letter).iter().collect())
        .collect();
    words.join("-")
}
