//! The changes of accounts by `bottle user`.

use bottle::domain::accounts::{
    Account, Accounts, Actor, LastOperator, OperatorChanges, Registration, Role,
};
use bottle::model::fields::{Nickname, Username};
use serde_json::json;

use super::{Change, account_error, import, message, password, print_result};

const ACTOR: Actor = Actor::CommandLine;

/// Makes `change` and prints its result.
pub(super) async fn run(accounts: &Accounts, change: Change, json: bool) -> Result<(), String> {
    match change {
        Change::Add { username, nickname, one_time, teacher, operator } => {
            let role = match (operator, teacher) {
                (true, _) => Role::Operator,
                (_, true) => Role::Teacher,
                _ => Role::User,
            };
            add(accounts, &username, nickname.as_deref(), role, one_time, json).await
        }
        Change::Import { file } => import::run(accounts, &file, json).await,
        Change::Passwd { username, one_time } => {
            set_password(accounts, &username, one_time, json).await
        }
        Change::Rename { username, new } => {
            let new = Username::parse("username", &new).map_err(message)?;
            let changes = OperatorChanges { username: Some(new), role: None };
            let account = change_one(accounts, &username, changes, LastOperator::Stays).await?;
            print_account(json, &account, "is the new username", None)
        }
        Change::Role { username, role, last_operator } => {
            let changes = OperatorChanges { username: None, role: Some(role) };
            let account = change_one(accounts, &username, changes, last_operator.into()).await?;
            let value = json!({ "username": account.username, "role": role.as_str() });
            print_result(json, &value, || {
                format!("{} has the role {} now", account.username, role.as_str())
            })
        }
        Change::Delete { username, yes, last_operator } => {
            if !yes && !password::confirm(&format!("Delete {username} with all its bottles?"))? {
                return Err("nothing was deleted".into());
            }
            delete(accounts, &username, last_operator.into(), json).await
        }
        Change::Mute { username, minutes } => mute(accounts, &username, minutes, json).await,
        Change::Logout { username } => {
            let ended = accounts.end_sessions(ACTOR, id_of(accounts, &username)?).await;
            ended.map_err(|e| account_error(&username, e))?;
            print_result(json, &json!({ "username": username, "sessions": 0 }), || {
                format!("all sessions of {username} have ended")
            })
        }
    }
}

async fn add(
    accounts: &Accounts,
    username: &str,
    nickname: Option<&str>,
    role: Role,
    one_time: bool,
    json: bool,
) -> Result<(), String> {
    let password = if one_time { accounts.one_time_password() } else { password::prompt()? };
    let new = registration(accounts, username, nickname, &password)?;
    let account = accounts.add(ACTOR, new, role, one_time).await.map_err(message)?;
    print_account(json, &account, "was created", one_time.then_some(password))
}

async fn set_password(
    accounts: &Accounts,
    username: &str,
    one_time: bool,
    json: bool,
) -> Result<(), String> {
    let password = if one_time { accounts.one_time_password() } else { password::prompt()? };
    let new = accounts.new_password("password", &password).map_err(message)?;
    let account = accounts.set_password(ACTOR, id_of(accounts, username)?, new, one_time).await;
    let account = account.map_err(|e| account_error(username, e))?;
    let what = "has a new password; its sessions have ended";
    print_account(json, &account, what, one_time.then_some(password))
}

async fn delete(
    accounts: &Accounts,
    username: &str,
    last: LastOperator,
    json: bool,
) -> Result<(), String> {
    let removed = accounts.remove(ACTOR, id_of(accounts, username)?, last).await;
    removed.map_err(|e| account_error(username, e))?;
    print_result(json, &json!({ "username": username, "deleted": true }), || {
        format!("{username} was deleted")
    })
}

async fn mute(accounts: &Accounts, username: &str, minutes: u32, json: bool) -> Result<(), String> {
    let muted = accounts.mute(ACTOR, id_of(accounts, username)?, minutes).await;
    muted.map_err(|e| account_error(username, e))?;
    let value = json!({ "username": username, "muted_minutes": minutes });
    print_result(json, &value, || match minutes {
        0 => format!("{username} may throw again"),
        _ => format!("{username} is muted for {minutes} minutes"),
    })
}

/// Changes the account called `username`.
async fn change_one(
    accounts: &Accounts,
    username: &str,
    changes: OperatorChanges,
    last: LastOperator,
) -> Result<Account, String> {
    let id = id_of(accounts, username)?;
    let changed = accounts.change(ACTOR, id, changes, last).await;
    changed.map_err(|e| account_error(username, e))
}

fn id_of(accounts: &Accounts, username: &str) -> Result<i64, String> {
    accounts.id_of(username).map_err(|e| account_error(username, e))
}

fn registration(
    accounts: &Accounts,
    username: &str,
    nickname: Option<&str>,
    password: &str,
) -> Result<Registration, String> {
    Ok(Registration {
        username: Username::parse("username", username).map_err(message)?,
        password: accounts.new_password("password", password).map_err(message)?,
        nickname: nickname.map(Nickname::parse).transpose().map_err(message)?,
        gender: None,
        email: None,
    })
}

fn print_account(
    json: bool,
    account: &Account,
    what: &str,
    password: Option<String>,
) -> Result<(), String> {
    let mut value = json!({ "user_id": account.id, "username": account.username, "nickname": account.nickname });
    if let Some(password) = &password {
        value["one_time_password"] = json!(password);
    }
    print_result(json, &value, || match &password {
        Some(password) => format!("{} {what}. One-time password: {password}", account.username),
        None => format!("{} {what}", account.username),
    })
}
