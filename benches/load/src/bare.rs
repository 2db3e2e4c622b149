//! The upper bound of Rocket: the same bytes for every request, from memory.

use std::path::Path;

use bottle::http::chunk_size::ResponseChunkSize;
use bottle::server::config;
use bottle_axum::session::cookie_key;
use rocket::config::{Config, LogLevel};
use rocket::http::{ContentType, CookieJar, Status};
use rocket::{State, get, routes};

use crate::Result;

/// The response that Bottle returned.
struct Answer(&'static [u8]);

#[get("/plain")]
fn plain(answer: &State<Answer>) -> (ContentType, &'static [u8]) {
    (ContentType::JSON, answer.0)
}

#[get("/api/bottles/nearby")]
fn nearby(
    cookies: &CookieJar<'_>,
    answer: &State<Answer>,
) -> std::result::Result<(ContentType, &'static [u8]), Status> {
    cookies.get_private("bottle_session").ok_or(Status::Unauthorized)?;
    Ok((ContentType::JSON, answer.0))
}

/// Serves the bytes in `answer`, with Rocket set up as Bottle sets it up.
pub fn run(db: &Path, answer: &Path) -> Result<()> {
    let bytes = std::fs::read(answer)?.leak();
    let figment = config::figment()
        .merge((Config::SECRET_KEY, cookie_key(db)?))
        .merge((Config::LOG_LEVEL, LogLevel::Off));
    let workers = Config::try_from(&figment)?.workers;
    let rocket = rocket::custom(figment)
        .manage(Answer(bytes))
        .attach(ResponseChunkSize)
        .mount("/", routes![plain, nearby]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(rocket.launch())?;
    Ok(())
}
