//! Accounts and sessions by the Bottle contract and its draft.

use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::run::{Carried, Expected, Outcome, Proof, Reply, Run};
use super::words::{self, Flaw, Password, Who, Word};
use super::world::{Account, By, normal};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Register { base: Word, new: New },
    LogIn { base: Word, name: Word, password: Password },
    LogOut { base: Word, who: Who },
    LogOutEverywhere { who: Who },
    See { base: Word, who: Who },
    Change { base: Word, who: Who, change: Change },
    Delete { who: Who, password: Password },
}

#[derive(Clone, Debug)]
pub(super) struct New {
    name: Word,
    password: Word,
    nickname: Option<Word>,
    gender: Option<Word>,
}

#[derive(Clone, Debug)]
pub(super) struct Change {
    password: Option<Word>,
    current: Option<Password>,
    nickname: Option<Word>,
    gender: Option<Word>,
}

/// The base paths of the contract and of its draft.
pub(super) fn base() -> impl Strategy<Value = Word> {
    prop_oneof![2 => Just("/api"), 1 => Just("")]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::{gender, name, new_password, nickname, password, who};
    let new = (name(), new_password(), nickname(), gender())
        .prop_map(|(name, password, nickname, gender)| New { name, password, nickname, gender });
    let change =
        (option::of(new_password()), option::of(password()), nickname(), gender()).prop_map(
            |(password, current, nickname, gender)| Change { password, current, nickname, gender },
        );
    prop_oneof![
        8 => (base(), new).prop_map(|(base, new)| Step::Register { base, new }),
        20 => (base(), name(), password())
            .prop_map(|(base, name, password)| Step::LogIn { base, name, password }),
        4 => (base(), who()).prop_map(|(base, who)| Step::LogOut { base, who }),
        1 => who().prop_map(|who| Step::LogOutEverywhere { who }),
        6 => (base(), who()).prop_map(|(base, who)| Step::See { base, who }),
        4 => (base(), who(), change)
            .prop_map(|(base, who, change)| Step::Change { base, who, change }),
        1 => (who(), password()).prop_map(|(who, password)| Step::Delete { who, password }),
    ]
}

pub(super) fn ok(msg: impl Into<String>, data: Value) -> Expected {
    (200, json!({ "status": "OK", "msg": msg.into(), "data": data }))
}

pub(super) fn no(status: u16, code: &str, msg: impl Into<String>) -> Expected {
    (status, json!({ "status": code, "msg": msg.into(), "data": {} }))
}

pub(super) fn wrong(field: &str, flaw: Flaw) -> Expected {
    let msg = flaw.chinese(field);
    let data = json!({ "field": field });
    (422, json!({ "status": "UNPROCESSABLE_ENTITY", "msg": msg, "data": data }))
}

pub(super) fn nobody() -> Expected {
    no(401, "UNAUTHORIZED", "未登录")
}

fn gender_flaw(gender: Option<Word>) -> Option<Flaw> {
    gender.is_some_and(|gender| gender == "none").then_some(Flaw::NoGender)
}

/// The first wrong field, in the order in which the server looks at them.
fn first_flaw<const N: usize>(fields: [(&str, Option<Flaw>); N]) -> Option<Expected> {
    fields.into_iter().find_map(|(field, flaw)| flaw.map(|flaw| wrong(field, flaw)))
}

impl Run {
    pub(super) fn bottle(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Register { base, new } => self.register(base, new),
            Step::LogIn { base, name, password } => self.log_in(base, name, *password),
            Step::LogOut { base, who } => self.log_out(base, *who),
            Step::LogOutEverywhere { who } => self.log_out_everywhere(*who),
            Step::See { base, who } => self.see(base, *who),
            Step::Change { base, who, change } => self.change(base, *who, change),
            Step::Delete { who, password } => self.delete(*who, *password),
        }
    }

    /// An account as others see it.
    pub(super) fn person(&self, id: i64) -> Value {
        let Account { username, nickname, gender, .. } = &self.world.accounts[&id];
        json!({ "user_id": id, "username": username, "nickname": nickname, "gender": gender })
    }

    /// An account as its owner sees it.
    pub(super) fn user(&self, id: i64) -> Value {
        let mut user = self.person(id);
        let account = &self.world.accounts[&id];
        user["created_at"] = json!(account.created_at);
        if account.is_teacher {
            user["is_teacher"] = json!(true);
        }
        if !account.silenced.is_empty() {
            let silenced = account.silenced.iter().map(|kind| ((*kind).to_owned(), json!(false)));
            user["inbox"] = Value::Object(silenced.collect());
        }
        user
    }

    fn register(&mut self, base: &str, new: &New) -> Outcome {
        let body = json!({ "username": new.name, "password": new.password,
            "nickname": new.nickname, "gender": new.gender });
        let path = format!("{base}/users");
        let reply = self.send("POST", &path, &self.carry(By::Bottle, Who::Nobody), &body);
        if let Some(refused) = first_flaw([
            ("gender", gender_flaw(new.gender)),
            ("nickname", Flaw::of_nickname(new.nickname)),
            ("username", Flaw::of_name(new.name)),
            ("password", Flaw::of_password(new.password)),
        ]) {
            return reply.is(refused);
        }
        let name = normal(new.name);
        let draft = base.is_empty();
        if self.world.named(name).is_some() {
            let taken = format!("用户名{}已存在", if draft { "" } else { name });
            return reply.is(no(409, "CONFLICT_USERNAME", taken));
        }
        let id = reply.new_id("user_id", self.world.last_account)?;
        self.world.last_account = id;
        let created_at = reply.time("created_at")?;
        self.world.accounts.insert(
            id,
            Account {
                nickname: new.nickname.unwrap_or(name),
                gender: new.gender.unwrap_or("unknown"),
                created_at,
                ..Account::new(name, new.password)
            },
        );
        let msg = if draft { "注册成功".into() } else { format!("用户{name}注册成功") };
        reply.is(ok(msg, self.user(id)))
    }

    pub(super) fn log_in(&mut self, base: &str, name: Word, password: Password) -> Outcome {
        let found = self.world.named(name);
        let right = found.map(|id| self.world.accounts[&id].password);
        let password = password.text(right);
        let reply = self.try_log_in(base, name, password);
        let Some(id) = found.filter(|_| right == Some(password)) else {
            return reply.is(no(403, "FORBIDDEN", "用户名或密码错误"));
        };
        reply.is(ok("登录成功", self.user(id)))?;
        self.begin_bottle(id, &reply)
    }

    fn try_log_in(&self, base: &str, name: Word, password: Word) -> Reply {
        let body = json!({ "username": name, "password": password });
        let nobody = self.carry(By::Bottle, Who::Nobody);
        self.send("POST", &format!("{base}/sessions"), &nobody, &body)
    }

    fn begin_bottle(&mut self, id: i64, reply: &Reply) -> Outcome {
        let cookie = reply.response.header("set-cookie").split(';').next().unwrap_or_default();
        let cookie = cookie.strip_prefix("bottle_session=").ok_or("no cookie")?;
        self.begin((By::Bottle, id), cookie, None, 365 * 24 * 3600);
        Ok(())
    }

    /// An account that another contract has made and said nothing of: Bottle tells the rest.
    pub(super) fn meet(&mut self, mut new: Account) -> Outcome {
        let reply = self.try_log_in("/api", new.username, new.password);
        let id = reply.new_id("user_id", self.world.last_account)?;
        let created_at = reply.body()["data"]["created_at"].as_str().map(str::to_owned);
        new.created_at = created_at.ok_or("no created_at")?;
        self.world.last_account = id;
        self.world.accounts.insert(id, new);
        reply.is(ok("登录成功", self.user(id)))?;
        self.begin_bottle(id, &reply)
    }

    /// Sends a request as someone, who must be known to go on: `None` if they rightly were not.
    pub(super) fn as_known(
        &mut self,
        who: Who,
        send: impl FnOnce(&Self, &Carried) -> Reply,
    ) -> Result<Option<(usize, Reply)>, String> {
        let carried = self.carry(By::Bottle, who);
        let reply = send(self, &carried);
        match carried.proof {
            Proof::Good(session) => Ok(Some((session, reply))),
            _ => reply.is(nobody()).map(|()| None),
        }
    }

    fn log_out(&mut self, base: &str, who: Who) -> Outcome {
        let path = format!("{base}/sessions/self");
        let send = |run: &Self, as_: &Carried| run.send("DELETE", &path, as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        self.world.sessions[session].over = true;
        reply.is(ok("登出成功", json!({})))
    }

    fn log_out_everywhere(&mut self, who: Who) -> Outcome {
        let send =
            |run: &Self, as_: &Carried| run.send("DELETE", "/api/sessions", as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        self.world.end_sessions(self.owner(session), None);
        reply.is(ok("已登出所有设备", json!({})))
    }

    fn see(&mut self, base: &str, who: Who) -> Outcome {
        let path = format!("{base}/users/self");
        let send = |run: &Self, as_: &Carried| run.send("GET", &path, as_, &Value::Null);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        reply.is(ok("获取用户资料成功", self.user(self.owner(session))))
    }

    fn change(&mut self, base: &str, who: Who, change: &Change) -> Outcome {
        let right = match self.carry(By::Bottle, who).proof {
            Proof::Good(session) => Some(self.world.accounts[&self.owner(session)].password),
            _ => None,
        };
        let current = change.current.map(|current| current.text(right));
        let body = json!({ "password": change.password, "current_password": current,
            "nickname": change.nickname, "gender": change.gender });
        let path = format!("{base}/users/self");
        let send = |run: &Self, as_: &Carried| run.send("PUT", &path, as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        if let Some(refused) = first_flaw([
            ("gender", gender_flaw(change.gender)),
            ("nickname", Flaw::of_nickname(change.nickname)),
            ("password", change.password.and_then(Flaw::of_password)),
        ]) {
            return reply.is(refused);
        }
        if current.is_some() && current != right {
            return reply.is(no(403, "FORBIDDEN", "当前密码错误"));
        }
        let id = self.owner(session);
        if let Some(account) = self.world.accounts.get_mut(&id) {
            account.nickname = change.nickname.unwrap_or(account.nickname);
            account.gender = change.gender.unwrap_or(account.gender);
        }
        if let Some(password) = change.password {
            self.world.set_password(id, password, Some(session));
        }
        reply.is(ok("更新用户资料成功", self.user(id)))
    }

    fn delete(&mut self, who: Who, password: Password) -> Outcome {
        let right = match self.carry(By::Bottle, who).proof {
            Proof::Good(session) => Some(self.world.accounts[&self.owner(session)].password),
            _ => None,
        };
        let password = password.text(right);
        let body = json!({ "password": password });
        let send = |run: &Self, as_: &Carried| run.send("DELETE", "/api/users/self", as_, &body);
        let Some((session, reply)) = self.as_known(who, send)? else { return Ok(()) };
        if right != Some(password) {
            return reply.is(no(403, "FORBIDDEN", "密码错误"));
        }
        self.world.delete(self.owner(session));
        reply.is(ok("注销成功", json!({})))
    }
}
