//! The routes for operators: accounts, who gets in, the log. Teachers may invite too.

pub(super) mod invitations;
pub(super) mod log;
mod log_csv;
pub(super) mod people;
pub(super) mod person;
pub(super) mod registration;
pub(super) mod roster;
