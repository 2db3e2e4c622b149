//! The Music contract.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::run::{Expected, Outcome, Proof, Reply, Run};
use super::words::{self, Flaw, Password, Who, Word};
use super::world::{Account, By, normal};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Register { name: Word, email: Word, password: Word },
    LogIn { by: Word, password: Password },
    See { who: Who },
    Rename { who: Who, password: Password, name: Word },
    Change { who: Who, nickname: Option<Word>, avatar_url: Option<Word> },
    NewPassword { who: Who, old: Password, new: Word },
    Delete { who: Who, password: Option<Password> },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    use words::{email, name, new_password, nickname, password, who};
    let avatar = option::of(select(vec!["", "https://example.org/a.png", "ftp://example.org"]));
    prop_oneof![
        3 => (name(), email(), new_password())
            .prop_map(|(name, email, password)| Step::Register { name, email, password }),
        6 => (prop_oneof![name(), email()], password())
            .prop_map(|(by, password)| Step::LogIn { by, password }),
        4 => who().prop_map(|who| Step::See { who }),
        2 => (who(), password(), name())
            .prop_map(|(who, password, name)| Step::Rename { who, password, name }),
        2 => (who(), nickname(), avatar)
            .prop_map(|(who, nickname, avatar_url)| Step::Change { who, nickname, avatar_url }),
        2 => (who(), password(), new_password())
            .prop_map(|(who, old, new)| Step::NewPassword { who, old, new }),
        1 => (who(), option::of(password()))
            .prop_map(|(who, password)| Step::Delete { who, password }),
    ]
}

fn ok(message: &str) -> Expected {
    (200, json!({ "code": 0, "message": message }))
}

fn no(code: u32, message: impl Into<String>) -> Expected {
    (400, json!({ "code": code, "message": message.into() }))
}

fn wrong(field: &str, flaw: Option<Flaw>) -> Option<Expected> {
    flaw.map(|flaw| no(40000, flaw.chinese(field)))
}

impl Run {
    pub(super) fn music(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Register { name, email, password } => self.music_register(name, email, password),
            Step::LogIn { by, password } => self.music_log_in(by, *password),
            Step::See { who } => self.music_profile(*who),
            Step::Rename { who, password, name } => self.music_rename(*who, *password, name),
            Step::Change { who, nickname, avatar_url } => {
                self.music_change(*who, *nickname, *avatar_url)
            }
            Step::NewPassword { who, old, new } => self.music_password(*who, *old, new),
            Step::Delete { who, password } => self.music_delete(*who, *password),
        }
    }

    /// As [`Run::as_known`], with a bearer token.
    fn as_listener(
        &mut self,
        who: Who,
        (method, path, body): (&str, &str, Value),
    ) -> Result<Option<(usize, Reply)>, String> {
        let carried = self.carry(By::Music, who);
        let reply = self.send(method, &format!("/api/user/{path}"), &carried, &body);
        let message = match carried.proof {
            Proof::Good(session) => return Ok(Some((session, reply))),
            Proof::Absent if path != "profile" => "请登录后操作",
            _ => "无效的访问令牌",
        };
        reply.is((403, json!({ "code": 40301, "message": message }))).map(|()| None)
    }

    /// The password of whoever carries this.
    fn listeners_password(&self, who: Who) -> Option<Word> {
        match self.carry(By::Music, who).proof {
            Proof::Good(session) => Some(self.world.accounts[&self.owner(session)].password),
            _ => None,
        }
    }

    fn music_register(&mut self, name: Word, email: Word, password: Word) -> Outcome {
        let body = json!({ "nickname": name, "email": email, "password": password });
        let nobody = self.carry(By::Music, Who::Nobody);
        let reply = self.send("POST", "/api/user/register", &nobody, &body);
        let email_flaw = (!email.contains('@')).then_some(Flaw::NoEmail);
        let refused = wrong("nickname", Flaw::of_name(name))
            .or_else(|| wrong("email", email_flaw))
            .or_else(|| wrong("password", Flaw::of_password(password)))
            .or_else(|| self.world.named(name).map(|_| no(40001, "该用户名已存在")))
            .or_else(|| self.world.with_email(email).map(|_| no(40002, "该邮箱已注册")));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        reply.is(ok("注册成功"))?;
        self.meet(Account { nickname: name, email, ..Account::new(name, password) })
    }

    fn music_log_in(&mut self, by: Word, password: Password) -> Outcome {
        let (found, unknown) = if by.contains('@') {
            (self.world.with_email(by), no(40001, "邮箱未注册"))
        } else {
            (self.world.named(by), no(40002, "用户名不存在"))
        };
        let right = found.map(|id| self.world.accounts[&id].password);
        let password = password.text(right);
        let body = json!({ "email": by, "password": password });
        let nobody = self.carry(By::Music, Who::Nobody);
        let reply = self.send("POST", "/api/user/login", &nobody, &body);
        let Some(id) = found else { return reply.is(unknown) };
        if right != Some(password) {
            return reply.is(no(40003, "密码错误"));
        }
        let body = reply.body();
        let token = body["data"]["token"].as_str().ok_or("no token")?;
        reply.is((200, json!({ "code": 0, "message": "登录成功", "data": { "token": token } })))?;
        self.begin((By::Music, id), token, None, 30 * 24 * 3600);
        Ok(())
    }

    fn music_profile(&mut self, who: Who) -> Outcome {
        let request = ("GET", "profile", Value::Null);
        let Some((session, reply)) = self.as_listener(who, request)? else { return Ok(()) };
        let id = self.owner(session);
        let Account { nickname, email, avatar_url, created_at, .. } = &self.world.accounts[&id];
        let data = json!({ "user_id": id, "nickname": nickname, "email": email,
            "avatar_url": avatar_url, "created_at": created_at });
        reply.is((200, json!({ "code": 0, "message": "获取成功", "data": data })))
    }

    fn music_rename(&mut self, who: Who, password: Password, name: Word) -> Outcome {
        let right = self.listeners_password(who);
        let password = password.text(right);
        let body = json!({ "password": password, "new_nickname": name });
        let request = ("PUT", "update/username", body);
        let Some((session, reply)) = self.as_listener(who, request)? else { return Ok(()) };
        if let Some(refused) = wrong("new_nickname", Flaw::of_name(name)) {
            return reply.is(refused);
        }
        if right != Some(password) {
            return reply.is(no(40001, "原密码错误"));
        }
        let id = self.owner(session);
        if self.world.named(name).is_some_and(|other| other != id) {
            return reply.is(no(40002, "该用户名已存在"));
        }
        if let Some(account) = self.world.accounts.get_mut(&id) {
            (account.username, account.nickname) = (normal(name), name);
        }
        reply.is(ok("用户名修改成功"))
    }

    fn music_change(
        &mut self,
        who: Who,
        nickname: Option<Word>,
        avatar_url: Option<Word>,
    ) -> Outcome {
        let request = ("PUT", "update", json!({ "nickname": nickname, "avatar_url": avatar_url }));
        let Some((session, reply)) = self.as_listener(who, request)? else { return Ok(()) };
        let url_flaw = avatar_url.filter(|url| url.starts_with("ftp")).map(|_| Flaw::NoUrl);
        let refused = wrong("nickname", Flaw::of_nickname(nickname))
            .or_else(|| wrong("avatar_url", url_flaw));
        if let Some(refused) = refused {
            return reply.is(refused);
        }
        let id = self.owner(session);
        if let Some(account) = self.world.accounts.get_mut(&id) {
            account.nickname = nickname.unwrap_or(account.nickname);
            account.avatar_url = avatar_url.unwrap_or(account.avatar_url);
        }
        reply.is(ok("更新成功"))
    }

    fn music_password(&mut self, who: Who, old: Password, new: Word) -> Outcome {
        let right = self.listeners_password(who);
        let old = old.text(right);
        let request = ("PUT", "update/password", json!({ "password": old, "new_password": new }));
        let Some((session, reply)) = self.as_listener(who, request)? else { return Ok(()) };
        if let Some(refused) = wrong("new_password", Flaw::of_password(new)) {
            return reply.is(refused);
        }
        if right != Some(old) {
            return reply.is(no(40001, "原密码错误"));
        }
        if old == new {
            return reply.is(no(40002, "新密码与旧密码一致"));
        }
        self.world.set_password(self.owner(session), new, Some(session));
        reply.is(ok("密码修改成功"))
    }

    fn music_delete(&mut self, who: Who, password: Option<Password>) -> Outcome {
        let right = self.listeners_password(who);
        let password = password.map(|password| password.text(right));
        let body = password.map_or(Value::Null, |password| json!({ "password": password }));
        let Some((session, reply)) = self.as_listener(who, ("DELETE", "delete", body))? else {
            return Ok(());
        };
        if password.is_some() && password != right {
            return reply.is(no(40001, "密码错误"));
        }
        self.world.delete(self.owner(session));
        reply.is(ok("注销成功"))
    }
}
