//! The actions that teachers take, as columns of the moderation log.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// An action that a teacher takes; [`Action::Hide`] is also taken by the server after enough
/// reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    Hide,
    Show,
    Mute,
    Unmute,
    Freeze,
    Unfreeze,
    SetWebhook,
    TestWebhook,
}

const ACTIONS: [(Action, &str); 8] = [
    (Action::Hide, "hide"),
    (Action::Show, "show"),
    (Action::Mute, "mute"),
    (Action::Unmute, "unmute"),
    (Action::Freeze, "freeze"),
    (Action::Unfreeze, "unfreeze"),
    (Action::SetWebhook, "set_webhook"),
    (Action::TestWebhook, "test_webhook"),
];

impl Action {
    /// Returns the word that the database and the contracts use.
    pub fn as_str(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| word)
    }
}

impl ToSql for Action {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Action {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        let entry = ACTIONS.iter().find(|(_, known)| *known == word);
        entry.map(|(action, _)| *action).ok_or(FromSqlError::InvalidType)
    }
}
