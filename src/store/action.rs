//! The actions of teachers and operators, as columns of the log.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// An action of a teacher or an operator; [`Action::Hide`] is also taken by the server after enough
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
    ShowMessages,
    HideMessages,
    SetUp,
    AddAccount,
    RenameAccount,
    SetPassword,
    SetRole,
    EndSessions,
    DeleteAccount,
    SetRegistration,
    MakeInvitation,
    RevokeInvitation,
    ImportBottles,
    SetWebhook,
    TestWebhook,
    OpenClass,
    EndClass,
    DeleteClass,
    BackUp,
    DownloadBackup,
    Check,
    SetSetting,
}

/// The actions of moderation, which teachers take and see, and then those of operators.
const ACTIONS: [(Action, &str); 28] = [
    (Action::Hide, "hide"),
    (Action::Show, "show"),
    (Action::Mute, "mute"),
    (Action::Unmute, "unmute"),
    (Action::Freeze, "freeze"),
    (Action::Unfreeze, "unfreeze"),
    (Action::ShowMessages, "show_messages"),
    (Action::HideMessages, "hide_messages"),
    (Action::SetUp, "set_up"),
    (Action::AddAccount, "add_account"),
    (Action::RenameAccount, "rename_account"),
    (Action::SetPassword, "set_password"),
    (Action::SetRole, "set_role"),
    (Action::EndSessions, "end_sessions"),
    (Action::DeleteAccount, "delete_account"),
    (Action::SetRegistration, "set_registration"),
    (Action::MakeInvitation, "make_invitation"),
    (Action::RevokeInvitation, "revoke_invitation"),
    (Action::ImportBottles, "import_bottles"),
    (Action::SetWebhook, "set_webhook"),
    (Action::TestWebhook, "test_webhook"),
    (Action::OpenClass, "open_class"),
    (Action::EndClass, "end_class"),
    (Action::DeleteClass, "delete_class"),
    (Action::BackUp, "back_up"),
    (Action::DownloadBackup, "download_backup"),
    (Action::Check, "check"),
    (Action::SetSetting, "set_setting"),
];

/// The words of the actions of moderation, as a list in SQL.
pub(super) const MODERATION: &str =
    "'hide', 'show', 'mute', 'unmute', 'freeze', 'unfreeze', 'show_messages', 'hide_messages'";

impl Action {
    /// Returns the word that the database and the contracts use.
    pub fn as_str(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, word)| word)
    }

    /// Returns the action that the database and the contracts call `word`.
    pub fn parse(word: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, known)| *known == word).map(|(action, _)| *action)
    }
}

impl ToSql for Action {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Action {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
