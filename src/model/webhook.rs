//! The webhook: its address, its events and the secret that signs its messages.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use hyper::Uri;
use sha2::Sha256;

use super::error::{Error, Problem, Result};

/// The kinds of events that a webhook may receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EventKind {
    AccountRegistered,
    BottleThrown,
    BottleOpened,
    ReplyWritten,
    BottleReported,
    ReplyReported,
    BackupFailed,
    DiskLow,
    /// A message that an operator sends to try the receiver. It is not chosen.
    Test,
}

impl EventKind {
    /// The kinds that an operator chooses from.
    pub const CHOICE: [Self; 8] = [
        Self::AccountRegistered,
        Self::BottleThrown,
        Self::BottleOpened,
        Self::ReplyWritten,
        Self::BottleReported,
        Self::ReplyReported,
        Self::BackupFailed,
        Self::DiskLow,
    ];

    /// Returns the kind with this name, if an operator may choose it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::CHOICE.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Returns the name, which is the `type` of a message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountRegistered => "account.registered",
            Self::BottleThrown => "bottle.thrown",
            Self::BottleOpened => "bottle.opened",
            Self::ReplyWritten => "reply.written",
            Self::BottleReported => "bottle.reported",
            Self::ReplyReported => "reply.reported",
            Self::BackupFailed => "backup.failed",
            Self::DiskLow => "disk.low",
            Self::Test => "webhook.test",
        }
    }
}

/// The events that a webhook receives.
///
/// ```
/// use bottle::model::webhook::{EventKind, EventSet};
///
/// let chosen = EventSet::parse(["disk.low", "bottle.thrown", "disk.low"])?;
/// assert_eq!(chosen.names(), ["bottle.thrown", "disk.low"]);
/// assert!(!EventSet::is_in(&chosen.to_column(), EventKind::BottleOpened));
/// assert!(EventSet::parse(["bottle.lost"]).is_err());
/// assert!(EventSet::parse([]).is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSet(Vec<EventKind>);

impl EventSet {
    /// Returns the set of all events.
    pub fn all() -> Self {
        Self(EventKind::CHOICE.to_vec())
    }

    /// Parses the names of one event or more.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        const NAMES: &str = "account.registered, bottle.thrown, bottle.opened, reply.written, \
            bottle.reported, reply.reported, backup.failed, disk.low";
        let unknown = || Error::field("events", Problem::NotOneOf(NAMES));
        let kinds = names.into_iter().map(|name| EventKind::parse(name).ok_or_else(unknown));
        let kinds = kinds.collect::<Result<Vec<_>>>()?;
        if kinds.is_empty() {
            return Err(Error::field("events", Problem::Missing));
        }
        Ok(Self(EventKind::CHOICE.into_iter().filter(|kind| kinds.contains(kind)).collect()))
    }

    /// Returns the names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|kind| kind.as_str()).collect()
    }

    /// Returns the names with a space between two, as the store keeps them.
    pub fn to_column(&self) -> String {
        self.names().join(" ")
    }

    /// Reads what [`EventSet::to_column`] returned. Skips names that this program does not know.
    pub fn from_column(column: &str) -> Self {
        Self(column.split(' ').filter_map(EventKind::parse).collect())
    }

    /// Returns true if a column of [`EventSet::to_column`] has the kind.
    pub fn is_in(column: &str, kind: EventKind) -> bool {
        column.split(' ').any(|name| name == kind.as_str())
    }
}

/// The form of the messages.
///
/// ```
/// use bottle::model::webhook::Form;
///
/// assert_eq!(Form::parse("text")?, Form::Text);
/// assert!(Form::parse("xml").is_err());
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON, for programs.
    Json,
    /// A sentence, with a title and a priority in headers as ntfy reads them.
    Text,
}

impl Form {
    /// Parses the word for a form.
    pub fn parse(text: &str) -> Result<Self> {
        let found = [Self::Json, Self::Text].into_iter().find(|form| form.as_str() == text);
        found.ok_or_else(|| Error::field("form", Problem::NotOneOf("json, text")))
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// The maximum length of the address, in bytes.
const MAX_URL: usize = 2048;

/// The address of a webhook: an absolute URI (RFC 3986) of `http` or `https`, perhaps with a username
/// and a password. `Debug` shows its host only, because the rest may be secret.
///
/// ```
/// use bottle::model::webhook::WebhookUrl;
///
/// let url = WebhookUrl::parse("https://:tk_secret@ntfy.example.org/alerts")?;
/// assert_eq!(url.host(), "ntfy.example.org");
/// assert_eq!(format!("{url:?}"), "WebhookUrl(ntfy.example.org)");
/// for wrong in ["", "ntfy.sh/alerts", "ftp://ntfy.sh", "http://", "https://a b", "https://ntfy.sh/#x"] {
///     assert!(WebhookUrl::parse(wrong).is_err(), "{wrong}");
/// }
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct WebhookUrl(Uri);

impl WebhookUrl {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_URL {
            return Err(Error::field("url", Problem::TooLong(MAX_URL)));
        }
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
            // The parser drops a fragment, which no server receives.
            is_web && uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('#')
        });
        let wrong = || Error::field("url", Problem::NotOneOf("http:, https:"));
        uri.map(Self).ok_or_else(wrong)
    }

    /// Returns the host: a name or an address, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Returns true for `https`.
    pub fn is_https(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Returns the host and, if it is written, the port, for the header `Host`.
    pub fn host_and_port(&self) -> &str {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        authority.rsplit_once('@').map_or(authority, |(_, host)| host)
    }

    /// Returns the username and password, `name:password`.
    pub fn credentials(&self) -> Option<&str> {
        self.0.authority()?.as_str().rsplit_once('@').map(|(credentials, _)| credentials)
    }

    /// Returns the path with the query.
    pub fn path(&self) -> &str {
        self.0.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Returns the whole address, for operators.
    pub fn reveal(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.host())
    }
}

const SECRET_PREFIX: &str = "whsec_";

/// The secret that signs messages, by the
/// [Standard Webhooks specification](https://github.com/standard-webhooks/standard-webhooks).
///
/// ```
/// use bottle::model::webhook::SigningSecret;
///
/// // The example of the specification.
/// let secret = SigningSecret::stored("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// let signature =
///     secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
/// assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
/// ```
#[derive(Clone)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// Creates a secret of 256 random bits.
    pub fn random() -> Self {
        Self(format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>())))
    }

    /// Wraps a secret that was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text for the receiver.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the signature of a message that is sent at the time `seconds` since 1970.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let key = self.0.strip_prefix(SECRET_PREFIX).unwrap_or_default();
        let key = BASE64_STANDARD.decode(key).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
            // HMAC takes keys of any length.
            return String::new();
        };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}
