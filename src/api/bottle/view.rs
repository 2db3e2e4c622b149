//! The JSON forms of accounts and bottles.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::inbox_kinds::InboxKinds;
use crate::domain::accounts::Account;
use crate::domain::bottles::{Bottle, Opened, Opener, ThreadCounts};
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
    /// present only if true: a guest of a class
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_guest: bool,
}

impl From<Account> for Person {
    fn from(account: Account) -> Self {
        Self {
            user_id: account.id,
            username: account.username,
            nickname: account.nickname,
            gender: account.gender.as_str(),
            is_guest: account.guest_until.is_some(),
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
    /// present only if true; `is_teacher` is then true as well
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_operator: bool,
    /// the silenced kinds of inbox items, each false; present only if there are some
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<InboxKinds>,
    /// the time at which the class of a guest ends; present only for a guest
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_until: Option<Timestamp>,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            created_at: account.created_at,
            password_is_one_time: account.password_is_one_time,
            is_teacher: account.is_teacher,
            is_operator: account.is_operator,
            inbox: InboxKinds::silenced(account.silenced),
            guest_until: account.guest_until,
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
    pub(super) formatted_address: Cow<'a, str>,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

impl<'a> LocationView<'a> {
    pub(super) fn new(formatted_address: impl Into<Cow<'a, str>>, position: Position) -> Self {
        Self {
            formatted_address: formatted_address.into(),
            latitude: position.latitude(),
            longitude: position.longitude(),
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
    #[serde(flatten)]
    limits: Limits,
    /// present only if true: the bottle has left the sea by itself
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    expired: bool,
    #[serde(flatten)]
    thread: ThreadCountsView,
}

/// The limits of a bottle, each present only if it has it.
#[derive(Serialize, ToSchema)]
struct Limits {
    /// the time at which the bottle leaves the sea by itself
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// the distance in metres within which others can open it
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    open_within_m: Option<u32>,
}

/// The numbers of replies, each present only if it is not 0.
#[derive(Serialize, ToSchema)]
struct ThreadCountsView {
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    replies_count: Option<i64>,
    /// the replies of the other side that the account has not read
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_count: Option<i64>,
}

impl From<ThreadCounts> for ThreadCountsView {
    fn from(ThreadCounts { replies, unread }: ThreadCounts) -> Self {
        let unless_zero = |count: i64| Some(count).filter(|count| *count != 0);
        Self { replies_count: unless_zero(replies), unread_count: unless_zero(unread) }
    }
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
            limits: Limits { expires_at: bottle.expires_at, open_within_m: bottle.open_within_m },
            expired: bottle.ended_at.is_some(),
            thread: ThreadCounts { replies: bottle.replies_count, unread: bottle.unread_count }
                .into(),
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
    #[serde(flatten)]
    limits: Limits,
    /// present only if true, and only to the owner
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    expired: bool,
    #[serde(flatten)]
    thread: ThreadCountsView,
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
            limits: Limits { expires_at: bottle.expires_at, open_within_m: bottle.open_within_m },
            expired: bottle.ended_at.is_some(),
            thread: opened.thread.into(),
        }
    }
}

/// An opener of a bottle.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenerView {
    #[serde(flatten)]
    person: Person,
    open_at: Timestamp,
    #[serde(flatten)]
    thread: ThreadCountsView,
}

impl From<Opener> for OpenerView {
    fn from(opener: Opener) -> Self {
        let Opener { account, open_at, thread } = opener;
        Self { person: account.into(), open_at, thread: thread.into() }
    }
}
