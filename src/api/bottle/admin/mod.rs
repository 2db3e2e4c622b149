//! The routes for operators: who gets in, backups, and the state and the settings of the server.
//! Teachers may invite too.

pub(super) mod backups;
pub(super) mod health;
pub(super) mod invitations;
pub(super) mod registration;
pub(super) mod settings;
