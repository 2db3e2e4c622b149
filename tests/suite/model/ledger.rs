//! The Ledger contract, cards, members and divisions included.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::run::{Expected, Outcome, Proof, Reply, Run};
use super::words::{self, Flaw, Password, Who, Word};
use super::world::{Account, By, KINDS, normal};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Register {
        name: Word,
        password: Word,
    },
    LogIn {
        name: Word,
        password: Password,
    },
    NewPassword {
        who: Who,
        name: Option<Word>,
        password: Word,
    },
    Delete {
        who: Who,
    },
    Add {
        who: Who,
        kind: usize,
        name: Word,
    },
    List {
        who: Who,
        kind: usize,
    },
    /// Removes the holding that is so far from the first of all, whosever it is.
    Remove {
        who: Who,
        kind: usize,
        at: usize,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::{name, new_password, password, who};
    let kind = || 0..KINDS.len();
    let holding = select(vec!["rent", "食物", "", "a\tb"]);
    prop_oneof![
        2 => (name(), new_password())
            .prop_map(|(name, password)| Step::Register { name, password }),
        6 => (name(), password()).prop_map(|(name, password)| Step::LogIn { name, password }),
        2 => (who(), option::of(name()), new_password())
            .prop_map(|(who, name, password)| Step::NewPassword { who, name, password }),
        1 => who().prop_map(|who| Step::Delete { who }),
        3 => (who(), kind(), holding).prop_map(|(who, kind, name)| Step::Add { who, kind, name }),
        2 => (who(), kind()).prop_map(|(who, kind)| Step::List { who, kind }),
        5 => (who(), kind(), 0..12_usize)
            .prop_map(|(who, kind, at)| Step::Remove { who, kind, at }),
    ]
}

fn say(code: u16, message: impl Into<String>) -> Expected {
    (code, json!({ "code": code, "message": message.into() }))
}

fn blank(field: &str, text: &str) -> Option<Expected> {
    text.trim().is_empty().then(|| say(400, format!("{field} cannot be blank")))
}

fn wrong(field: &str, flaw: Option<Flaw>) -> Option<Expected> {
    flaw.map(|flaw| say(422, flaw.english(field)))
}

impl Run {
    pub(super) fn ledger(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Register { name, password } => self.ledger_register(name, password),
            Step::LogIn { name, password } => self.ledger_log_in(name, *password),
            Step::NewPassword { who, name, password } => {
                self.ledger_password(*who, *name, password)
            }
            Step::Delete { who } => self.ledger_delete(*who),
            Step::Add { who, kind, name } => self.add_holding(*who, *kind, name),
            Step::List { who, kind } => self.list_holdings(*who, *kind),
            Step::Remove { who, kind, at } => self.remove_holding(*who, *kind, *at),
        }
    }

    /// As [`Run::as_known`], with a JWT.
    fn as_holder(
        &mut self,
        who: Who,
        (method, path, body): (&str, &str, Value),
    ) -> Result<Option<(usize, Reply)>, String> {
        let carried = self.carry(By::Ledger, who);
        let reply = self.send(method, path, &carried, &body);
        let message = match carried.proof {
            Proof::Good(session) => return Ok(Some((session, reply))),
            Proof::Absent => "no token found",
            Proof::Bad => "invalid token",
            Proof::Expired => "expired token",
        };
        reply.is(say(400, message)).map(|()| None)
    }

    fn ledger_register(&mut self, name: Word, password: Word) -> Outcome {
        let body = json!({ "name": name, "password": password });
        let nobody = self.carry(By::Ledger, Who::Nobody);
        let reply = self.send("POST", "/user/register", &nobody, &body);
        let too_long =
            (name.chars().count() > 20).then(|| say(400, "name length cannot exceed 20"));
        let refused = blank("name", name)
            .or(too_long)
            .or_else(|| blank("password", password))
            .or_else(|| wrong("name", Flaw::of_name(name)))
            .or_else(|| wrong("password", Flaw::of_password(password)))
            .or_else(|| self.world.named(name).map(|_| say(409, "username already taken")));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        reply.is(say(201, "created"))?;
        self.meet(Account::new(name, password))
    }

    pub(super) fn ledger_log_in(&mut self, name: Word, password: Password) -> Outcome {
        let found = self.world.named(name);
        let right = found.map(|id| self.world.accounts[&id].password);
        let password = password.text(right);
        let body = json!({ "name": name, "password": password });
        let nobody = self.carry(By::Ledger, Who::Nobody);
        let reply = self.send("POST", "/user/login", &nobody, &body);
        if let Some(refused) = blank("name", name).or_else(|| blank("password", password)) {
            return reply.is(refused);
        }
        let Some(id) = found else { return reply.is(say(404, "user not exist")) };
        if right != Some(password) {
            return reply.is(say(403, "wrong password"));
        }
        reply.is(say(200, "success"))?;
        let jwt = reply.response.header("set-cookie").split(';').next().unwrap_or_default();
        self.begin((By::Ledger, id), jwt, None, 7 * 24 * 3600);
        Ok(())
    }

    fn ledger_password(&mut self, who: Who, name: Option<Word>, password: Word) -> Outcome {
        let body = json!({ "name": name, "password": password });
        let Some((session, reply)) = self.as_holder(who, ("PUT", "/user", body))? else {
            return Ok(());
        };
        let id = self.owner(session);
        if name.is_some_and(|name| normal(name) != self.world.accounts[&id].username) {
            return reply.is(say(403, "cannot modify username"));
        }
        let refused =
            blank("password", password).or_else(|| wrong("password", Flaw::of_password(password)));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        self.world.set_password(id, password, Some(session));
        reply.is(say(200, "success"))
    }

    fn ledger_delete(&mut self, who: Who) -> Outcome {
        let Some((session, reply)) = self.as_holder(who, ("DELETE", "/user", Value::Null))? else {
            return Ok(());
        };
        let id = self.owner(session);
        if let Some(kind) = self.world.holds(id) {
            let reason = format!("cannot delete user cause there is at least a {kind} under it");
            return reply.is(say(403, reason));
        }
        self.world.delete(id);
        reply.is(say(200, "success"))
    }

    fn add_holding(&mut self, who: Who, kind: usize, name: Word) -> Outcome {
        let path = format!("/{}", KINDS[kind]);
        let request = ("POST", path.as_str(), json!({ "name": name }));
        let Some((session, reply)) = self.as_holder(who, request)? else { return Ok(()) };
        let control = name.contains('\t').then_some(Flaw::Control);
        if let Some(refused) = blank("name", name).or_else(|| wrong("name", control)) {
            return reply.is(refused);
        }
        reply.is(say(201, "created"))?;
        // The answer does not tell the new id; the list does.
        let request = ("GET", path.as_str(), Value::Null);
        let Some((_, list)) = self.as_holder(who, request)? else { return Ok(()) };
        let newest = list.body()["data"].as_array().and_then(|data| data.last()?["id"].as_i64());
        let last = &mut self.world.last_holding[kind];
        let id = newest.filter(|id| id > last).ok_or_else(|| list.response.text.clone())?;
        *last = id;
        let owner = self.owner(session);
        self.world.holdings[kind].insert(id, (owner, name));
        list.is(self.holdings(owner, kind))
    }

    /// The answer that lists what `owner` has.
    fn holdings(&self, owner: i64, kind: usize) -> Expected {
        let own = self.world.holdings[kind].iter().filter(|(_, (whose, _))| *whose == owner);
        let data: Vec<Value> =
            own.map(|(id, (_, name))| json!({ "id": id, "name": name })).collect();
        (200, json!({ "code": 200, "message": "success", "data": data }))
    }

    pub(super) fn list_holdings(&mut self, who: Who, kind: usize) -> Outcome {
        let path = format!("/{}", KINDS[kind]);
        let request = ("GET", path.as_str(), Value::Null);
        let Some((session, reply)) = self.as_holder(who, request)? else { return Ok(()) };
        reply.is(self.holdings(self.owner(session), kind))
    }

    fn remove_holding(&mut self, who: Who, kind: usize, at: usize) -> Outcome {
        let id = self.world.holdings[kind].keys().nth(at).copied().unwrap_or(0);
        let path = format!("/{}/{id}", KINDS[kind]);
        let request = ("DELETE", path.as_str(), Value::Null);
        let Some((session, reply)) = self.as_holder(who, request)? else { return Ok(()) };
        let holding = self.world.holdings[kind].get(&id);
        if holding.is_none_or(|(owner, _)| *owner != self.owner(session)) {
            return reply.is(say(404, format!("{} not exist", KINDS[kind])));
        }
        self.world.holdings[kind].remove(&id);
        reply.is(say(200, "success"))
    }
}
