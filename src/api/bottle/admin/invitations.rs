//! Invitations, made by operators and, for the role of a user, by teachers.

use rocket::{State, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Empty, Envelope, ErrorResponse, Reply, ok};
use crate::api::bottle::guard::{PrivateCookie, Teacher, invitation_id};
use crate::api::bottle::items::{Items, JsonText};
use crate::api::bottle::join_address::JoinAddress;
use crate::api::bottle::query::{PageQuery, parse_page};
use crate::domain::accounts::{Accounts, Invitation};
use crate::http::{Body, ClientConnection, qr_code};
use crate::model::clock::Timestamp;
use crate::model::invitation::Terms;

/// An invitation, without its code.
#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct InvitationView {
    invitation_id: i64,
    /// the role of the accounts that it lets in: `user` or `teacher`
    role: &'static str,
    /// the number of accounts that it lets in
    uses: u32,
    /// the number of accounts that it has let in
    used: u32,
    /// the username of its maker; none if it was made on the command line
    created_by: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            invitation_id: invitation.id,
            role: invitation.role.as_str(),
            uses: invitation.uses,
            used: invitation.used,
            created_by: invitation.creator,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// A new invitation with its code.
#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct NewInvitationView {
    #[serde(flatten)]
    view: InvitationView,
    /// the code, which is shown once; `/#invite/CODE` is the link to the page
    invitation: String,
    /// that link with the address of the server
    link: String,
    /// the link as a QR code in SVG; not present if the address is too long for one
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_code: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct InvitationRequest {
    /// `user` (the default) or, from an operator, `teacher`
    role: Option<String>,
    /// the number of accounts that it lets in; 1 by default
    #[schema(minimum = 1, maximum = 10000)]
    uses: Option<i64>,
    /// the hours that it lives; 24 by default
    #[schema(minimum = 1, maximum = 8784)]
    hours: Option<i64>,
}

/// Make an invitation
#[utoipa::path(post, path = "/admin/invitations",
    request_body = InvitationRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the invitation and its code", body = Envelope<NewInvitationView>),
        (status = 403, description = "the account is not a teacher's, or the role is above its own"),
    )
)]
#[post("/admin/invitations", data = "<body>")]
pub(in crate::api::bottle) async fn invite(
    teacher: Teacher<PrivateCookie>,
    body: Body<InvitationRequest>,
    address: JoinAddress,
    accounts: &State<Accounts>,
) -> Reply<NewInvitationView> {
    let terms = Terms::parse(body.0.role.as_deref(), body.0.uses, body.0.hours)?;
    let (invitation, code) = accounts.invite((&teacher.login).into(), terms).await?;
    let code = code.secret();
    let link = address.link(&format!("invite/{code}"));
    let qr_code = qr_code(&link);
    let view = invitation.into();
    ok("已创建邀请", NewInvitationView { view, invitation: code, link, qr_code })
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "the response is written item by item")]
pub(in crate::api::bottle) struct InvitationsView {
    invitations: Vec<InvitationView>,
    next: Option<i64>,
}

/// List the invitations, latest first: all for an operator, those for users for a teacher
#[utoipa::path(get, path = "/admin/invitations",
    params(PageQuery),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "a page of the list", body = Envelope<InvitationsView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/admin/invitations?<limit>&<after>")]
pub(in crate::api::bottle) async fn invitations(
    teacher: Teacher<PrivateCookie>,
    limit: Option<&str>,
    after: Option<&str>,
    connection: ClientConnection,
    accounts: &State<Accounts>,
) -> Result<JsonText, ErrorResponse> {
    let (page, mut items) = (parse_page(limit, after)?, Items::default());
    let write_item = |one: Invitation| items.push(one.id, &InvitationView::from(one));
    let listed = accounts.invitations(&teacher.login.account, page, write_item);
    let has_more = connection.while_open(listed).await?;
    Ok(items.response("查询成功", &Empty {}, "invitations", has_more)?)
}

/// Revoke an invitation; the accounts that it has let in stay
#[utoipa::path(delete, path = "/admin/invitations/{invitation_id}",
    params(("invitation_id" = i64, Path)),
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the invitation is revoked", body = Envelope<Empty>),
        (status = 403, description = "the account is not a teacher's"),
        (status = 404, description = "no such invitation, or a teacher's account asks for one that is for teachers"),
    )
)]
#[delete("/admin/invitations/<id>")]
pub(in crate::api::bottle) async fn revoke(
    teacher: Teacher<PrivateCookie>,
    id: &str,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    accounts.revoke((&teacher.login).into(), invitation_id(id)?).await?;
    ok("已撤销邀请", Empty {})
}
