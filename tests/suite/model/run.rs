//! A server, the model of it, and what passes between them.

use std::cell::Cell;
use std::time::Duration;

use bottle::model::clock::Timestamp;
use bottle_test_support::{App, Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

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
    pub(super) reports_to_hide: u32,
    /// Bottles have ended, and the server may not have noticed yet.
    is_unsettled: bool,
    /// The number of requests by the model.
    requests: Cell<usize>,
}

/// A moment of a run, from which another server over the same file can go on.
#[derive(Clone)]
pub(super) struct Snapshot {
    world: World,
    now: i64,
    reports_to_hide: u32,
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
    pub(super) before: String,
    pub(super) after: String,
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

    /// The time that stands in the envelope's `data`, which must be so many milliseconds after that
    /// of the request: in milliseconds, and as text.
    pub(super) fn time_in(&self, field: &str, millis: i64) -> Result<(i64, String), String> {
        let value = self.body()["data"][field].take();
        let moment = |text: &Value| serde_json::from_value::<Timestamp>(text.clone()).ok();
        let (time, before, after) =
            (moment(&value), moment(&json!(self.before)), moment(&json!(self.after)));
        match (time, before, after) {
            (Some(time), Some(before), Some(after))
                if (before.millis()..=after.millis()).contains(&(time.millis() - millis)) =>
            {
                Ok((time.millis(), time.to_string()))
            }
            _ => Err(format!("no {field} in {millis} ms: {}", self.response.text)),
        }
    }

    /// The id that stands in the envelope's `data`, which must be greater than `last`.
    pub(super) fn new_id(&self, field: &str, last: i64) -> Result<i64, String> {
        let id = self.body()["data"][field].as_i64();
        id.filter(|id| *id > last).ok_or_else(|| format!("no new {field}: {}", self.response.text))
    }
}

impl Run {
    /// Starts a server over the file in `folder`, which is as `world` says.
    pub(super) fn over(folder: TempDir, world: World, reports_to_hide: u32) -> Self {
        let app = App::over(folder, |settings| settings.reports_to_hide = reports_to_hide);
        let (client, requests) = (app.anon(), Cell::default());
        Self { client, app: Some(app), world, reports_to_hide, is_unsettled: false, requests }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let (now, reports_to_hide) = (self.now(), self.reports_to_hide);
        Snapshot { world: self.world.clone(), now, reports_to_hide }
    }

    /// Goes on from a snapshot with a new server.
    pub(super) fn resume(folder: TempDir, snapshot: Snapshot) -> Self {
        let mut run = Self::over(folder, snapshot.world, snapshot.reports_to_hide);
        run.advance((snapshot.now - run.now()).max(0));
        run.is_unsettled = true;
        run.settle();
        run
    }

    /// Returns the number of requests so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.get()
    }

    pub(super) fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    pub(super) fn now(&self) -> i64 {
        self.app().clock.now().millis()
    }

    /// Goes on by so much, and as much further as it takes to stay clear of ends.
    pub(super) fn advance(&mut self, millis: i64) {
        let now = self.now();
        let then = self.world.clear_of_ends(now + millis);
        if then > now {
            self.settle();
            self.app().clock.advance(Duration::from_millis((then - now).unsigned_abs()));
            self.is_unsettled = self.world.end_due(self.now());
        }
    }

    /// Has the server end the bottles whose time has come, so that what follows comes later.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.is_unsettled) {
            const EVERYWHERE: &str = "latitude=0&longitude=0&latitude_span=90&longitude_span=180";
            self.client.get(&format!("/api/bottles/counts?{EVERYWHERE}&zoom=0"));
        }
    }

    /// The same file and the same time under a new server.
    pub(super) fn restart(&mut self) {
        self.settle();
        let (snapshot, requests) = (self.snapshot(), self.requests());
        let folder = self.app.take().unwrap().stop();
        *self = Self::resume(folder, snapshot);
        self.requests.set(requests);
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
            Who::Live(at) => {
                let mut live = sessions()
                    .filter(|(at, session)| {
                        session.by == by && matches!(self.proof(*at, session), Proof::Good(_))
                    })
                    .collect::<Vec<_>>();
                match live.len() {
                    0 => ("nonsense".to_owned(), Proof::Bad),
                    count => {
                        let (at, session) = live.swap_remove(at % count);
                        (session.carries.clone(), Proof::Good(at))
                    }
                }
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
        self.requests.set(self.requests() + 1);
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
