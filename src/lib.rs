//! Bottle serves drift bottles on a map from one machine, with one SQLite file.
//!
//! # Layout
//!
//! A folder is a layer, and a file imports only from its own layer and the layers below it
//! (`tests/suite/architecture.rs` checks this). From top to bottom:
//!
//! - `cli` (in the program `main.rs`): the command line, one module per command
//! - [`server`]: mounts everything; settings, log, metrics, health, shutdown
//! - [`api`]: one documented contract per module; [`web`]: the page
//! - [`http`]: code that the contracts share: request guards, rejections, security headers
//! - [`domain`]: the rules of accounts, bottles and moderation; no HTTP and no SQL
//! - [`store`]: all the SQL, over one SQLite file
//! - [`model`]: values that are valid or do not exist

pub mod api;
pub mod domain;
pub mod http;
pub mod model;
pub mod server;
pub mod store;
pub mod web;
