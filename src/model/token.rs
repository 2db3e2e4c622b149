//! Tokens of sessions and personal access tokens, and the hashes under which they are stored.

use std::fmt;

use sha2::{Digest, Sha256};

/// The beginning of a personal access token, by which the server and scanners of leaked secrets know
/// one.
pub const ACCESS_TOKEN_PREFIX: &str = "bottle_";

/// A secret that identifies a session or a personal access token. Only the client keeps it.
///
/// ```
/// use bottle::model::token::Token;
///
/// let token = Token::random();
/// assert_eq!(token.secret().len(), 32);
/// // The client sends it back; the store finds it by its hash.
/// assert_eq!(Token::presented(token.secret()).hash(), token.hash());
/// assert_eq!(format!("{token:?}"), "Token(…)");
/// ```
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Creates a token of 128 random bits, as 32 hexadecimal digits.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// Creates a personal access token: the prefix and 128 random bits, as 32 hexadecimal digits.
    ///
    /// ```
    /// use bottle::model::token::Token;
    ///
    /// let token = Token::random_access_token();
    /// assert_eq!(token.secret().strip_prefix("bottle_").map(str::len), Some(32));
    /// ```
    pub fn random_access_token() -> Self {
        Self(format!("{ACCESS_TOKEN_PREFIX}{}", Self::random().0))
    }

    /// Wraps a token that a client sent.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text for the client.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Returns the hash that the store keeps. A fast hash is enough, because a random token cannot
    /// be guessed.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The SHA-256 hash of a [`Token`]. It finds a session or an access token, and is no
/// credential.
///
/// ```
/// use bottle::model::token::Token;
///
/// let hash = Token::presented("abc").hash();
/// assert_eq!(hash.0[..4], [0xba, 0x78, 0x16, 0xbf]); // FIPS 180-2, appendix B.1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// Returns it as 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
