//! The page while its server is away, over HTTPS, where browsers allow a service worker.

use bottle_test_support::{Program, bottle};
use rstest::rstest;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, start};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

const AWAY: &str = "The server cannot be reached.";

fn start_https(port: u16, folder: &TempDir) -> Program {
    let mut command = bottle(folder.path(), &["serve", "--tls", "auto"]);
    command.env("ROCKET_PORT", port.to_string());
    Program::start(command)
}

/// Returns a sea with a bottle of Bob's, and opens its page over HTTPS.
async fn open(size: (u32, u32)) -> (TempDir, Program, Browser) {
    let (folder, program) = start();
    bob(&program);
    drop(program);
    let program = start_https(0, &folder);
    let origin = format!("https://127.0.0.1:{}/", program.port);
    let page = Browser::open_at(origin, "en", size, "#9/23.09/113.36").await;
    (folder, program, page)
}

/// Waits until the service worker keeps a file of the page, or what the map shows.
async fn wait_until_kept(page: &Browser, cache: &str, path: &str) {
    page.wait_for(&format!(
        "return caches.open('{cache}').then((cache) => cache.keys()).then((kept) =>
            kept.some(({{ url }}) => new URL(url).pathname === '{path}'))"
    ))
    .await;
}

/// A reader who comes while the server is away sees the page with the last seen sea, and the server when it is back.
#[rstest]
#[tokio::test]
async fn the_page_shows_the_last_seen_sea(#[values(DESKTOP, PHONE)] size: (u32, u32)) {
    if is_excepted() {
        return;
    }
    let (folder, program, page) = open(size).await;
    let port = program.port;
    log_in(&page, "en", "bob").await;
    page.reads("1 bottle in view").await;
    wait_until_kept(&page, "page", "/js/map/piles.js").await;
    page.reload().await;
    page.reads("1 bottle in view").await;
    wait_until_kept(&page, "sea", "/api/bottles/nearby").await;
    drop(program);
    page.reload().await;
    page.reads(AWAY).await;
    page.reads("1 bottle in view").await;
    page.check_accessible("the page of a server that is away").await;
    let _program = start_https(port, &folder);
    page.reads_no_more(AWAY).await;
    page.close(&["net::ERR_"]).await;
}

/// A browser keeps nothing of what an account saw once it has logged out.
#[tokio::test]
async fn a_logout_deletes_what_the_account_saw() {
    if is_excepted() {
        return;
    }
    let (_folder, _program, page) = open(DESKTOP).await;
    log_in(&page, "en", "bob").await;
    wait_until_kept(&page, "page", "/js/map/piles.js").await;
    page.reload().await;
    wait_until_kept(&page, "sea", "/api/bottles/nearby").await;
    page.click("Account: Bob").await;
    page.click("Log out").await;
    page.find("button", "Register").await;
    page.wait_for(
        "return caches.open('sea').then((cache) => cache.keys()).then((kept) =>
            !kept.some(({ url }) => url.includes('nearby')))",
    )
    .await;
    page.close(&[]).await;
}

/// Over plain HTTP the page works without a service worker.
#[tokio::test]
async fn plain_http_has_no_service_worker() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.find("button", "Throw a bottle").await;
    page.wait_for("return document.querySelector('.welcome') && true").await;
    let count = "return navigator.serviceWorker
        ? navigator.serviceWorker.getRegistrations().then((all) => all.length) : 0";
    assert_eq!(page.run(count).await, 0);
    page.close(&[]).await;
}
