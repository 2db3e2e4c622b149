//! The webhook of an operator.

use rocket::{State, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::bottle::envelope::{Empty, Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::accounts::required;
use crate::domain::webhook::{Status, Target, Webhook};
use crate::http::Body;
use crate::http::webhook::Deliveries;
use crate::model::clock::Timestamp;
use crate::model::webhook::{EventSet, Form, WebhookUrl};

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct WebhookView {
    /// the address, with its credentials if it has any
    url: String,
    /// `json` or `text`
    form: &'static str,
    /// the events that it receives
    events: Vec<&'static str>,
    /// the number of messages that wait
    waiting: i64,
    /// the number of messages that were deleted after the last attempt
    given_up: i64,
    /// the number of messages that were deleted because too many waited
    dropped: i64,
    /// the time of the last delivery
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success_at: Option<Timestamp>,
    /// the time of the last attempt that failed
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure_at: Option<Timestamp>,
    /// its reason, in English
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<String>,
    /// the time at which the receiver answered 410; nothing is sent until the webhook is set again
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_at: Option<Timestamp>,
}

impl From<Status> for WebhookView {
    fn from(status: Status) -> Self {
        let (last_failure_at, last_failure) = status.last_failure.unzip();
        Self {
            url: status.target.url.reveal(),
            form: status.target.form.as_str(),
            events: status.target.events.names(),
            waiting: status.waiting,
            given_up: status.given_up,
            dropped: status.dropped,
            last_success_at: status.last_success_at,
            last_failure_at,
            last_failure,
            gone_at: status.gone_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct WebhookData {
    /// absent while it is off
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookView>,
    /// the secret that signs messages, which is shown once: when the webhook is set for the first time
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Return the webhook, and how its deliveries went
#[utoipa::path(get, path = "/admin/webhook",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the webhook, if it is on", body = Envelope<WebhookData>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/webhook")]
pub(in crate::api::bottle) fn show(
    _operator: Operator,
    webhook: &State<Webhook>,
) -> Reply<WebhookData> {
    ok("查询成功", WebhookData { webhook: webhook.status()?.map(Into::into), secret: None })
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct WebhookRequest {
    /// the address, `http:` or `https:`
    #[schema(value_type = String, max_length = 2048)]
    url: Option<String>,
    /// `json` (the default), or `text` as ntfy reads it
    form: Option<String>,
    /// the events that it receives: `account.registered`, `bottle.thrown`, `bottle.opened`,
    /// `reply.written`, `bottle.reported`, `reply.reported`, `backup.failed`, `disk.low`; all by default
    events: Option<Vec<String>>,
}

/// Set the webhook
///
/// The server sends each event to it, signed by the Standard Webhooks specification. An address that
/// is not public must be named in the settings.
#[utoipa::path(put, path = "/admin/webhook",
    request_body = WebhookRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the webhook is set; the secret is new", body = Envelope<WebhookData>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[put("/admin/webhook", data = "<body>")]
pub(in crate::api::bottle) async fn set(
    operator: Operator,
    body: Body<WebhookRequest>,
    webhook: &State<Webhook>,
) -> Reply<WebhookData> {
    let WebhookRequest { url, form, events } = body.0;
    let target = Target {
        url: WebhookUrl::parse(&required("url", url)?)?,
        form: Form::parse(form.as_deref().unwrap_or("json"))?,
        events: match &events {
            Some(names) => EventSet::parse(names.iter().map(String::as_str))?,
            None => EventSet::all(),
        },
    };
    let secret = webhook.set(Some(&operator.login), target).await?;
    let secret = secret.map(|secret| secret.reveal().to_owned());
    ok("设置成功", WebhookData { webhook: webhook.status()?.map(Into::into), secret })
}

/// Turn the webhook off, and delete the messages that wait
#[utoipa::path(delete, path = "/admin/webhook",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the webhook is off", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "the webhook was off"),
    )
)]
#[delete("/admin/webhook")]
pub(in crate::api::bottle) async fn turn_off(
    operator: Operator,
    webhook: &State<Webhook>,
) -> Reply<Empty> {
    webhook.turn_off(Some(&operator.login)).await?;
    ok("已关闭webhook", Empty {})
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct SecretView {
    /// the secret that signs messages from now on, which is shown once
    secret: String,
}

/// Replace the secret that signs messages
#[utoipa::path(post, path = "/admin/webhook/secret",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the new secret", body = Envelope<SecretView>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "the webhook is off"),
    )
)]
#[post("/admin/webhook/secret")]
pub(in crate::api::bottle) async fn replace_secret(
    operator: Operator,
    webhook: &State<Webhook>,
) -> Reply<SecretView> {
    let secret = webhook.replace_secret(Some(&operator.login)).await?;
    ok("已更换密钥", SecretView { secret: secret.reveal().to_owned() })
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct TestView {
    /// true if the receiver accepted the message
    delivered: bool,
    /// the status that the receiver answered with, if it answered
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// why the message was not delivered, in English
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Send a test message to the webhook, once
#[utoipa::path(post, path = "/admin/webhook/test",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "how that went", body = Envelope<TestView>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "the webhook is off"),
    )
)]
#[post("/admin/webhook/test")]
pub(in crate::api::bottle) async fn test(
    operator: Operator,
    webhook: &State<Webhook>,
    deliveries: &State<Deliveries>,
) -> Reply<TestView> {
    let test = webhook.begin_test(Some(&operator.login)).await?;
    let result = deliveries.test(test).await?;
    let delivered = result.failure.is_none();
    let msg = if delivered { "测试消息已送达" } else { "测试消息未送达" };
    ok(msg, TestView { delivered, status: result.status, reason: result.failure })
}
