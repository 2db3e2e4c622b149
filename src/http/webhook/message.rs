//! The requests that carry messages.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request};
use rocket::http::RawStr;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, from_str};

use crate::domain::webhook::{Message, Target};
use crate::model::clock::Timestamp;
use crate::model::webhook::{EventKind, Form, SigningSecret};

/// The body of a message in JSON.
#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: &'a RawValue,
}

/// Returns the request that carries the message at the time `seconds` since 1970, signed by the
/// [Standard Webhooks specification](https://github.com/standard-webhooks/standard-webhooks).
pub(super) fn request(
    target: &Target,
    secret: &SigningSecret,
    message: &Message,
    seconds: i64,
) -> Result<Request<Full<Bytes>>, String> {
    let url = &target.url;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url.path())
        .header(HOST, url.host_and_port())
        .header(USER_AGENT, concat!("Bottle/", env!("CARGO_PKG_VERSION")));
    if let Some(credentials) = url.credentials() {
        let credentials = RawStr::new(credentials).percent_decode_lossy();
        let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials.as_bytes()));
        request = request.header(AUTHORIZATION, basic);
    }
    let body = match target.form {
        Form::Json => {
            request = request.header(CONTENT_TYPE, "application/json");
            let data = from_str(&message.data).map_err(|e| e.to_string())?;
            let payload = Payload { r#type: &message.kind, timestamp: message.created_at, data };
            serde_json::to_vec(&payload).map_err(|e| e.to_string())?
        }
        Form::Text => {
            let data = from_str(&message.data).map_err(|e| e.to_string())?;
            let (title, priority, text) = text_of(&message.kind, &data);
            request = request
                .header(CONTENT_TYPE, "text/plain; charset=utf-8")
                .header("title", title)
                .header("priority", priority);
            text.into_bytes()
        }
    };
    request
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", secret.sign(&message.id, seconds, &body))
        .body(Full::new(body.into()))
        .map_err(|e| e.to_string())
}

const DEFAULT: &str = "default";
const HIGH: &str = "high";

/// Returns the title, the [priority](https://docs.ntfy.sh/publish/#message-priority) and the sentence
/// of a message. A header holds ASCII only, so names are in the sentence.
fn text_of(kind: &str, data: &Value) -> (&'static str, &'static str, String) {
    let name = data["username"].as_str().unwrap_or_default();
    let (bottle, reply, reports) = (&data["bottle_id"], &data["reply_id"], &data["reports_count"]);
    let kind = EventKind::parse(kind).unwrap_or(EventKind::Test);
    let reported = |what: String| {
        let hidden =
            if data["hidden"] == true { " It is hidden until a teacher decides." } else { "" };
        let times = if reports == 1 { "1 report".to_owned() } else { format!("{reports} reports") };
        format!("{what} has {times} to settle.{hidden}")
    };
    match kind {
        EventKind::AccountRegistered => {
            ("Account registered", DEFAULT, format!("{name} registered."))
        }
        EventKind::BottleThrown => {
            ("Bottle thrown", DEFAULT, format!("{name} threw bottle {bottle}."))
        }
        EventKind::BottleOpened => {
            ("Bottle opened", DEFAULT, format!("{name} opened bottle {bottle}."))
        }
        EventKind::ReplyWritten => {
            ("Reply written", DEFAULT, format!("{name} wrote a reply to bottle {bottle}."))
        }
        EventKind::BottleReported => {
            ("Bottle reported", HIGH, reported(format!("Bottle {bottle}")))
        }
        EventKind::ReplyReported => {
            ("Reply reported", HIGH, reported(format!("Reply {reply} to bottle {bottle}")))
        }
        EventKind::BackupFailed => {
            let reason = data["reason"].as_str().unwrap_or_default();
            ("Backup failed", HIGH, format!("The backup failed: {reason}"))
        }
        EventKind::DiskLow => {
            let mib = data["free_bytes"].as_u64().unwrap_or_default() >> 20;
            ("Disk nearly full", HIGH, format!("The disk has {mib} MiB left."))
        }
        EventKind::Test => ("Bottle", DEFAULT, "The webhook works.".to_owned()),
    }
}
