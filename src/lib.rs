//! Bottle: drift bottles on a map, on one machine of your own.
//!
//! Contracts call accounts and bottles; those call the store; nothing calls upward; only
//! [`server`] knows all of them.
//!
//! # Layout
//!
//! - [`contracts`]: how HTTP speaks, one contract a module
//! - [`accounts`], [`bottles`], [`holdings`]: the rules; [`password`]: Argon2id, a few at a time
//! - [`moderation`]: what keeps the sea kind; [`live`]: what happens on it, told at once
//! - [`store`]: all the SQL, over one SQLite file
//! - [`fields`], [`geo`], [`token`], [`clock`], [`error`]: the words that all of them share
//! - [`config`], [`logging`], [`shutdown`]: settings, the log, a clean end
//! - [`connections`], [`throttle`], [`headers`]: who waits too long, who tries too often, what browsers may do
//! - [`web`]: the page; [`lan`], [`certificate`]: how others on the network come to it
//! - [`server`]: where everything is mounted

pub mod accounts;
pub mod bottles;
pub mod certificate;
pub mod clock;
pub mod config;
pub mod connections;
pub mod contracts;
pub mod error;
pub mod fields;
pub mod geo;
pub mod headers;
pub mod health;
pub mod holdings;
pub mod lan;
pub mod live;
pub mod logging;
pub mod metrics;
pub mod moderation;
pub mod password;
pub mod pieces;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod throttle;
pub mod token;
pub mod transfer;
pub mod web;
