//! The suite: Bottle over real sockets and real files, from outside.

mod app;
mod exchanges;
mod readme;
