//! A server, the model of it, and what passes between them.

use std::time::Duration;

use bottle_test_support::{App, Client, Response};
use serde_json::Value;

use super::words::Who;
use super::world::{By, Session, World};

/// `Err` says how the server differs from the model.
pub(super) type Outcome = Result<(), String>;

/// The status and the whole body that the model expects.
pub(super) type Expected = (u16, Value);

pub(super) struct Run {
    /// Absent only while the server restarts.
    pub(super) app: Option<App>,
    client: Client,
    pub(super) world: World,
}

/// The model's view of a request's credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Absent,
    Bad,
    /// It was good until its time was over.
    Expired,
    /// The session at this place of [`World::sessions`].
    Good(usize),
}

/// A credential: a header, and the session that it proves.
pub(super) struct Carried {
    header: Option<(&'static str, String)>,
    pub(super) proof: Proof,
}

/// An answer, and between which moments it was made.
pub(super) struct Reply {
    pub(super) response: Response,
    before: String,
    after: String,
}

impl Reply {
    /// Fails unless the answer is what the model expects, to the letter.
    pub(super) fn is(&self, (status, body): Expected) -> Outcome {
        let (got, text) = (self.response.status, &self.response.text);
        let same = got == status && serde_json::from_str(text).ok().as_ref() == Some(&body);
        if same { Ok(()) } else { Err(format!("expected {status} {body}\n     got {got} {text}")) }
    }

    /// The body; null if it is no JSON.
    pub(super) fn body(&self) -> Value {
        serde_json::from_str(&self.response.text).unwrap_or_default()
    }

    /// The time that stands in the envelope's `data`, which must be that of the request.
    pub(super) fn time(&self, field: &str) -> Result<String, String> {
        let body = self.body();
        match body["data"][field].as_str() {
            Some(time) if *self.before <= *time && *time <= *self.after => Ok(time.to_owned()),
            _ => Err(format!("no {field} of this moment: {}", self.response.text)),
        }
    }

    /// The id that stands in the envelope's `data`, which must be greater than `last`.
    pub(super) fn new_id(&self, field: &str, last: i64) -> Result<i64, String> {
        let id = self.body()["data"][field].as_i64();
        id.filter(|id| *id > last).ok_or_else(|| format!("no new {field}: {}", self.response.text))
    }
}

impl Run {
    pub(super) fn new() -> Self {
        let app = App::new();
        Self { client: app.anon(), app: Some(app), world: World::default() }
    }

    pub(super) fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    pub(super) fn now(&self) -> i64 {
        self.app().clock.now().millis()
    }

    pub(super) fn advance(&self, millis: i64) {
        self.app().clock.advance(Duration::from_millis(millis.unsigned_abs()));
    }

    /// The same file and the same time under a new server.
    pub(super) fn restart(&mut self) {
        let now = self.now();
        let folder = self.app.take().unwrap().stop();
        let app = App::over(folder, |_| {});
        self.client = app.anon();
        self.app = Some(app);
        self.advance((now - self.now()).max(0));
    }

    /// Goes on to where no session is about to end, so that the model need not know the millisecond.
    pub(super) fn stay_clear_of_ends(&self) {
        const CLEAR: i64 = 3000;
        let close = |now: i64| {
            let mut ends = self.world.sessions.iter().map(|session| session.ends);
            ends.find(|(first, last)| first - CLEAR <= now && now <= last + CLEAR)
        };
        while let Some((_, last)) = close(self.now()) {
            self.advance(last + CLEAR + 1 - self.now());
        }
    }

    pub(super) fn carry(&self, by: By, who: Who) -> Carried {
        let sessions = || self.world.sessions.iter().enumerate().rev();
        let (text, proof) = match who {
            Who::Nobody => return Carried { header: None, proof: Proof::Absent },
            Who::Nonsense => ("nonsense".to_owned(), Proof::Bad),
            Who::OfAnother => {
                let other = sessions().find(|(_, session)| session.by != by);
                (other.map_or("other".into(), |(_, session)| session.carries.clone()), Proof::Bad)
            }
            Who::Recent(back) => {
                match sessions().filter(|(_, session)| session.by == by).nth(back) {
                    Some((at, session)) => (session.carries.clone(), self.proof(at, session)),
                    None => ("nonsense".to_owned(), Proof::Bad),
                }
            }
        };
        let header = match by {
            By::Bottle => ("Cookie", format!("bottle_session={text}")),
            By::Ledger if text.len() % 2 == 0 => ("Cookie", format!("token={text}")),
            By::Ledger => ("Cookie", text),
            By::Music => ("Authorization", format!("Bearer {text}")),
            By::Bookstore => ("token", text),
        };
        Carried { header: Some(header), proof }
    }

    fn proof(&self, at: usize, session: &Session) -> Proof {
        match session {
            _ if session.ends.1 < self.now() => Proof::Expired,
            _ if session.over => Proof::Bad,
            _ => Proof::Good(at),
        }
    }

    pub(super) fn send(&self, method: &str, path: &str, as_: &Carried, body: &Value) -> Reply {
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(as_.header.as_ref().map(|(name, value)| (*name, value.as_str())));
        let body = (!body.is_null()).then(|| body.to_string());
        headers.extend(body.is_some().then_some(("Content-Type", "application/json")));
        let now = || self.app().clock.now().to_string();
        let before = now();
        let response =
            self.client.send(method, path, &headers, body.as_ref().map(|b| b.as_bytes()));
        Reply { response, before, after: now() }
    }

    /// Notes a session that lives `seconds` from about now.
    pub(super) fn begin(
        &mut self,
        (by, account): (By, i64),
        carries: &str,
        terminal: Option<&'static str>,
        seconds: i64,
    ) {
        let ends = self.now() + seconds * 1000;
        // The request may have been under way for a while.
        let ends = (ends - 2000, ends);
        let carries = carries.to_owned();
        self.world.begin(Session { by, account, carries, terminal, ends, over: false });
    }

    /// Returns the account of the session at this index.
    pub(super) fn owner(&self, session: usize) -> i64 {
        self.world.sessions[session].account
    }
}
