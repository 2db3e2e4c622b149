//! The JSON forms of accounts and bottles.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::accounts::Account;
use crate::domain::bottles::{Bottle, MapBottleRef, Opened, Opener};
use crate::model::clock::Timestamp;
use crate::model::fields::Gender;
use crate::model::geo::Position;

/// An account as other accounts see it.
#[derive(Serialize, ToSchema)]
pub(super) struct Person {
    user_id: i64,
    username: String,
    nickname: String,
    #[schema(value_type = Gender)]
    gender: &'static str,
}

impl From<Account> for Person {
    fn from(account: Account) -> Self {
        Self {
            user_id: account.id,
            username: account.username,
            nickname: account.nickname,
            gender: account.gender.as_str(),
        }
    }
}

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    #[serde(flatten)]
    person: Person,
    created_at: Timestamp,
    /// present only if true
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    password_is_one_time: bool,
    /// present only if true
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_teacher: bool,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            created_at: account.created_at,
            password_is_one_time: account.password_is_one_time,
            is_teacher: account.is_teacher,
            person: account.into(),
        }
    }
}

/// A position, or the size of an area, in degrees.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(super) struct Coordinates {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

impl From<Position> for Coordinates {
    fn from(position: Position) -> Self {
        Self { latitude: position.latitude(), longitude: position.longitude() }
    }
}

/// A position and its address.
#[derive(Serialize, ToSchema)]
pub(super) struct LocationView<'a> {
    #[schema(value_type = String)]
    formatted_address: Cow<'a, str>,
    // Written out, because serde serializes a flattened field as a map, and `nearby` writes
    // thousands of locations.
    latitude: f64,
    longitude: f64,
}

impl<'a> LocationView<'a> {
    fn new(formatted_address: impl Into<Cow<'a, str>>, position: Position) -> Self {
        Self {
            formatted_address: formatted_address.into(),
            latitude: position.latitude(),
            longitude: position.longitude(),
        }
    }
}

/// A bottle on the map, without its message.
#[derive(Serialize, ToSchema)]
pub(super) struct MapBottleView<'a> {
    bottle_id: i64,
    style: u8,
    is_owner: bool,
    location: LocationView<'a>,
}

impl<'a> MapBottleView<'a> {
    /// Creates the view of a bottle for the account `viewer`.
    pub(super) fn new(bottle: &MapBottleRef<'a>, viewer: i64) -> Self {
        Self {
            bottle_id: bottle.id,
            style: bottle.style.number(),
            is_owner: bottle.owner == viewer,
            location: LocationView::new(bottle.formatted_address, bottle.position),
        }
    }
}

/// A bottle as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedView {
    bottle_id: i64,
    content: String,
    style: u8,
    location: LocationView<'static>,
    created_at: Timestamp,
    openers_count: i64,
    /// present only if true: a teacher or the number of reports has hidden the bottle
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

impl From<Bottle> for CreatedView {
    fn from(bottle: Bottle) -> Self {
        Self {
            bottle_id: bottle.id,
            content: bottle.content,
            style: bottle.style.number(),
            location: LocationView::new(bottle.formatted_address, bottle.position),
            created_at: bottle.created_at,
            openers_count: bottle.openers_count,
            hidden: bottle.hidden_at.is_some(),
        }
    }
}

/// A bottle as an opener sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenedView {
    bottle_id: i64,
    content: String,
    style: u8,
    owner: Person,
    location: LocationView<'static>,
    created_at: Timestamp,
    open_at: Timestamp,
    /// present only if true, and only to the owner
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

impl From<Opened> for OpenedView {
    fn from(opened: Opened) -> Self {
        let bottle = opened.bottle;
        Self {
            bottle_id: bottle.id,
            content: bottle.content,
            style: bottle.style.number(),
            owner: opened.owner.into(),
            location: LocationView::new(bottle.formatted_address, bottle.position),
            created_at: bottle.created_at,
            open_at: opened.open_at,
            hidden: bottle.hidden_at.is_some(),
        }
    }
}

/// An opener of a bottle.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenerView {
    #[serde(flatten)]
    person: Person,
    open_at: Timestamp,
}

impl From<Opener> for OpenerView {
    fn from(opener: Opener) -> Self {
        Self { person: opener.account.into(), open_at: opener.open_at }
    }
}
