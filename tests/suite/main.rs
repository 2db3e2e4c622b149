//! The suite: Bottle over real sockets and real files, from outside.

mod app;
mod credentials;
mod exchanges;
mod hostile;
mod readme;
mod routes;
