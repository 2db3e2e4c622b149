//! The routes for visitors: settings of the page, join information, counts.

use std::sync::{Arc, OnceLock};

use rocket::http::ContentType;
use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Reply, ok};
use super::guard::CookieOrToken;
use super::query::{self, RectangleQuery};
use super::view::Coordinates;
use crate::domain::accounts::{Accounts, RegistrationMode};
use crate::domain::bottles::{Bottles, Cell, Grid};
use crate::domain::moderation::Moderation;
use crate::domain::settings::LiveSettings;
use crate::http::Session;
use crate::model::error::Error;
use crate::model::live::LiveSetting;

/// The settings that the page reads.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PageSettings {
    /// The URL of map tiles on the internet, if the operator set one.
    pub tile_url: Option<String>,
    /// The attribution of those tiles.
    pub tile_attribution: String,
    /// The first street map of pictures, if there is one.
    pub mbtiles: Option<Mbtiles>,
    /// All street maps, in the order of their precedence; present only if there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<MapView>,
    /// True if visitors may see counts.
    pub public_counts: bool,
    /// The minimum length of a new password, in characters.
    pub min_password_length: usize,
    /// Accounts of the demo, whose passwords are public.
    pub demo_accounts: Vec<DemoAccount>,
    /// True while throwing is frozen; present only if true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
    /// True while teachers may show the first words of new bottles; present only if true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shows_messages: bool,
    /// The mode of registration: `invite` or `closed`; present only if it is not `open`.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration: Option<RegistrationMode>,
    /// The address of the primary, where all changes are made; present only on a standby.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_url: Option<String>,
}

/// A street map, whose tiles are at `/tiles/ZOOM/X/Y` (pictures) or `/tiles/ZOOM/X/Y.mvt` (vectors).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct MapView {
    pub kind: MapKind,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// HTML
    pub attribution: String,
    /// west, south, east and north, in degrees
    pub bounds: [f64; 4],
    /// changes with the file
    pub version: String,
}

/// Pictures, or the schema of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum MapKind {
    Raster,
    Protomaps,
    Openmaptiles,
}

/// The zoom levels and the attribution of a street map of pictures.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct Mbtiles {
    pub min_zoom: u8,
    pub max_zoom: u8,
    pub attribution: String,
}

impl From<&MapView> for Mbtiles {
    fn from(map: &MapView) -> Self {
        let MapView { min_zoom, max_zoom, ref attribution, .. } = *map;
        Self { min_zoom, max_zoom, attribution: attribution.clone() }
    }
}

/// An account of the demo, whose password is public.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs)]
pub struct DemoAccount {
    pub username: &'static str,
    pub nickname: &'static str,
    pub password: &'static str,
    /// present only if true
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_teacher: bool,
    /// present only if true; `is_teacher` is then true as well
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_operator: bool,
}

/// The information with which others on the network join. The server sets it once it listens.
#[derive(Clone, Debug, Default)]
pub struct JoinInfo {
    /// The addresses, the most reliable first; empty if only this machine can reach the server.
    pub addresses: Vec<String>,
    /// The SHA-256 fingerprint of a self-signed certificate.
    pub fingerprint: Option<String>,
    /// The first address as a QR code, in SVG.
    pub qr_code: Option<String>,
}

/// A [`JoinInfo`] that is empty until it is set. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedJoinInfo(Arc<OnceLock<JoinInfo>>);

impl SharedJoinInfo {
    /// Sets the value. Only the first call has an effect.
    pub fn set(&self, info: JoinInfo) {
        let _ = self.0.set(info);
    }

    pub(super) fn get(&self) -> JoinInfo {
        self.0.get().cloned().unwrap_or_default()
    }
}

/// Return the settings of the page
#[utoipa::path(get, path = "/settings",
    responses(
        (status = 200, description = "the settings that visitors may see", body = Envelope<PageSettings>),
    )
)]
#[get("/settings")]
pub(super) fn settings(
    settings: &State<PageSettings>,
    moderation: &State<Moderation>,
    accounts: &State<Accounts>,
    live: &State<LiveSettings>,
) -> Reply<PageSettings> {
    // The page needs the settings even while the database cannot be read.
    let frozen = moderation.is_frozen().unwrap_or_else(|e| {
        tracing::warn!("cannot read whether throwing is frozen: {e}");
        false
    });
    // As above: the page works without it.
    let shows_messages = moderation.shows_messages().unwrap_or_default();
    let mode = accounts.registration().map_or_else(
        |e| {
            tracing::warn!("cannot read who may register: {e}");
            RegistrationMode::Open
        },
        |status| status.mode,
    );
    let registration = Some(mode).filter(|mode| *mode != RegistrationMode::Open);
    let public_counts = live.values().get(LiveSetting::PublicCounts) == 1;
    let settings = settings.inner().clone();
    ok(
        "获取设置成功",
        PageSettings { public_counts, frozen, shows_messages, registration, ..settings },
    )
}

#[derive(Serialize, ToSchema)]
pub(super) struct JoinView {
    addresses: Vec<String>,
    /// the SHA-256 fingerprint of a self-signed certificate
    fingerprint: Option<String>,
}

/// List the addresses with which others on the network join
#[utoipa::path(get, path = "/join",
    responses(
        (status = 200, description = "the addresses; none if only the server's own machine can reach it", body = Envelope<JoinView>),
    )
)]
#[get("/join")]
pub(super) fn join(info: &State<SharedJoinInfo>) -> Reply<JoinView> {
    let JoinInfo { addresses, fingerprint, .. } = info.get();
    ok("获取地址成功", JoinView { addresses, fingerprint })
}

/// Returns the first of those addresses as a QR code in SVG.
#[get("/join.svg")]
pub(super) fn join_qr_code(info: &State<SharedJoinInfo>) -> Option<(ContentType, String)> {
    Some((ContentType::SVG, info.get().qr_code?))
}

#[derive(Serialize, ToSchema)]
struct CellView {
    #[serde(flatten)]
    center: Coordinates,
    count: i64,
    /// the mean position of the bottles; for visitors that of the middles of the smallest cells that
    /// they see
    centroid: Coordinates,
}

impl From<&Cell> for CellView {
    fn from(cell: &Cell) -> Self {
        let (latitude, longitude) = cell.centroid();
        Self {
            center: Coordinates { latitude: cell.latitude, longitude: cell.longitude },
            count: cell.count,
            centroid: Coordinates { latitude, longitude },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct CountsView {
    total: i64,
    cell: Coordinates,
    cells: Vec<CellView>,
}

/// Count the bottles by cell, without messages or positions
///
/// Visitors may read the counts unless the operator has set `public_counts` to false. Cells are
/// smaller with a session. Without one, cells near the poles are merged by longitude, so that none
/// is narrower than about 10 km; `longitude` is the middle of the merged cell, and `cell` the size
/// of one that is not merged.
///
/// `centroid` is the mean position of the bottles of a cell, to about 10 m with a session. Without one it
/// is the mean of the middles of the smallest cells that visitors see, weighted by their counts.
#[utoipa::path(get, path = "/bottles/counts",
    params(RectangleQuery, ("zoom" = u8, Query, minimum = 0, maximum = 22)),
    responses(
        (status = 200, description = "the counts of the cells that touch the rectangle", body = Envelope<CountsView>),
        (status = 401, description = "visitors may not read the counts of this server"),
    )
)]
#[get("/bottles/counts?<zoom>&<query..>")]
pub(super) async fn counts(
    session: Option<Session<CookieOrToken>>,
    query: RectangleQuery<'_>,
    zoom: Option<&str>,
    live: &State<LiveSettings>,
    bottles: &State<Bottles>,
) -> Reply<CountsView> {
    let grid = match session {
        Some(_) => Grid::Full,
        None if live.values().get(LiveSetting::PublicCounts) == 1 => Grid::Public,
        None => return Err(Error::NotLoggedIn.into()),
    };
    let rectangle = query.rectangle()?;
    let counts = bottles.counts(&rectangle, query::parse_zoom(zoom)?, grid).await?;
    let cells: Vec<CellView> = counts.cells.iter().map(CellView::from).collect();
    ok(
        "查询漂流瓶数量成功",
        CountsView {
            total: cells.iter().map(|cell| cell.count).sum(),
            cell: Coordinates { latitude: counts.cell_size, longitude: counts.cell_size },
            cells,
        },
    )
}
