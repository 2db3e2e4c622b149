//! The suite: Bottle over real sockets and real files, from outside.

#![allow(clippy::unwrap_used)] // in a test, to panic is to fail

mod accounts;
mod android;
mod app;
mod asvs;
mod backup;
mod bottles;
mod browsers;
mod check;
mod cli;
mod commands;
mod credentials;
mod document;
mod errors;
mod exchanges;
mod files;
mod hidden_bottles;
mod hostile;
mod import_foreign;
mod json_bodies;
mod lan;
mod live;
mod locked;
mod logs;
mod model;
mod moderation;
mod music_faults;
mod name_guessing;
mod names;
mod nearest;
mod openapi;
mod page;
mod people;
mod program;
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
