//! The x-ray: the nodes of the R*-tree, for a lesson. Open to visitors in the demo, and to teachers
//! elsewhere.

use std::sync::Arc;

use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest};
use rocket::{Request, State, async_trait, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Reply, ok};
use super::guard::Teacher;
use super::page::PageSettings;
use super::query::RectangleQuery;
use super::view::Coordinates;
use crate::http::{ClientConnection, Rejection};
use crate::store::Store;
use crate::store::nearby::SEARCH;
use crate::store::xray::{self, Node};

/// The maximum number of boxes in a response.
const MAX_BOXES: usize = 3000;
/// The maximum number of rejected candidates in a response.
const MAX_REFUSED: usize = 200;

/// Admits everyone in the demo, and teachers elsewhere.
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
    /// whether all nodes that touch the rectangle are listed
    complete: bool,
}

/// List the nodes of the R*-tree that touch a rectangle, the root first
#[utoipa::path(get, path = "/xray/tree",
    params(RectangleQuery),
    security((), ("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the boxes of the nodes", body = Envelope<TreeView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/xray/tree?<query..>")]
pub(super) async fn tree(
    _access: XrayAccess,
    query: RectangleQuery<'_>,
    connection: ClientConnection,
    store: &State<Arc<Store>>,
) -> Reply<TreeView> {
    let rectangle = query.rectangle()?;
    let read = store.read_long(|db| xray::nodes(db, &rectangle, MAX_BOXES));
    let (nodes, complete) = connection.while_open(read).await?;
    ok("查询成功", TreeView { nodes: nodes.into_iter().map(NodeView::from).collect(), complete })
}

#[derive(Serialize, ToSchema)]
struct RefusedView {
    bottle_id: i64,
    #[serde(flatten)]
    position: Coordinates,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SearchView {
    /// the nodes that the search reads
    visited: Vec<NodeView>,
    /// the number of candidates that the 32-bit boxes propose
    proposed: usize,
    /// the number of candidates that the exact coordinates reject
    refused_count: usize,
    /// the first of the rejected candidates
    refused: Vec<RefusedView>,
    /// the number of bottles that the search finds
    found: usize,
    /// the SQL of the search
    sql: &'static str,
    /// the duration of one search
    microseconds: u64,
}

/// Trace the search for the bottles in a rectangle
#[utoipa::path(get, path = "/xray/search",
    params(RectangleQuery),
    security((), ("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the nodes, candidates and duration of the search", body = Envelope<SearchView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/xray/search?<query..>")]
pub(super) async fn search(
    _access: XrayAccess,
    query: RectangleQuery<'_>,
    connection: ClientConnection,
    store: &State<Arc<Store>>,
) -> Reply<SearchView> {
    let rectangle = query.rectangle()?;
    let cache = store.map_cache();
    let read = store.read_long(|db| {
        let found = xray::search(db, &cache, &rectangle)?;
        Ok((xray::trace(db, &rectangle)?, found))
    });
    let (trace, (found, time)) = connection.while_open(read).await?;
    let refused = trace
        .rejected
        .iter()
        .take(MAX_REFUSED)
        .map(|(id, position)| RefusedView { bottle_id: *id, position: (*position).into() });
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
