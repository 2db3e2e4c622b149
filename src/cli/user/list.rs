//! `bottle user list`: all accounts.

use std::path::Path;

use bottle::domain::accounts::AccountSummary;
use bottle::model::clock::Clock;
use bottle::store::{self, OpenError, account_summaries};
use serde_json::{Value, json};

use super::{message, print_result};

/// Prints all accounts, oldest first.
pub(super) fn run(db: &Path, json: bool) -> Result<(), String> {
    let now = Clock::default().now();
    let accounts = store::read(db, |db| Ok::<_, OpenError>(account_summaries::list(db, now)));
    let accounts = accounts.map_err(|e| e.to_string())?.map_err(message)?;
    if json {
        return print_result(
            true,
            &accounts.iter().map(summary_json).collect::<Value>(),
            String::new,
        );
    }
    let mut table = format!(
        "{:>6}  {:<24}  {:>7}  {:>8}  {}\n",
        "id", "registered", "bottles", "sessions", "username"
    );
    for AccountSummary { account, bottles, sessions } in accounts {
        let (id, at, name) = (account.id, account.created_at.to_string(), &account.username);
        let role = match (account.is_operator, account.is_teacher) {
            (true, _) => "  (operator)",
            (_, true) => "  (teacher)",
            _ if account.guest_until.is_some() => "  (guest)",
            _ => "",
        };
        table += &format!("{id:>6}  {at:<24}  {bottles:>7}  {sessions:>8}  {name}{role}\n");
    }
    print_result(false, &Value::Null, || table.trim_end().to_owned())
}

fn summary_json(summary: &AccountSummary) -> Value {
    let AccountSummary { account, bottles, sessions } = summary;
    json!({
        "user_id": account.id,
        "username": account.username,
        "nickname": account.nickname,
        "gender": account.gender.as_str(),
        "created_at": account.created_at,
        "password_is_one_time": account.password_is_one_time,
        "is_teacher": account.is_teacher,
        "is_operator": account.is_operator,
        "is_guest": account.guest_until.is_some(),
        "bottles": bottles,
        "sessions": sessions,
    })
}
