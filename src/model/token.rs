//! Session tokens, and the hashes under which they are stored.

use std::fmt;

use sha2::{Digest, Sha256};

/// A secret that identifies a session. Only the client keeps it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Creates a token of 128 random bits, as 32 hexadecimal digits.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
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

/// The SHA-256 hash of a [`Token`]. It finds a session, and is no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);
