//! Sessions and accounts.

use std::sync::Arc;

use rocket::{State, delete, get, post, put};
use serde::{Deserialize, Serialize};

use super::envelope::{Nothing, Refusal, Reply, ok};
use super::guard::{Private, Revision, SessionCookie};
use super::view::User;
use crate::accounts::{
    Accounts, Contract, Name, ProfileChanges, Registration, SessionKind, required,
};
use crate::contracts::{Body, Client, Lifetimes, MayRegister, Session};
use crate::error::Error;
use crate::fields::{Gender, Nickname, Username};
use crate::store::Store;
use crate::store::transfer::Record;
use crate::transfer;

#[derive(Deserialize)]
pub(super) struct Credentials {
    username: Option<String>,
    password: Option<String>,
}

#[post("/sessions", data = "<body>")]
pub(super) async fn log_in(
    body: Body<Credentials>,
    client: Client,
    accounts: &State<Accounts>,
    lifetimes: &State<Lifetimes>,
    cookie: SessionCookie<'_>,
) -> Reply<User> {
    let username = required("username", body.0.username)?;
    let password = required("password", body.0.password)?;
    let seconds = lifetimes.bottle;
    let kind = SessionKind {
        contract: Contract::Bottle,
        seconds,
        terminal: None,
        replaces: cookie.token(),
    };
    let begun = accounts.log_in(Name::Username(&username), password, kind, client.0).await?;
    cookie.set(&begun.token, seconds);
    ok("登录成功", begun.account.into())
}

#[delete("/sessions/self")]
pub(super) async fn log_out(
    session: Session<Private>,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Nothing> {
    accounts.log_out(session.login).await?;
    cookie.remove();
    ok("登出成功", Nothing {})
}

#[delete("/sessions")]
pub(super) async fn log_out_everywhere(
    session: Session<Private>,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Nothing> {
    accounts.log_out_everywhere(session.login).await?;
    cookie.remove();
    ok("已登出所有设备", Nothing {})
}

#[derive(Deserialize)]
pub(super) struct Farewell {
    password: Option<String>,
}

#[delete("/users/self", data = "<body>")]
pub(super) async fn delete_account(
    session: Session<Private>,
    body: Body<Farewell>,
    client: Client,
    accounts: &State<Accounts>,
    cookie: SessionCookie<'_>,
) -> Reply<Nothing> {
    let password = required("password", body.0.password)?;
    match accounts.delete(session.login, Some(password), client.0).await {
        Ok(()) => {
            cookie.remove();
            ok("注销成功", Nothing {})
        }
        Err(Error::WrongPassword) => Err(Refusal::from(Error::WrongPassword).in_words("密码错误")),
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Profile {
    username: Option<String>,
    password: Option<String>,
    current_password: Option<String>,
    nickname: Option<String>,
    gender: Option<String>,
}

impl Profile {
    fn gender(&self) -> Result<Option<Gender>, Error> {
        self.gender.as_deref().map(Gender::parse).transpose()
    }

    fn nickname(&self) -> Result<Option<Nickname>, Error> {
        self.nickname.as_deref().map(Nickname::parse).transpose()
    }
}

#[post("/users", data = "<body>")]
pub(super) async fn register(
    _may: MayRegister,
    revision: Revision,
    body: Body<Profile>,
    accounts: &State<Accounts>,
) -> Reply<User> {
    let registration = Registration {
        gender: body.0.gender()?,
        nickname: body.0.nickname()?,
        username: Username::parse("username", &required("username", body.0.username)?)?,
        password: accounts.new_password("password", &required("password", body.0.password)?)?,
        email: None,
    };
    let registered = accounts.register(registration).await;
    match (revision, registered) {
        (Revision::Current, Ok(account)) => {
            ok(format!("用户{}注册成功", account.username), account.into())
        }
        (Revision::Draft, Ok(account)) => ok("注册成功", account.into()),
        (Revision::Draft, Err(error @ Error::UsernameTaken(_))) => {
            Err(Refusal::from(error).in_words("用户名已存在"))
        }
        (_, Err(error)) => Err(error.into()),
    }
}

#[get("/users/self")]
pub(super) fn profile(session: Session<Private>) -> Reply<User> {
    ok("获取用户资料成功", session.login.account.into())
}

#[derive(Serialize)]
pub(super) struct Own {
    records: Vec<Record>,
}

#[get("/users/self/export")]
pub(super) fn export(session: Session<Private>, store: &State<Arc<Store>>) -> Reply<Own> {
    ok("导出成功", Own { records: transfer::own(store, session.login.account.id)? })
}

#[put("/users/self", data = "<body>")]
pub(super) async fn update(
    session: Session<Private>,
    body: Body<Profile>,
    client: Client,
    accounts: &State<Accounts>,
) -> Reply<User> {
    let new_password = |text: String| accounts.new_password("password", &text);
    let changes = ProfileChanges {
        gender: body.0.gender()?,
        nickname: body.0.nickname()?,
        password: body.0.password.map(new_password).transpose()?,
        current_password: body.0.current_password,
        ..ProfileChanges::default()
    };
    match accounts.update(session.login, changes, client.0).await {
        Ok(account) => ok("更新用户资料成功", account.into()),
        Err(Error::WrongPassword) => {
            Err(Refusal::from(Error::WrongPassword).in_words("当前密码错误"))
        }
        Err(error) => Err(error.into()),
    }
}
