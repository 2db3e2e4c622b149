//! Cards, members and divisions: the same three routes at three bases.

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, State, async_trait, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BareCookie, Envelope, Reply, contract_spec, reply, required_text};
use crate::domain::ledger::Holdings;
use crate::http::mounts::Surface;
use crate::http::openapi::{ContractSpec, documented_routes};
use crate::http::{Body, Rejection, Session};
use crate::model::error::Error;
use crate::model::fields::{Holding, HoldingName};

/// The kind of holding that a request concerns, by the base of its route.
struct HoldingKind(Holding);

#[async_trait]
impl<'r> FromRequest<'r> for HoldingKind {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        match Surface::of(request) {
            Some(Surface::Cards) => Outcome::Success(Self(Holding::Card)),
            Some(Surface::Members) => Outcome::Success(Self(Holding::Member)),
            Some(Surface::Divisions) => Outcome::Success(Self(Holding::Division)),
            _ => Outcome::Error(Rejection::NoSuchPath.stash(request)),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ledger::NewItem)]
struct NewItem {
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    name: Option<String>,
}

/// Add an item
#[utoipa::path(post, path = "/",
    request_body = NewItem,
    security(("ledger_session" = [])),
    responses(
        (status = 201, description = "the item is added", body = Envelope),
    )
)]
#[post("/", data = "<body>")]
async fn add(
    kind: HoldingKind,
    session: Session<BareCookie>,
    body: Body<NewItem>,
    holdings: &State<Holdings>,
) -> Reply {
    let name = HoldingName::parse(&required_text("name", body.0.name)?)?;
    holdings.add(&session.login, kind.0, name).await?;
    Ok(reply(201, "created"))
}

/// A card, a member or a division.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ledger::Item)]
pub(super) struct Item {
    id: i64,
    name: String,
}

/// List all items
#[utoipa::path(get, path = "/",
    security(("ledger_session" = [])),
    responses(
        (status = 200, description = "all items of the account, in `data`", body = Envelope),
    )
)]
#[get("/")]
fn list(kind: HoldingKind, session: Session<BareCookie>, holdings: &State<Holdings>) -> Reply {
    let found = holdings.list(kind.0, &session.login.account)?;
    let data = found.into_iter().map(|(id, name)| Item { id, name }).collect();
    Ok(Envelope { data: Some(data), ..reply(200, "success") })
}

/// Remove an item
#[utoipa::path(delete, path = "/{id}",
    params(("id" = i64, Path)),
    security(("ledger_session" = [])),
    responses(
        (status = 200, description = "the item is removed", body = Envelope),
        (status = 404, description = "the account has no such item"),
    )
)]
#[delete("/<id>")]
async fn remove(
    kind: HoldingKind,
    session: Session<BareCookie>,
    id: &str,
    holdings: &State<Holdings>,
) -> Reply {
    let id = id.parse().map_err(|_| Error::NoSuchHolding(kind.0))?;
    holdings.remove(&session.login, kind.0, id).await?;
    Ok(reply(200, "success"))
}

documented_routes! {
    /// Returns the routes, to be mounted at each of the three bases.
    pub fn routes, fn api => [add, list, remove]
}

/// Describes the routes for the OpenAPI document.
pub fn describe() -> ContractSpec {
    contract_spec(api())
}
