//! Invitations, made by operators and, for the role of a user, by teachers.

use super::actor::{self, Actor};
use super::{Account, Accounts, Role};
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::invitation::{InvitationCode, Terms};
use crate::store::action::Action;
use crate::store::audit_log::NewEntry;
use crate::store::pages::PageRequest;
use crate::store::{Connection, audit_log, invitations};

pub use crate::store::invitations::Invitation;

/// Returns the highest role for which the account may invite, list and revoke.
///
/// # Errors
/// Returns [`Error::NotTeacher`](crate::model::error::Error::NotTeacher) for other accounts.
fn highest_role(account: &Account) -> Result<Role> {
    account.check_teacher()?;
    Ok(if account.is_operator { Role::Teacher } else { Role::User })
}

impl Accounts {
    /// Makes an invitation and returns it with its code, which is not stored.
    pub async fn invite(&self, actor: Actor, terms: Terms) -> Result<(Invitation, InvitationCode)> {
        let (code, now) = (InvitationCode::random(), self.clock.now());
        let hash = code.hash();
        let change = actor.authorized(&self.clock, Account::check_teacher, move |db, author| {
            match author {
                Some(author) if terms.role > highest_role(author)? => author.check_operator()?,
                _ => {}
            }
            let creator = author.map(|account| account.id);
            let invitation = invitations::insert(db, hash, terms, creator, now)?;
            log(db, author, Action::MakeInvitation, &invitation, now)?;
            Ok(invitation)
        });
        Ok((self.store.write(change).await?, code))
    }

    /// Passes the invitations that the account may see to `show`, newest first.
    pub async fn invitations(
        &self,
        account: &Account,
        page: PageRequest,
        show: impl FnMut(Invitation) -> Result<usize>,
    ) -> Result<bool> {
        let role = highest_role(account)?;
        self.store.read_long(|db| invitations::list(db, role, page, show)).await
    }

    /// Revokes an invitation. The accounts that it has let in stay.
    pub async fn revoke(&self, actor: Actor, id: i64) -> Result<()> {
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_teacher, move |db, author| {
            let role = author.map_or(Ok(Role::Teacher), highest_role)?;
            let invitation = invitations::revoke(db, id, role)?;
            log(db, author, Action::RevokeInvitation, &invitation, now)
        });
        self.store.write(change).await
    }
}

fn log(
    db: &Connection,
    author: Option<&Account>,
    action: Action,
    invitation: &Invitation,
    now: Timestamp,
) -> Result<()> {
    let Invitation { id, role, uses, expires_at, .. } = invitation;
    let detail = format!("{id}: role {}, uses {uses}, until {expires_at}", role.as_str());
    let entry = NewEntry::new(actor::name(author), action);
    audit_log::add(db, NewEntry { detail: Some(&detail), ..entry }, now)
}
