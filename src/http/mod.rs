//! Code that the contracts share: request bodies, the session guard, rejections, and the fairings
//! that protect every route.

pub mod chunk_size;
pub mod connections;
pub mod mounts;
pub mod openapi;
pub mod security_headers;
pub mod webhook;

mod body;
pub(crate) mod budget;
mod client_ip;
mod connection;
mod csrf;
mod drain;
mod etag;
mod feed_secret;
mod messages_zh;
mod method_override;
mod qr_code;
mod rejection;
mod session;
mod standby;
mod strict_json;

pub use body::{Body, LenientBody, OptionalBody};
pub use budget::ByteBudget;
pub(crate) use client_ip::check_rate_limit;
pub use client_ip::{ClientIp, RegistrationLimit, SetupLimit};
pub use connection::ClientConnection;
pub use csrf::{PublicUrl, routes as csrf_routes};
pub use drain::routes as drain_routes;
pub use etag::is_cached;
pub(crate) use feed_secret::feed_secret;
pub use feed_secret::take_feed_secret;
pub(crate) use messages_zh::problem_message;
pub use method_override::NoMethodOverride;
pub use qr_code::qr_code;
pub(crate) use rejection::respond;
pub use rejection::{Lifetimes, Rejection};
pub use session::{Credential, Session, account_of};
pub use standby::routes as standby_routes;
