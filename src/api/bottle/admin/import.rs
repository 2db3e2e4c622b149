//! The import of another program's points.

use rocket::{State, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::accounts::required;
use crate::domain::bottles::Bottles;
use crate::domain::transfer::ImportResult;
use crate::http::Body;
use crate::model::error::{Error, Problem};

/// The maximum number of reasons in a response.
const MAX_REASONS: usize = 20;

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct FeatureCollection {
    /// `FeatureCollection`
    #[schema(value_type = String)]
    r#type: Option<String>,
    /// GeoJSON points; the text is in the property `content`, `name`, `title` or `description`
    #[schema(value_type = Vec<Object>)]
    features: Option<Vec<Value>>,
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct PointsView {
    /// the number of points that were added, or would be
    added: u64,
    /// the number of points that the account has thrown before
    existing: u64,
    /// the number of points that are left out
    rejected_count: u64,
    /// the reasons, in English, in the order of the first point that each concerns; at most 20
    rejected: Vec<RejectedPointsView>,
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct RejectedPointsView {
    /// the number of the first point in the file, from 1
    first: u64,
    /// the number of points
    count: u64,
    reason: String,
}

impl From<ImportResult> for PointsView {
    fn from(result: ImportResult) -> Self {
        let rejected_count = result.rejected.iter().map(|rejected| rejected.count).sum();
        let rejected =
            result.rejected.into_iter().take(MAX_REASONS).map(|rejected| RejectedPointsView {
                first: rejected.first,
                count: rejected.count,
                reason: rejected.reason,
            });
        let (added, existing) = (result.added, result.existing);
        Self { added, existing, rejected_count, rejected: rejected.collect() }
    }
}

/// Import GeoJSON points of another program as bottles of one account
#[utoipa::path(post, path = "/admin/import",
    params(
        ("owner" = Option<String>, Query, description = "the username of the account; by default the operator's own"),
        ("dry_run" = Option<String>, Query, description = "`true` to return what would be imported, and change nothing"),
    ),
    request_body = FeatureCollection,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "how many points were added, and why others were not", body = Envelope<PointsView>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "no account has this username"),
    )
)]
#[post("/admin/import?<owner>&<dry_run>", data = "<body>")]
pub(in crate::api::bottle) async fn import(
    operator: Operator,
    owner: Option<&str>,
    dry_run: Option<&str>,
    body: Body<FeatureCollection>,
    bottles: &State<Bottles>,
) -> Reply<PointsView> {
    let is_trial = match dry_run.unwrap_or("false") {
        "true" => true,
        "false" => false,
        _ => return Err(Error::field("dry_run", Problem::NotOneOf("true, false")).into()),
    };
    if required("type", body.0.r#type)? != "FeatureCollection" {
        return Err(Error::field("type", Problem::NotOneOf("FeatureCollection")).into());
    }
    let features = required("features", body.0.features)?;
    let imported =
        bottles.import(&operator.login, features, owner.map(str::to_owned), is_trial).await?;
    ok(if is_trial { "检查完成" } else { "导入成功" }, imported.into())
}
