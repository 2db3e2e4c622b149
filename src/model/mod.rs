//! Values that every layer may use. A value that breaks its type's rule cannot be created.

pub mod access;
pub mod class;
pub mod clock;
pub mod error;
pub mod fields;
pub mod geo;
pub mod hilbert;
pub mod holding;
pub mod hourly;
pub mod inbox;
pub mod invitation;
pub mod live;
pub mod network;
pub mod registration;
pub mod role;
pub mod token;
pub mod webhook;
