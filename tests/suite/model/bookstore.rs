//! The Bookstore contract.

use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::run::{Expected, Outcome, Proof, Run};
use super::words::{self, Flaw, Password, Who, Word};
use super::world::{Account, By};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Register {
        name: Word,
        password: Word,
    },
    Unregister {
        name: Word,
        password: Password,
    },
    LogIn {
        name: Word,
        password: Password,
        terminal: Word,
    },
    NewPassword {
        name: Word,
        old: Password,
        new: Word,
    },
    /// Without a name, one's own.
    LogOut {
        who: Who,
        name: Option<Word>,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::{name, new_password, password, terminal, who};
    prop_oneof![
        2 => (name(), new_password())
            .prop_map(|(name, password)| Step::Register { name, password }),
        1 => (name(), password())
            .prop_map(|(name, password)| Step::Unregister { name, password }),
        6 => (name(), password(), terminal())
            .prop_map(|(name, password, terminal)| Step::LogIn { name, password, terminal }),
        2 => (name(), password(), new_password())
            .prop_map(|(name, old, new)| Step::NewPassword { name, old, new }),
        4 => (who(), option::of(name())).prop_map(|(who, name)| Step::LogOut { who, name }),
    ]
}

fn ok() -> Expected {
    (200, json!({ "message": "ok" }))
}

fn no(status: u16, message: impl Into<String>) -> Expected {
    (status, json!({ "message": message.into(), "token": "" }))
}

fn missing<const N: usize>(fields: [(&str, Word); N]) -> Option<Expected> {
    let empty = fields.into_iter().find(|(_, text)| text.is_empty());
    empty.map(|(field, _)| no(518, format!("The field {field} is missing.")))
}

fn wrong(field: &str, flaw: Option<Flaw>) -> Option<Expected> {
    flaw.map(|flaw| no(422, format!("The field {}.", flaw.english(field))))
}

fn unknown() -> Expected {
    no(401, "The user_id or the password is wrong.")
}

impl Run {
    pub(super) fn bookstore(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Register { name, password } => self.bookstore_register(name, password),
            Step::Unregister { name, password } => self.unregister(name, *password),
            Step::LogIn { name, password, terminal } => {
                self.bookstore_log_in(name, *password, terminal)
            }
            Step::NewPassword { name, old, new } => self.bookstore_password(name, *old, new),
            Step::LogOut { who, name } => self.bookstore_log_out(*who, *name),
        }
    }

    fn bookstore_register(&mut self, name: Word, password: Word) -> Outcome {
        let body = json!({ "user_id": name, "password": password });
        let nobody = self.carry(By::Bookstore, Who::Nobody);
        let reply = self.send("POST", "/auth/register", &nobody, &body);
        let refused = missing([("user_id", name), ("password", password)])
            .or_else(|| wrong("user_id", Flaw::of_name(name)))
            .or_else(|| wrong("password", Flaw::of_password(password)))
            .or_else(|| self.world.named(name).map(|_| no(508, "This user_id is taken.")));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        reply.is(ok())?;
        self.meet(Account::new(name, password))
    }

    /// The account called `name`, its password, and what is sent as that.
    fn claimed(&self, name: Word, password: Password) -> (Option<i64>, Word) {
        let found = self.world.named(name);
        let right = found.map(|id| self.world.accounts[&id].password);
        let sent = password.text(right);
        (found.filter(|_| right == Some(sent)), sent)
    }

    fn unregister(&mut self, name: Word, password: Password) -> Outcome {
        let (proved, password) = self.claimed(name, password);
        let body = json!({ "user_id": name, "password": password });
        let nobody = self.carry(By::Bookstore, Who::Nobody);
        let reply = self.send("POST", "/auth/unregister", &nobody, &body);
        if let Some(refused) = missing([("user_id", name), ("password", password)]) {
            return reply.is(refused);
        }
        let Some(id) = proved else { return reply.is(unknown()) };
        self.world.delete(id);
        reply.is(ok())
    }

    fn bookstore_log_in(&mut self, name: Word, password: Password, terminal: Word) -> Outcome {
        let (proved, password) = self.claimed(name, password);
        let body = json!({ "user_id": name, "password": password, "terminal": terminal });
        let nobody = self.carry(By::Bookstore, Who::Nobody);
        let reply = self.send("POST", "/auth/login", &nobody, &body);
        let fields = [("user_id", name), ("password", password), ("terminal", terminal)];
        if let Some(refused) = missing(fields) {
            return reply.is(refused);
        }
        let Some(id) = proved else { return reply.is(unknown()) };
        let body = reply.body();
        let token = body["token"].as_str().ok_or("no token")?;
        reply.is((200, json!({ "message": "ok", "token": token })))?;
        self.begin((By::Bookstore, id), token, Some(terminal), 3600);
        Ok(())
    }

    fn bookstore_password(&mut self, name: Word, old: Password, new: Word) -> Outcome {
        let (proved, old) = self.claimed(name, old);
        let body = json!({ "user_id": name, "oldPassword": old, "newPassword": new });
        let nobody = self.carry(By::Bookstore, Who::Nobody);
        let reply = self.send("POST", "/auth/password", &nobody, &body);
        let refused = missing([("user_id", name), ("oldPassword", old), ("newPassword", new)])
            .or_else(|| wrong("newPassword", Flaw::of_password(new)));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        let Some(id) = proved else { return reply.is(unknown()) };
        self.world.set_password(id, new, None);
        reply.is(ok())
    }

    fn bookstore_log_out(&mut self, who: Who, name: Option<Word>) -> Outcome {
        let carried = self.carry(By::Bookstore, who);
        let own = match carried.proof {
            Proof::Good(session) => self.world.accounts[&self.owner(session)].username,
            _ => "ada",
        };
        let name = name.unwrap_or(own);
        let body = json!({ "user_id": name });
        let reply = self.send("POST", "/auth/logout", &carried, &body);
        let wrong_token = no(401, "The token is wrong.");
        let Proof::Good(session) = carried.proof else { return reply.is(wrong_token) };
        if let Some(refused) = missing([("user_id", name)]) {
            return reply.is(refused);
        }
        if self.world.named(name) != Some(self.owner(session)) {
            return reply.is(wrong_token);
        }
        self.world.sessions[session].over = true;
        reply.is(ok())
    }
}
