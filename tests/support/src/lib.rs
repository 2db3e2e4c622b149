//! Helpers that the test programs in `tests/` share.
//!
//! # Overview
//!
//! | item | purpose |
//! | --- | --- |
//! | [`App`] | a server in the test's own process, with a temporary folder and a clock that can be moved |
//! | [`Client`], [`Response`] | sends requests over TCP and checks each response against the OpenAPI document |
//! | [`Program`], [`bottle`], [`run`] | the compiled program as a process: signals, command line, log |
//! | [`fast_settings`], [`fast_settings_with`] | settings with cheap password hashes and without rate limits |
//! | [`document`] | the OpenAPI document, for tests that go through all operations |
//! | [`Receiver`], [`Answer`] | receives the messages of the webhook, and answers as the test says |
//! | [`Random`] | a seeded generator, for the same data in each run |
//!
//! Prefer [`App`]: it starts in milliseconds, and a panic of the server shows in the test's output. Use
//! [`Program`] if the test needs what only a process has: a signal, an exit code, a log, an address space.
//!
//! # Example
//!
//! Starts a server, registers an account, sends a request and checks the response:
//!
//! ```
//! use bottle_test_support::App;
//! use serde_json::json;
//!
//! let app = App::new();
//! let ada = app.user("ada"); // registered and logged in
//! let id = ada.throw(23.06, 113.4);
//!
//! let response = ada.get(&format!("/api/bottles/{id}/openers"));
//! assert_eq!(response.status, 200);
//! assert_eq!(response.data()["openers_count"], 0);
//!
//! // A visitor is rejected.
//! let body = json!({ "reason": "unkind" });
//! assert_eq!(app.anon().post(&format!("/api/bottles/{id}/report"), &body).status, 401);
//! // A session ends after a year.
//! app.clock.advance(std::time::Duration::from_secs(366 * 24 * 60 * 60));
//! assert_eq!(ada.get("/api/users/self").status, 401);
//! ```
//!
//! # Rules
//!
//! - Each test has its own [`App`] or [`Program`], so tests run in parallel.
//! - A test waits for a state, at most [`TIMEOUT`], and measures no time.
//! - All helpers panic on failure, at the line of the test that called them.

#![allow(clippy::unwrap_used)] // in a test, to panic is to fail

mod app;
mod client;
pub mod document;
mod program;
mod random;
mod receiver;
mod settings;

use std::time::Duration;

pub use app::{App, open_store, store_options};
pub use client::{Client, Response, connect, read_until_closed};
pub use program::{
    Program, bottle, file_names, run, run_err, run_err_with_input, run_ok, run_ok_with_input,
    run_with_input,
};
pub use random::Random;
pub use receiver::{Answer, Received, Receiver};
pub use settings::{fast_settings, fast_settings_with};

/// The longest time that a test waits for anything. It is far above what any machine needs.
pub const TIMEOUT: Duration = Duration::from_secs(120);
