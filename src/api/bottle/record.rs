//! The rows of an export, as the OpenAPI document describes them. `store::transfer` writes them.

use utoipa::ToSchema;

use crate::model::clock::Timestamp;

/// A row of an export.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) enum Record {
    User(AccountRecord),
    Bottle(BottleRecord),
    Opening(OpeningRecord),
    Reply(ReplyRecord),
    Block(BlockRecord),
}

/// An account, without its password.
#[derive(ToSchema)]
#[schema(as = export::Account)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct AccountRecord {
    username: String,
    nickname: String,
    gender: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    avatar_url: Option<String>,
    created_at: Timestamp,
}

/// A bottle. Its id is unique within one export.
#[derive(ToSchema)]
#[schema(as = export::Bottle)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct BottleRecord {
    bottle_id: i64,
    owner: String,
    content: String,
    style: i64,
    location: PlaceRecord,
    created_at: Timestamp,
    /// present only if a teacher or the number of reports has hidden the bottle
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hidden_at: Option<Timestamp>,
    /// present only if the bottle ends by itself
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    /// present only if the bottle has ended
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended_at: Option<Timestamp>,
    /// present only if the bottle can be opened from nearby only
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    open_within_m: Option<i64>,
}

/// The place at which a bottle was thrown.
#[derive(ToSchema)]
#[schema(as = export::Place)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
struct PlaceRecord {
    #[serde(default)]
    formatted_address: String,
    latitude: f64,
    longitude: f64,
}

/// The opening of a bottle by an account.
#[derive(ToSchema)]
#[schema(as = export::Opening)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct OpeningRecord {
    bottle_id: i64,
    opener: String,
    open_at: Timestamp,
}

/// A reply in the thread of a bottle and one of its openers.
#[derive(ToSchema)]
#[schema(as = export::Reply)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct ReplyRecord {
    bottle_id: i64,
    opener: String,
    author: String,
    content: String,
    created_at: Timestamp,
    /// present only if a teacher or a report has hidden the reply
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hidden_at: Option<Timestamp>,
}

/// An account that has blocked another.
#[derive(ToSchema)]
#[schema(as = export::Block)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct BlockRecord {
    blocker: String,
    blocked: String,
    blocked_at: Timestamp,
}

/// Bottles as a GeoJSON collection (RFC 7946).
#[derive(ToSchema)]
#[schema(as = export::FeatureCollection)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct CollectionRecord {
    r#type: String,
    features: Vec<FeatureRecord>,
}

/// A bottle as a GeoJSON feature.
#[derive(ToSchema)]
#[schema(as = export::Feature)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
struct FeatureRecord {
    r#type: String,
    geometry: PointRecord,
    properties: PropertiesRecord,
}

/// The position of a bottle as a GeoJSON point.
#[derive(ToSchema)]
#[schema(as = export::Point)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
pub(super) struct PointRecord {
    r#type: String,
    /// longitude, then latitude
    coordinates: [f64; 2],
}

/// The properties of a bottle as a GeoJSON feature.
#[derive(ToSchema)]
#[schema(as = export::Properties)]
#[expect(dead_code, reason = "only the OpenAPI document reads it")]
struct PropertiesRecord {
    bottle_id: i64,
    owner: String,
    content: String,
    style: i64,
    formatted_address: String,
    created_at: Timestamp,
    #[schema(nullable = false)]
    hidden_at: Option<Timestamp>,
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    #[schema(nullable = false)]
    ended_at: Option<Timestamp>,
    #[schema(nullable = false)]
    open_within_m: Option<i64>,
}
