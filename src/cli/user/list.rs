//! `bottle user list`: all accounts.

use std::path::Path;

use bottle::domain::accounts::{AccountFilter, AccountSummary, Role};
use bottle::model::clock::Clock;
use bottle::store::pages::PageRequest;
use bottle::store::{self, OpenError, account_summaries};
use serde_json::{Value, json};

use super::{message, print_result};

/// Prints all accounts, oldest first.
pub(super) fn run(db: &Path, json: bool) -> Result<(), String> {
    let now = Clock::default().now();
    let page = PageRequest { limit: u32::MAX, after: None };
    let read = store::read(db, |db| {
        let mut listed = Vec::new();
        // Nothing is sent, so the size of an item does not matter.
        let show = |summary| {
            listed.push(summary);
            Ok(0)
        };
        let all = account_summaries::list(db, &AccountFilter::default(), page, now, show);
        Ok::<_, OpenError>(all.map(|_| listed))
    });
    let accounts: Vec<AccountSummary> = read.map_err(|e| e.to_string())?.map_err(message)?;
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
    for AccountSummary { account, bottles, sessions, .. } in accounts {
        let (id, at, name) = (account.id, account.created_at.to_string(), &account.username);
        let role = match account.role() {
            Role::User if account.guest_until.is_some() => "  (guest)".to_owned(),
            Role::User => String::new(),
            role => format!("  ({})", role.as_str()),
        };
        table += &format!("{id:>6}  {at:<24}  {bottles:>7}  {sessions:>8}  {name}{role}\n");
    }
    print_result(false, &Value::Null, || table.trim_end().to_owned())
}

fn summary_json(summary: &AccountSummary) -> Value {
    let AccountSummary { account, bottles, sessions, last_seen, muted_until, .. } = summary;
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
        "last_seen": last_seen,
        "muted_until": muted_until,
    })
}
