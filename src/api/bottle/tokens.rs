//! The routes that manage personal access tokens. They need the cookie of a session.

use rocket::{State, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::envelope::{Empty, Envelope, Reply, ok};
use super::guard::{PrivateCookie, access_token_id};
use crate::domain::accounts::{Accounts, TokenSummary, required};
use crate::http::{Body, Session};
use crate::model::access::TokenTerms;
use crate::model::clock::Timestamp;

/// A personal access token, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenView {
    token_id: i64,
    name: String,
    /// `read` for requests that only read, or `full`
    access: &'static str,
    created_at: Timestamp,
    expires_at: Timestamp,
    /// the minute of its last use; null until the first
    last_used_at: Option<Timestamp>,
}

impl From<TokenSummary> for TokenView {
    fn from(token: TokenSummary) -> Self {
        Self {
            token_id: token.id,
            name: token.name,
            access: token.access.as_str(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct TokensView {
    tokens: Vec<TokenView>,
}

/// List the personal access tokens of the account, latest first
#[utoipa::path(get, path = "/tokens",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the tokens, without their secrets", body = Envelope<TokensView>),
        (status = 403, description = "the request has an access token"),
    )
)]
#[get("/tokens")]
pub(super) fn tokens(
    session: Session<PrivateCookie>,
    accounts: &State<Accounts>,
) -> Reply<TokensView> {
    let tokens = accounts.access_tokens(&session.login)?;
    ok("查询成功", TokensView { tokens: tokens.into_iter().map(TokenView::from).collect() })
}

/// A new personal access token with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct NewTokenView {
    #[serde(flatten)]
    view: TokenView,
    /// the secret, which is shown once, for the header `Authorization: Bearer …`
    token: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct TokenRequest {
    /// a name for the list
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    name: Option<String>,
    /// `read` (the default) or `full`
    access: Option<String>,
    /// the days that it lives; 90 by default
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<i64>,
}

/// Make a personal access token
///
/// It ends at its time, with a new password, and when all sessions of the account are ended.
#[utoipa::path(post, path = "/tokens",
    request_body = TokenRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the token and its secret", body = Envelope<NewTokenView>),
        (status = 403, description = "the request has an access token"),
        (status = 409, description = "the account has 50 tokens"),
    )
)]
#[post("/tokens", data = "<body>")]
pub(super) async fn make(
    session: Session<PrivateCookie>,
    body: Body<TokenRequest>,
    accounts: &State<Accounts>,
) -> Reply<NewTokenView> {
    let name = required("name", body.0.name)?;
    let terms = TokenTerms::parse(&name, body.0.access.as_deref(), body.0.expires_in_days)?;
    let (token, secret) = accounts.make_access_token(&session.login, terms).await?;
    ok("已创建访问令牌", NewTokenView { view: token.into(), token: secret.secret().to_owned() })
}

/// End a personal access token
#[utoipa::path(delete, path = "/tokens/{token_id}",
    params(("token_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the token has ended", body = Envelope<Empty>),
        (status = 403, description = "the request has an access token"),
        (status = 404, description = "the account has no such token"),
    )
)]
#[delete("/tokens/<id>")]
pub(super) async fn revoke(
    session: Session<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.revoke_access_token(&session.login, access_token_id(id)?).await?;
    ok("已撤销访问令牌", Empty {})
}
