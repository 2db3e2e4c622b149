//! The credential of the Ledger contract: a JWT that contains a session's token, in a cookie
//! without a name.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rocket::Request;
use serde::{Deserialize, Serialize};

use crate::domain::accounts::StartedSession;
use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::model::token::Token;

/// Signs and verifies JWTs.
pub struct Jwt {
    encoding_key: EncodingKey,
    decoding_key: DecodingKey,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The account's id.
    aud: String,
    /// The time at which the JWT expires, in seconds since 1970.
    exp: i64,
    /// The session's token. Without it, a JWT would stay valid until `exp` even after a logout.
    jti: String,
}

impl Jwt {
    /// Creates a signer with the secret `key`, which checks expiry by `clock`.
    pub fn new(key: &str, clock: Clock) -> Self {
        let key = key.as_bytes();
        let (encoding_key, decoding_key) =
            (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { encoding_key, decoding_key, clock }
    }

    /// Signs a JWT for a session.
    pub(super) fn sign(&self, started: &StartedSession) -> Result<String> {
        let claims = Claims {
            aud: started.account.id.to_string(),
            exp: started.expires_at.millis() / 1000,
            jti: started.token.secret().to_owned(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding_key)
            .map_err(|e| Error::Internal(format!("a JWT could not be signed: {e}")))
    }

    /// Returns the session's token in `jwt`.
    ///
    /// # Errors
    /// Returns [`Error::NotLoggedIn`] for an invalid JWT, or [`Error::ExpiredToken`].
    pub(super) fn read(&self, jwt: &str) -> Result<Token> {
        // Only HS256 is accepted. `exp` is checked below, because the library allows 60 s of leeway
        // and reads the system's clock. `aud` follows from the session.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(jwt, &self.decoding_key, &rules)
            .map_err(|_| Error::NotLoggedIn)?
            .claims;
        if claims.exp <= self.clock.now().millis() / 1000 {
            return Err(Error::ExpiredToken);
        }
        Ok(Token::presented(claims.jti))
    }
}

/// Returns the JWT in the raw `Cookie` headers: bare, or as `token=JWT`. Clients may send other
/// cookies and attributes beside it.
pub(super) fn in_cookies<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let pieces =
        || request.headers().get("Cookie").flat_map(|header| header.split(';')).map(str::trim);
    let named = pieces().filter_map(|piece| piece.strip_prefix("token="));
    let bare = pieces().filter(|piece| piece.starts_with("eyJ") || !piece.contains('='));
    let candidates: Vec<&str> =
        bare.chain(named).filter(|piece| !piece.is_empty() && !is_attribute(piece)).collect();
    // A well-formed JWT takes precedence over a malformed one.
    candidates.iter().find(|piece| piece.split('.').count() == 3).or(candidates.first()).copied()
}

/// Returns whether `piece` is an attribute of `Set-Cookie` without a value, which some clients send
/// back.
fn is_attribute(piece: &str) -> bool {
    ["HttpOnly", "Secure", "Partitioned"].iter().any(|name| name.eq_ignore_ascii_case(piece))
}
