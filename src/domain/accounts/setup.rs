//! The first operator, made by a link that only the person who runs the server knows.

use super::{Account, Accounts, Registration, RegistrationMode, Role, operator};
use crate::model::error::Result;
use crate::model::token::Token;
use crate::store::action::Action;
use crate::store::{Connection, registration, setup, users};

impl Accounts {
    /// Returns the token of the setup link, or `None` if there is an operator, who needs none.
    ///
    /// A token that is `kept` from an earlier start stays valid; otherwise a new one replaces it.
    pub async fn begin_setup(&self, kept: Option<Token>) -> Result<Option<Token>> {
        if let Some(kept) = kept
            && self.store.read(|db| setup::check(db, kept.hash())).is_ok()
        {
            return Ok(Some(kept));
        }
        let token = Token::random();
        let hash = token.hash();
        let has_begun = self.store.write(move |db| setup::begin(db, hash)).await?;
        Ok(has_begun.then_some(token))
    }

    /// Returns [`Error::InvalidSetup`] unless this is the token of the setup link.
    ///
    /// [`Error::InvalidSetup`]: crate::model::error::Error::InvalidSetup
    pub fn check_setup(&self, token: &Token) -> Result<()> {
        self.store.read(|db| setup::check(db, token.hash()))
    }

    /// Makes the first operator and, unless the settings name it, sets who may register. The link
    /// ends with that. Returns errors as [`Accounts::check_setup`] and [`Accounts::register`] do.
    pub async fn set_up(
        &self,
        new: Registration,
        token: &Token,
        mode: Option<RegistrationMode>,
    ) -> Result<Account> {
        self.check_setup(token)?;
        let (hash, now) = (token.hash(), self.clock.now());
        let mode = mode.filter(|_| self.registration.is_none());
        let new = self.with_hash(new, Role::Operator, false).await?;
        let change = move |db: &Connection| {
            setup::redeem(db, hash)?;
            if let Some(mode) = mode {
                registration::set_mode(db, mode)?;
            }
            let account = users::insert(db, &new, now)?;
            let detail = mode.map(RegistrationMode::as_str);
            operator::log(db, Some(&account), Action::SetUp, account.id, detail, now)?;
            Ok(account)
        };
        let account = self.store.write(change).await?;
        self.store.delete_setup_file();
        Ok(account)
    }
}
