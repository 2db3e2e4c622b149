//! The routes for operators: accounts, who gets in, the log, backups, and the state and the settings of the
//! server. Teachers may invite too.

pub(super) mod backups;
pub(super) mod health;
pub(super) mod import;
pub(super) mod invitations;
pub(super) mod log;
mod log_csv;
pub(super) mod people;
pub(super) mod person;
pub(super) mod registration;
pub(super) mod roster;
pub(super) mod settings;
pub(super) mod webhook;
