//! The rules of accounts, bottles and moderation. No HTTP and no SQL.

pub mod accounts;
pub mod audit_log;
pub mod bottles;
pub mod conversations;
pub mod events;
pub mod expiry;
pub mod health;
pub mod inbox;
pub mod ledger;
pub mod maintenance;
pub mod moderation;
pub mod password;
pub mod rate_limit;
pub mod settings;
pub mod transfer;
pub mod webhook;
