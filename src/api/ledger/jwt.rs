//! The token of the Ledger contract: a JWT that names a session, in a cookie without a name.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rocket::Request;
use serde::{Deserialize, Serialize};

use crate::domain::accounts::StartedSession;
use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::model::token::Token;

/// Signs and reads the tokens.
pub struct Jwt {
    signing: EncodingKey,
    checking: DecodingKey,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The account's id.
    aud: String,
    /// Seconds since 1970 at which the token is over.
    exp: i64,
    /// The session's token, which the store knows by its hash: without it a signature would be
    /// good until `exp`, logout or not.
    jti: String,
}

impl Jwt {
    /// Tokens under `key`, judged by `clock`.
    pub fn new(key: &str, clock: Clock) -> Self {
        let key = key.as_bytes();
        let (signing, checking) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { signing, checking, clock }
    }

    /// The JWT that carries a session.
    pub(super) fn sign(&self, begun: &StartedSession) -> Result<String> {
        let claims = Claims {
            aud: begun.account.id.to_string(),
            exp: begun.expires_at.millis() / 1000,
            jti: begun.token.secret().to_owned(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|e| Error::Internal(format!("a JWT could not be signed: {e}")))
    }

    /// The session's token inside `jwt`.
    pub(super) fn read(&self, jwt: &str) -> Result<Token> {
        // One algorithm. `exp` is judged below, by our clock and to the second, and `aud` is implied
        // by the session.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(jwt, &self.checking, &rules)
            .map_err(|_| Error::NotLoggedIn)?
            .claims;
        if claims.exp <= self.clock.now().millis() / 1000 {
            return Err(Error::ExpiredToken);
        }
        Ok(Token::presented(claims.jti))
    }
}

/// The JWT in the raw `Cookie` headers: bare, or as `token=JWT`, whatever other cookies or attributes
/// a client sends along with it.
pub(super) fn in_cookies<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let pieces =
        || request.headers().get("Cookie").flat_map(|header| header.split(';')).map(str::trim);
    let named = pieces().filter_map(|piece| piece.strip_prefix("token="));
    let bare = pieces().filter(|piece| piece.starts_with("eyJ") || !piece.contains('='));
    let candidates: Vec<&str> =
        bare.chain(named).filter(|piece| !piece.is_empty() && !is_attribute(piece)).collect();
    // A malformed token is one all the same, but a well-formed one beside it goes before it.
    candidates.iter().find(|piece| piece.split('.').count() == 3).or(candidates.first()).copied()
}

/// Whether this is what may follow a cookie in `Set-Cookie`, of those that have no value.
fn is_attribute(piece: &str) -> bool {
    ["HttpOnly", "Secure", "Partitioned"].iter().any(|name| name.eq_ignore_ascii_case(piece))
}
