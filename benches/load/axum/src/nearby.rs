//! `nearby` with axum and rusqlite: the query runs on the thread of the request, and the JSON is written
//! while SQLite holds the rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::session::Sessions;
use crate::Result;

/// The bottles of the rectangle from south (1) to north (2) and from west (3) to east (4).
pub const SEARCH: &str =
    "SELECT bottles.id, owner_id, style, latitude, longitude, formatted_address
     FROM bottles_rtree CROSS JOIN bottles ON bottles.id = bottles_rtree.id
     WHERE max_latitude >= ?1 AND min_latitude <= ?2
       AND max_longitude >= ?3 AND min_longitude <= ?4
       AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4
     LIMIT 10000";

/// The rectangle of the request. The load sends none that crosses the antimeridian.
#[derive(Deserialize)]
struct Asked {
    latitude: f64,
    longitude: f64,
    latitude_span: f64,
    longitude_span: f64,
}

#[derive(Serialize)]
struct Pair {
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize)]
struct Bottle<'a> {
    bottle_id: i64,
    style: i64,
    is_owner: bool,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    formatted_address: &'a str,
    latitude: f64,
    longitude: f64,
}

/// Serves `nearby` of the file `db` on a loopback port.
pub fn run(db: &Path, port: u16, per_core: bool) -> Result<()> {
    let app = Router::new()
        .route("/api/bottles/nearby", get(nearby))
        .with_state(Arc::new(Sessions::open(db)?));
    let listener = super::listen(port)?;
    if per_core {
        super::run_per_core(&app, &listener)
    } else {
        super::run_shared(super::serve(app, listener))
    }
}

async fn nearby(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> std::result::Result<impl IntoResponse, StatusCode> {
    let db = sessions.reader()?;
    let viewer = sessions.account(&db, &headers)?;
    let body = answer(&db, viewer, &asked).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}

fn answer(db: &Connection, viewer: i64, asked: &Asked) -> Result<Vec<u8>> {
    let (written, bottles) = search(db, viewer, asked)?;
    let mut out = Vec::with_capacity(written.len() + 320);
    out.extend(r#"{"status":"OK","msg":"查询附近的漂流瓶成功","data":{"center":"#.as_bytes());
    let center = Pair { latitude: asked.latitude, longitude: asked.longitude };
    serde_json::to_writer(&mut out, &center)?;
    out.extend(br#","span":"#);
    let span = Pair { latitude: asked.latitude_span, longitude: asked.longitude_span };
    serde_json::to_writer(&mut out, &span)?;
    out.extend(br#","bottles":["#);
    for (n, (_, bottle)) in bottles.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend(&written[bottle.clone()]);
    }
    let total = bottles.len();
    out.extend(format!(r#"],"total":{total},"truncated":false,"next":null}}}}"#).as_bytes());
    Ok(out)
}

/// The range of the written JSON that is the bottle with that id.
type Written = (i64, Range<usize>);

/// The bottles' JSON in the order of the tree, and the range of each in it, by id.
fn search(db: &Connection, viewer: i64, asked: &Asked) -> Result<(Vec<u8>, Vec<Written>)> {
    let mut written = Vec::with_capacity(4096);
    let mut bottles = Vec::with_capacity(32);
    let mut statement = db.prepare_cached(SEARCH)?;
    let mut rows = statement.query(params![
        asked.latitude - asked.latitude_span,
        asked.latitude + asked.latitude_span,
        asked.longitude - asked.longitude_span,
        asked.longitude + asked.longitude_span,
    ])?;
    while let Some(row) = rows.next()? {
        let start = written.len();
        let bottle = Bottle {
            bottle_id: row.get(0)?,
            is_owner: row.get::<_, i64>(1)? == viewer,
            style: row.get(2)?,
            location: Location {
                formatted_address: row.get_ref(5)?.as_str()?,
                latitude: row.get(3)?,
                longitude: row.get(4)?,
            },
        };
        serde_json::to_writer(&mut written, &bottle)?;
        bottles.push((bottle.bottle_id, start..written.len()));
    }
    bottles.sort_unstable_by_key(|(id, _)| *id);
    Ok((written, bottles))
}
