//! The suite: Bottle over real sockets and real files, from outside.

#![allow(clippy::unwrap_used)] // in a test, to panic is to fail

mod accounts;
mod android;
mod app;
mod asvs;
mod backup;
mod bottles;
mod browsers;
mod cells;
mod check;
mod cli;
mod commands;
mod credentials;
mod document;
mod errors;
mod exchanges;
mod files;
mod hostile;
mod lan;
mod live;
mod locked;
mod logs;
mod model;
mod moderation;
mod nearest;
mod openapi;
mod page;
mod people;
mod positions;
mod program;
mod public_counts;
mod races;
mod readme;
mod rectangle;
mod routes;
mod secrets;
mod security;
mod slow;
mod throttle;
mod transfer;
mod watching;
mod xray;
