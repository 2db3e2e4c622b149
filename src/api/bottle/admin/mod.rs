//! The routes for operators: who gets in. Teachers may invite too.

pub(super) mod import;
pub(super) mod invitations;
pub(super) mod registration;
pub(super) mod webhook;
