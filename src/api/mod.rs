//! The documented contracts, one per module. Each has the same parts in the same order (envelope,
//! guard, handlers, `routes()`, `describe()`, `catchers()`) and contains no rule and no SQL.

pub mod bookstore;
pub mod bottle;
pub mod ledger;
pub mod music;
