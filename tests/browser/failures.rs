//! Faults on the side of the browser: damaged or denied storage, and errors of the page's own code.

use super::{DESKTOP, bob, register, start};
use crate::driver::Browser;
use rstest::rstest;

/// Replaces each value that the page stores by a damaged one.
const DAMAGE_STORAGE: &str = "
    for (const key of ['bottle.user', 'bottle.draft.2', 'bottle.place', 'bottle.language']) {
        localStorage.setItem(key, '{damaged');
    }
    sessionStorage.setItem('bottle.draft', '{damaged');";

/// Denies access to the storage, as a browser does when its user blocks site data.
const DENY_STORAGE: &str = "
    for (const name of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, name, {
            get() { throw new DOMException('denied', 'SecurityError'); },
        });
    }";

/// Makes the drawing of a bottle fail.
const FAIL_DRAWING: &str = "
    CanvasRenderingContext2D.prototype.drawImage = () => { throw new Error('drawing fails'); };";

#[rstest]
#[case::damaged(DAMAGE_STORAGE)]
#[case::denied(DENY_STORAGE)]
#[tokio::test]
async fn the_page_works_without_its_stored_values(#[case] fault: &str) {
    let (_folder, program) = start();
    bob(&program);
    let mut page = Browser::open(program.port, "en", DESKTOP, "#9/23.09/113.36").await;
    page.reads("1 bottle in view").await;
    page.run_in_new_documents(fault).await;
    page.reload().await;
    page.reads("1 bottle in view").await;
    register(&page, "en", "ada").await;
    page.click("Throw a bottle").await;
    assert_eq!(page.value("Message").await, "");
    page.fill("Message", "Thrown without storage.").await;
    page.fill("Latitude", "23.1").await;
    page.fill("Longitude", "113.3").await;
    page.click("Throw").await;
    page.reads("2 bottles in view").await;
    page.close(&[]).await;
}

/// An error of the page's own code reaches the console. The page does not take it for a lost connection.
#[rstest]
#[case::map("#9/23.09/113.36")]
#[case::projector("live")]
#[tokio::test]
async fn a_drawing_error_is_not_a_lost_connection(#[case] path: &str) {
    let (_folder, program) = start();
    bob(&program);
    let mut page = Browser::open(program.port, "en", DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.run_in_new_documents(FAIL_DRAWING).await;
    page.go(path).await;
    page.reload().await;
    page.logs("drawing fails").await;
    assert!(!page.text().await.contains("cannot be reached"));
    page.close(&["drawing fails"]).await;
}

/// A style sheet that could not be loaded is loaded by the next part of the page that needs it.
#[tokio::test]
async fn a_lost_style_sheet_is_loaded_again() {
    const LOAD_TWICE: &str = "
        const { append } = document.head;
        document.head.append = function (link) {
            if (link.rel === 'stylesheet') link.href = 'css/lost.css';
            append.call(this, link);
        };
        const count = () => document.querySelectorAll('link[href=\"css/projector.css\"]').length;
        import('/js/lib/dom.js').then(async ({ loadStyle }) => {
            await loadStyle('projector');
            document.head.append = append;
            await loadStyle('projector');
            await loadStyle('projector');
            done(count());
        });";
    let (_folder, program) = start();
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    assert_eq!(page.run_async(LOAD_TWICE).await, 1);
    page.close(&["404", "MIME"]).await;
}

/// A registration whose answer was lost is done: the next attempt logs in.
#[tokio::test]
async fn a_registration_without_an_answer_is_not_taken() {
    const LOSE_ONE_ANSWER: &str = "{
        const fetch = window.fetch.bind(window);
        window.fetch = async (url, options) => {
            const response = await fetch(url, options);
            if (!new URL(url, document.baseURI).pathname.endsWith('/api/users')) return response;
            window.fetch = fetch;
            throw new TypeError('the connection broke');
        };
    }";
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "").await;
    page.click("Register").await;
    page.fill("Username", "ada").await;
    page.fill("Password", "pass").await;
    page.run(LOSE_ONE_ANSWER).await;
    page.click("Register").await;
    page.reads("The server cannot be reached. Try again.").await;
    page.click("Register").await;
    page.reads("Hello, ada!").await;
    page.close(&["409"]).await;
}
