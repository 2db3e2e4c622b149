//! An account of one writer: what it does, what it must be after that, and what a server says of it.

use std::collections::BTreeMap;

use bottle_test_support::{Client, Response};
use serde_json::{Value, json};

use crate::sea::a_bottle;

/// The state that an account must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) password: Option<String>,
    /// The cookies of its sessions, and whether they are live.
    sessions: BTreeMap<String, bool>,
    bottles: BTreeMap<i64, String>,
    /// The bottles that it has opened, with its replies there.
    opened: BTreeMap<i64, Vec<String>>,
}

/// A request of a writer.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Register,
    LogIn,
    LogOut,
    ChangePassword(String),
    Throw(String),
    Delete(i64),
    Open(i64),
    Reply(i64, String),
    DeleteAccount,
}

impl Person {
    /// Returns the cookie of the last session that is live.
    pub(super) fn cookie(&self) -> Option<&String> {
        self.sessions.iter().rfind(|(_, is_live)| **is_live).map(|(cookie, _)| cookie)
    }

    pub(super) fn bottle(&self, nth: usize) -> Option<i64> {
        self.bottles.keys().nth(nth % self.bottles.len().max(1)).copied()
    }

    pub(super) fn opened(&self) -> Option<i64> {
        self.opened.keys().last().copied()
    }

    fn client(&self, port: u16, cookie: Option<&String>) -> Client {
        let mut client = Client::new(port);
        client.headers.extend(cookie.map(|cookie| ("Cookie".to_owned(), cookie.clone())));
        client
    }

    /// Sends the request.
    pub(super) fn send(&self, port: u16, name: &str, act: &Act) -> Response {
        // A login ends the session that it is sent with.
        let cookie = self.cookie().filter(|_| !matches!(act, Act::LogIn));
        let client = self.client(port, cookie);
        let password = self.password.as_deref().unwrap_or("pass");
        let account = json!({ "username": name, "password": password });
        match act {
            Act::Register => client.post("/api/users", &account),
            Act::LogIn => client.post("/api/sessions", &account),
            Act::LogOut => client.delete("/api/sessions/self"),
            Act::ChangePassword(new) => {
                let body = json!({ "password": new, "current_password": password });
                client.put("/api/users/self", &body)
            }
            Act::Throw(content) => client.post("/api/bottles", &a_bottle(content)),
            Act::Delete(bottle) => client.delete(&format!("/api/bottles/{bottle}")),
            Act::Open(bottle) => client.post(&format!("/api/bottles/{bottle}/open"), &json!({})),
            Act::Reply(bottle, content) => client
                .post(&format!("/api/bottles/{bottle}/replies"), &json!({ "content": content })),
            Act::DeleteAccount => {
                client.json("DELETE", "/api/users/self", &json!({ "password": password }))
            }
        }
    }

    /// Changes the state as the request does that was answered with 200.
    pub(super) fn apply(&mut self, act: &Act, response: &Response) {
        let kept = self.cookie().cloned();
        match act {
            Act::Register => self.password = Some("pass".into()),
            Act::LogIn => {
                let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
                self.sessions.insert(cookie, true);
            }
            Act::LogOut => {
                self.sessions.extend(kept.map(|kept| (kept, false)));
            }
            Act::ChangePassword(new) => {
                self.password = Some(new.clone());
                for (cookie, is_live) in &mut self.sessions {
                    *is_live &= Some(cookie) == kept.as_ref();
                }
            }
            Act::Throw(content) => {
                let id = response.data()["bottle_id"].as_i64().unwrap();
                self.bottles.insert(id, content.clone());
            }
            Act::Delete(bottle) => drop(self.bottles.remove(bottle)),
            Act::Open(bottle) => drop(self.opened.entry(*bottle).or_default()),
            Act::Reply(bottle, content) => {
                self.opened.entry(*bottle).or_default().push(content.clone());
            }
            Act::DeleteAccount => {
                let sessions = self.sessions.keys().map(|cookie| (cookie.clone(), false)).collect();
                *self = Self { sessions, ..Self::default() };
            }
        }
    }

    /// Returns what a server says of the account, of which it must be true that it is this one.
    pub(super) fn observed(&self, port: u16, name: &str) -> Self {
        let is_live = |cookie: &String| {
            let status = self.client(port, Some(cookie)).get("/api/users/self").status;
            assert!(matches!(status, 200 | 401), "{status}");
            status == 200
        };
        let sessions = self.sessions.keys().map(|cookie| (cookie.clone(), is_live(cookie)));
        let mut seen = Self { sessions: sessions.collect(), ..Self::default() };
        let response = self.send(port, name, &Act::LogIn);
        if response.status != 200 {
            return seen;
        }
        seen.password = Some(self.password.clone().unwrap_or_else(|| "pass".into()));
        let cookie = response.header("set-cookie").split(';').next().unwrap().to_owned();
        let client = self.client(port, Some(&cookie));
        let list = |what: &str, items: &str| -> Vec<Value> {
            client.get(what).data()[items].as_array().unwrap().clone()
        };
        let id = |bottle: &Value| bottle["bottle_id"].as_i64().unwrap();
        let text = |item: &Value| item["content"].as_str().unwrap().to_owned();
        let created = list("/api/bottles/created", "bottles");
        seen.bottles = created.iter().map(|bottle| (id(bottle), text(bottle))).collect();
        for bottle in list("/api/bottles/opened", "bottles") {
            let replies = list(&format!("/api/bottles/{}/replies", id(&bottle)), "replies");
            seen.opened.insert(id(&bottle), replies.iter().map(text).collect());
        }
        seen
    }
}

/// A request, and what the account must be after it.
pub(super) struct Event {
    pub(super) began: u64,
    /// None for a request that the server refused for want of room.
    pub(super) answered: Option<u64>,
    pub(super) after: Person,
}

/// Returns the states that the account may have when the power goes at `position`: that after the last
/// request that was acknowledged, and those after requests that were not.
pub(super) fn possible(events: &[Event], position: u64) -> Vec<&Person> {
    let is_acknowledged = |event: &Event| event.answered.is_some_and(|at| at <= position);
    let last = events.iter().rposition(is_acknowledged).unwrap_or(0);
    let begun = events[last + 1..].iter().take_while(|event| event.began <= position);
    events[last..=last].iter().chain(begun).map(|event| &event.after).collect()
}
