//! Throwing a bottle with axum and rusqlite, each in a durable transaction of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::session::Sessions;
use crate::Result;

#[derive(Deserialize)]
struct Throw {
    content: String,
    style: i64,
    location: Location,
}

#[derive(Deserialize, Serialize)]
struct Location {
    formatted_address: String,
    latitude: f64,
    longitude: f64,
}

struct Peer {
    sessions: Sessions,
    writer: Mutex<Connection>,
}

/// Serves throws into the file `db` on a loopback port.
pub fn run(db: &Path, port: u16) -> Result<()> {
    let writer = Connection::open(db)?;
    // As durable as Bottle's own commits.
    writer.pragma_update(None, "synchronous", "full")?;
    let peer = Peer { sessions: Sessions::open(db)?, writer: Mutex::new(writer) };
    let app = Router::new().route("/api/bottles", post(throw)).with_state(Arc::new(peer));
    super::run_shared(super::serve(app, super::listen(port)?))
}

async fn throw(
    State(peer): State<Arc<Peer>>,
    headers: HeaderMap,
    Json(throw): Json<Throw>,
) -> std::result::Result<Json<Value>, StatusCode> {
    let owner = peer.sessions.account(&*peer.sessions.reader()?, &headers)?;
    let now = Utc::now();
    tokio::task::spawn_blocking(move || {
        let db = peer.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let id = insert(&db, owner, &throw, now)?;
        Ok(Json(json!({ "status": "OK", "msg": "创建漂流瓶成功", "data": {
            "bottle_id": id,
            "content": throw.content,
            "style": throw.style,
            "location": throw.location,
            "created_at": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "openers_count": 0,
        } })))
    })
    .await
    .unwrap_or(Err(rusqlite::Error::InvalidQuery))
    .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Inserts the bottle and its box, as one durable transaction.
fn insert(db: &Connection, owner: i64, throw: &Throw, now: DateTime<Utc>) -> rusqlite::Result<i64> {
    let Location { formatted_address, latitude, longitude } = &throw.location;
    let change = db.unchecked_transaction()?;
    change
        .prepare_cached(
            "INSERT INTO bottles
                 (owner_id, content, formatted_address, latitude, longitude, style, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            owner,
            throw.content,
            formatted_address,
            latitude,
            longitude,
            throw.style,
            now.timestamp_millis(),
        ])?;
    let id = change.last_insert_rowid();
    change
        .prepare_cached("INSERT INTO bottles_rtree VALUES (?1, ?2, ?2, ?3, ?3)")?
        .execute(params![id, latitude, longitude])?;
    change.commit()?;
    Ok(id)
}
