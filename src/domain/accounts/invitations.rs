//! Invitations, made by operators and, for the role of a user, by teachers.

use super::{Account, Accounts, Login, Role};
use crate::model::error::Result;
use crate::model::invitation::{InvitationCode, Terms};
use crate::store::pages::PageRequest;
use crate::store::{Connection, invitations, sessions};

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
    pub async fn invite(
        &self,
        login: &Login,
        terms: Terms,
    ) -> Result<(Invitation, InvitationCode)> {
        let (code, now) = (InvitationCode::random(), self.clock.now());
        let hash = code.hash();
        let change = sessions::authorized(login.session, &self.clock, move |db, creator| {
            if terms.role > highest_role(&creator)? {
                creator.check_operator()?;
            }
            invitations::insert(db, hash, terms, Some(creator.id), now)
        });
        Ok((self.store.write(change).await?, code))
    }

    /// Makes an invitation as [`Accounts::invite`] does, on the command line.
    pub async fn invite_without_session(
        &self,
        terms: Terms,
    ) -> Result<(Invitation, InvitationCode)> {
        let (code, now) = (InvitationCode::random(), self.clock.now());
        let hash = code.hash();
        let change = move |db: &Connection| invitations::insert(db, hash, terms, None, now);
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
    pub async fn revoke(&self, login: &Login, id: i64) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            invitations::revoke(db, id, highest_role(&account)?)
        });
        self.store.write(change).await
    }

    /// Revokes an invitation on the command line.
    pub async fn revoke_without_session(&self, id: i64) -> Result<()> {
        self.store.write(move |db| invitations::revoke(db, id, Role::Teacher)).await
    }
}
