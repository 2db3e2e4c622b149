//! The suite: Bottle over real sockets and real files, from outside.

mod app;
mod credentials;
mod exchanges;
mod files;
mod hostile;
mod locked;
mod races;
mod readme;
mod rectangle;
mod routes;
