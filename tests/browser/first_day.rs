//! The first day of a server, from an empty folder and without a terminal: an operator is made, a class invited, a
//! bottle hidden, and a backup taken home.

use std::fs;

use bottle_test_support::{Program, bottle, run_ok};
use serde_json::json;

use super::admin_server::download;
use super::setup::setup_path;
use super::{DESKTOP, PHONE};
use crate::driver::Browser;

const CLASS: usize = 30;

/// Makes the operator through the printed link, who then lets in only people with an invitation.
async fn set_up(program: &Program) -> Browser {
    let page = Browser::open(program.port, "en", DESKTOP, &setup_path(program)).await;
    page.fill("Username", "root").await;
    page.fill("Password", "pass").await;
    page.click("Create the account").await;
    page.find("button", "My bottles").await;
    page.go("admin#invitations").await;
    let mode = page.find("field", "Who may register?").await;
    mode.select_by_value("invite").await.unwrap();
    page.click("Save").await;
    page.reads("Saved.").await;
    page
}

/// Invites the class, and returns the link that the QR code holds.
async fn invite(page: &Browser) -> String {
    page.click("New invitation").await;
    page.fill("Number of people", &CLASS.to_string()).await;
    page.click("Make invitation").await;
    let link = page.filled("Link").await;
    page.click("Show in full screen").await;
    page.wait_for("return document.querySelector('img[alt=\"QR code of the link\"]')?.complete")
        .await;
    link
}

/// Registers all pupils but the first, and returns the status that one more gets.
fn register_others(program: &Program, code: &str) -> u16 {
    let mut statuses = (1..=CLASS).map(|number| {
        let pupil =
            json!({ "username": format!("pupil{number}"), "password": "pass", "invitation": code });
        program.client().post("/api/users", &pupil).status
    });
    assert!(statuses.by_ref().take(CLASS - 1).all(|status| status == 200));
    statuses.next().unwrap()
}

#[tokio::test]
async fn a_server_is_run_from_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &["serve", "--lan"]));
    let page = set_up(&program).await;
    let link = invite(&page).await;

    let (_, path) = link.split_once("/#").unwrap();
    let phone = Browser::open(program.port, "en", PHONE, &format!("#{path}")).await;
    phone.fill("Username", "ada").await;
    phone.fill("Password", "pass").await;
    phone.click("Register").await;
    phone.find("button", "My bottles").await;
    assert_eq!(register_others(&program, path.rsplit('/').next().unwrap()), 403);
    let mut ada = program.client();
    ada.log_in("ada", "pass");
    let id = ada.throw(23.09, 113.36);

    page.go(&format!("#bottle/{id}")).await;
    page.click("Open").await;
    page.click("Hide this bottle").await;
    page.reads("The bottle is hidden.").await;

    page.go("admin#backups").await;
    page.click("Back up now").await;
    page.reads("The backup is made and checked.").await;
    let (name, bytes) = download(&page).await;
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(&name), bytes).unwrap();
    run_ok(home.path(), &["restore", &name]);
    let restored = Program::start(bottle(home.path(), &[]));
    let mut root = restored.client();
    root.log_in("root", "pass");
    assert_eq!(root.get("/api/teacher/bottles?state=hidden").data()["bottles"][0]["bottle_id"], id);
    assert_eq!(
        root.get("/api/admin/people?limit=100").data()["people"].as_array().unwrap().len(),
        1 + CLASS
    );
    phone.close(&[]).await;
    page.close(&[]).await;
}
