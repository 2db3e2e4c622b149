//! What the page needs to know before anyone has logged in.

use std::sync::{Arc, OnceLock};

use rocket::http::ContentType;
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Answer, Reply, ok};
use super::guard::PrivateCookie;
use super::query::{self, RectangleQuery};
use crate::domain::bottles::{Bottles, Grid};
use crate::http::Session;
use crate::model::error::Error;

/// What the page is told of this server.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PageSettings {
    /// Where the map's pictures come from, if an operator named a place on the internet.
    pub tile_url: Option<String>,
    /// Whom to name on that map.
    pub tile_attribution: String,
    /// The street map at `/tiles`, if there is one.
    pub mbtiles: Option<Mbtiles>,
    /// Whether visitors may see counts.
    pub public_counts: bool,
    /// The fewest characters of a new password.
    pub min_password_length: usize,
    /// Accounts that anyone may use, in the demo.
    pub demo_accounts: Vec<DemoAccount>,
}

/// What an MBTiles file offers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct Mbtiles {
    pub min_zoom: u8,
    pub max_zoom: u8,
    pub attribution: String,
}

/// An account that anyone may use.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct DemoAccount {
    pub username: &'static str,
    pub nickname: &'static str,
    pub password: &'static str,
}

/// How others on the network reach the server, as the page shows it. The server fills it in once it
/// listens.
#[derive(Clone, Debug, Default)]
pub struct JoinInfo {
    /// The addresses, the most reliable first; empty if only this machine can reach the server.
    pub addresses: Vec<String>,
    /// The SHA-256 fingerprint of a certificate that no authority has signed.
    pub fingerprint: Option<String>,
    /// The first address as a QR code, in SVG.
    pub qr_code: Option<String>,
}

/// A [`JoinInfo`] that is empty until it is set. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedJoinInfo(Arc<OnceLock<JoinInfo>>);

impl SharedJoinInfo {
    /// Sets it. Only the first call has an effect.
    pub fn set(&self, info: JoinInfo) {
        let _ = self.0.set(info);
    }

    fn get(&self) -> JoinInfo {
        self.0.get().cloned().unwrap_or_default()
    }
}

/// What the page asks first
#[utoipa::path(get, path = "/settings",
    responses(
        (status = 200, description = "what a visitor may know", body = Answer<PageSettings>),
    )
)]
#[get("/settings")]
pub(super) fn settings(settings: &State<PageSettings>) -> Reply<PageSettings> {
    ok("获取设置成功", settings.inner().clone())
}

#[derive(Serialize, ToSchema)]
pub(super) struct JoinView {
    addresses: Vec<String>,
    /// the SHA-256 of a certificate that only this machine vouches for
    fingerprint: Option<String>,
}

/// Where others on the network come in
#[utoipa::path(get, path = "/join",
    responses(
        (status = 200, description = "none, if the server is for its machine alone", body = Answer<JoinView>),
    )
)]
#[get("/join")]
pub(super) fn join(info: &State<SharedJoinInfo>) -> Reply<JoinView> {
    let JoinInfo { addresses, fingerprint, .. } = info.get();
    ok("获取地址成功", JoinView { addresses, fingerprint })
}

/// The first of those addresses as a QR code.
#[get("/join.svg")]
pub(super) fn join_picture(info: &State<SharedJoinInfo>) -> Option<(ContentType, String)> {
    Some((ContentType::SVG, info.get().qr_code?))
}

#[derive(Serialize, ToSchema)]
struct Size {
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize, ToSchema)]
struct CellView {
    latitude: f64,
    longitude: f64,
    count: i64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CountsView {
    total: i64,
    cell: Size,
    cells: Vec<CellView>,
}

/// Counts by cell, without contents or exact places
///
/// For anyone, unless the operator says otherwise, and finer for whoever is logged in. For visitors, cells
/// near the poles are joined by longitude, so that none is narrower than about 10 km; `longitude` is the
/// middle of the joined cell, and `cell` the size of a cell by itself.
#[utoipa::path(get, path = "/bottles/counts",
    params(RectangleQuery, ("zoom" = u8, Query, minimum = 0, maximum = 22)),
    responses(
        (status = 200, description = "the counts", body = Answer<CountsView>),
        (status = 401, description = "visitors may not see them here"),
    )
)]
#[get("/bottles/counts?<zoom>&<asked..>")]
pub(super) fn counts(
    session: Option<Session<PrivateCookie>>,
    asked: RectangleQuery<'_>,
    zoom: Option<&str>,
    settings: &State<PageSettings>,
    bottles: &State<Bottles>,
) -> Reply<CountsView> {
    let grid = match session {
        Some(_) => Grid::Full,
        None if settings.public_counts => Grid::Public,
        None => return Err(Error::NotLoggedIn.into()),
    };
    let rectangle = asked.rectangle()?;
    let counts = bottles.counts(&rectangle, query::zoom(zoom)?, grid)?;
    let cells: Vec<CellView> = counts
        .cells
        .iter()
        .map(|cell| CellView {
            latitude: cell.latitude,
            longitude: cell.longitude,
            count: cell.count,
        })
        .collect();
    ok(
        "查询漂流瓶数量成功",
        CountsView {
            total: cells.iter().map(|cell| cell.count).sum(),
            cell: Size { latitude: counts.cell_size, longitude: counts.cell_size },
            cells,
        },
    )
}
