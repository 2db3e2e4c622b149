//! The JSON forms of reported or hidden bottles and replies.

use serde::Serialize;
use utoipa::ToSchema;

use super::replies::ReplyView;
use super::view::{CreatedView, Person};
use crate::domain::moderation::{Report, ReportedBottle, ReportedReply};
use crate::model::clock::Timestamp;

#[derive(Serialize, ToSchema)]
struct ReportView {
    reporter: Person,
    reason: String,
    reported_at: Timestamp,
    /// present only if a teacher has decided since
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ReportedBottleView {
    #[serde(flatten)]
    bottle: CreatedView,
    owner: Person,
    /// the time until which the owner is muted
    muted_until: Option<Timestamp>,
    reports: Vec<ReportView>,
    /// present only if there are some: the reported or hidden replies in the bottle's threads
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replies: Vec<ReportedReplyView>,
}

/// A reported or hidden reply.
#[derive(Serialize, ToSchema)]
struct ReportedReplyView {
    #[serde(flatten)]
    reply: ReplyView,
    /// the opener in whose thread it is
    opener_id: i64,
    reports: Vec<ReportView>,
}

impl From<ReportedReply> for ReportedReplyView {
    fn from(ReportedReply { reply, reports }: ReportedReply) -> Self {
        let opener_id = reply.thread.opener;
        let reports = reports.into_iter().map(ReportView::from).collect();
        Self { reply: reply.into(), opener_id, reports }
    }
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let Report { reporter, reason, reported_at, settled_at } = report;
        Self { reporter: reporter.into(), reason, reported_at, settled_at }
    }
}

impl From<ReportedBottle> for ReportedBottleView {
    fn from(case: ReportedBottle) -> Self {
        Self {
            reports: case.reports.into_iter().map(ReportView::from).collect(),
            replies: case.replies.into_iter().map(ReportedReplyView::from).collect(),
            bottle: case.bottle.into(),
            owner: case.owner.into(),
            muted_until: case.muted_until,
        }
    }
}
