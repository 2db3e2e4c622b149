//! The page of the routes.

use serde_json::json;

use super::{DESKTOP, bob, start};
use crate::driver::Browser;

/// The page's own words are Chinese. The texts of the contracts are English and marked as such.
#[tokio::test]
async fn the_routes_have_the_language_of_the_page() {
    let (_folder, program) = start();
    let page = Browser::open(program.port, "zh", DESKTOP, "docs").await;
    page.click("PUT /api/users/self Change the profile 需要登录").await;
    page.find("field", "请求体").await;
    let foreign = page
        .run(
            "const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
            const foreign = [];
            while (walker.nextNode()) {
                const { parentElement: parent, data } = walker.currentNode;
                const isMarked = parent.closest('code, pre, textarea, [lang=en]:not(html)');
                if (!isMarked && /[a-z]/i.test(data) && !/\\p{Script=Han}/u.test(data)) foreign.push(data);
            }
            return foreign;",
        )
        .await;
    assert_eq!(foreign, serde_json::json!([]));
    let english = page.run("return document.querySelectorAll('[lang=en]').length").await;
    assert!(english.as_u64().unwrap() > 60, "{english}");
    page.close(&[]).await;
}

/// The page is translated and says so when the document cannot be loaded.
#[tokio::test]
async fn a_missing_document_is_reported() {
    let (_folder, program) = start();
    let mut page = Browser::open(program.port, "en", DESKTOP, "api/settings").await;
    page.run_in_new_documents(
        "const get = window.fetch;
        window.fetch = (url, options) => (String(url).includes('openapi')
            ? Promise.reject(new TypeError('no connection')) : get(url, options));",
    )
    .await;
    page.go("docs").await;
    page.reads("The server cannot be reached.").await;
    page.reads("API reference").await;
    page.close(&[]).await;
}

/// A visitor tries a route with an access token.
#[tokio::test]
async fn a_route_is_tried_with_an_access_token() {
    let (_folder, program) = start();
    let made = bob(&program).post("/api/tokens", &json!({ "name": "a script" })).data();
    let page = Browser::open(program.port, "en", DESKTOP, "docs").await;
    page.fill("Bottle: access token, instead of the cookie", made["token"].as_str().unwrap()).await;
    page.click("GET /api/users/self Return the account of the session needs a login").await;
    page.click("Send").await;
    page.reads("\"nickname\": \"Bob\"").await;
    page.close(&[]).await;
}
