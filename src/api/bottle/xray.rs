//! The R*-tree from inside, for a lesson: in the demo, and for teachers.

use std::sync::Arc;

use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest};
use rocket::{Request, State, async_trait, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Answer, Reply, ok};
use super::guard::Teacher;
use super::page::PageSettings;
use super::query::RectangleQuery;
use crate::http::{ClientConnection, Rejection};
use crate::store::Store;
use crate::store::nearby::SEARCH;
use crate::store::xray::{self, Node};

/// So many boxes are drawn at most.
const MAX_BOXES: usize = 3000;
/// So many refused rows are named at most.
const MAX_REFUSED: usize = 200;

/// Anyone in the demo, elsewhere a teacher.
pub(super) struct XrayAccess;

#[async_trait]
impl<'r> FromRequest<'r> for XrayAccess {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let settings = request.rocket().state::<PageSettings>();
        if settings.is_none_or(|settings| settings.demo_accounts.is_empty()) {
            try_outcome!(request.guard::<Teacher>().await);
        }
        Outcome::Success(Self)
    }
}

#[derive(Serialize, ToSchema)]
struct NodeView {
    node: i64,
    /// 0 for a leaf
    level: u16,
    south: f32,
    north: f32,
    west: f32,
    east: f32,
    entries: usize,
}

impl From<Node> for NodeView {
    fn from(node: Node) -> Self {
        let (number, level, bounds) = (node.number, node.level, node.bounds);
        Self {
            node: number,
            level,
            south: bounds.south,
            north: bounds.north,
            west: bounds.west,
            east: bounds.east,
            entries: node.entries,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct TreeView {
    nodes: Vec<NodeView>,
    /// whether these are all that touch the rectangle
    complete: bool,
}

/// The nodes of the R*-tree that touch a rectangle, the root first
#[utoipa::path(get, path = "/xray/tree",
    params(RectangleQuery),
    security((), ("bottle_session" = [])),
    responses(
        (status = 200, description = "their boxes", body = Answer<TreeView>),
        (status = 403, description = "not a teacher"),
    )
)]
#[get("/xray/tree?<asked..>")]
pub(super) async fn tree(
    _curious: XrayAccess,
    asked: RectangleQuery<'_>,
    connection: ClientConnection,
    store: &State<Arc<Store>>,
) -> Reply<TreeView> {
    let rectangle = asked.rectangle()?;
    let read = store.read_long(|db| xray::nodes(db, &rectangle, MAX_BOXES));
    let (nodes, complete) = connection.while_open(read).await?;
    ok("查询成功", TreeView { nodes: nodes.into_iter().map(NodeView::from).collect(), complete })
}

#[derive(Serialize, ToSchema)]
struct RefusedView {
    bottle_id: i64,
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SearchView {
    /// the nodes that the search reads
    visited: Vec<NodeView>,
    /// how many rows the 32-bit boxes propose
    proposed: usize,
    /// how many of them the exact coordinates refuse
    refused_count: usize,
    /// the first of those
    refused: Vec<RefusedView>,
    /// how many bottles the search finds
    found: usize,
    /// what the search asks SQLite
    sql: &'static str,
    /// how long that took, once
    microseconds: u64,
}

/// What the search for the bottles in a rectangle reads and refuses
#[utoipa::path(get, path = "/xray/search",
    params(RectangleQuery),
    security((), ("bottle_session" = [])),
    responses(
        (status = 200, description = "its way through the tree", body = Answer<SearchView>),
        (status = 403, description = "not a teacher"),
    )
)]
#[get("/xray/search?<asked..>")]
pub(super) async fn search(
    _curious: XrayAccess,
    asked: RectangleQuery<'_>,
    connection: ClientConnection,
    store: &State<Arc<Store>>,
) -> Reply<SearchView> {
    let rectangle = asked.rectangle()?;
    let read = store.read_long(|db| {
        let found = xray::search(db, &rectangle)?;
        Ok((xray::trace(db, &rectangle)?, found))
    });
    let (trace, (found, time)) = connection.while_open(read).await?;
    let refused = trace.rejected.iter().take(MAX_REFUSED).map(|(id, place)| RefusedView {
        bottle_id: *id,
        latitude: place.latitude(),
        longitude: place.longitude(),
    });
    ok(
        "查询成功",
        SearchView {
            proposed: trace.candidates,
            refused_count: trace.rejected.len(),
            refused: refused.collect(),
            found,
            sql: &SEARCH,
            microseconds: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
            visited: trace.nodes.into_iter().map(NodeView::from).collect(),
        },
    )
}
