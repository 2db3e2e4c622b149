//! The page of a standby, which shows the sea and names the primary.

use bottle_test_support::{Program, bottle, fast_settings_with, run_ok};

use super::{PHONE, bob, start};
use crate::driver::Browser;

/// Returns whether nothing covers the search for places, closed and opened.
const SEARCH_IS_FREE: &str = "
    const input = document.querySelector('.map-search input');
    const isFree = () => {
        const { x, y, width, height } = input.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2) === input;
    };
    const isFreeClosed = input && isFree();
    input?.focus();
    const isFreeOpen = input && isFree();
    input?.blur();
    return isFreeClosed && isFreeOpen";

#[tokio::test]
async fn a_standby_names_its_primary() {
    let (folder, primary) = start();
    bob(&primary);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("bottle.db");
    run_ok(folder.path(), &["backup", path.to_str().unwrap()]);
    let address = format!("http://127.0.0.1:{}", primary.port);
    let mut command = bottle(copy.path(), &["serve", "--standby"]);
    let settings = format!("primary_url=\"{address}\"");
    command.env("ROCKET_BOTTLE", fast_settings_with(&settings));
    let standby = Program::start(command);

    let page = Browser::open_dark(standby.port, "zh", PHONE, "#9/23.09/113.36").await;
    page.reads("这是备用服务器，只能查看。要扔瓶子或回复，请前往").await;
    // The banner stays, and the search works at a standby too.
    page.wait_for(SEARCH_IS_FREE).await;
    page.check_accessible("the banner of a standby").await;
    page.click("注册").await;
    page.fill("用户名", "ada").await;
    page.fill("密码", "pass").await;
    page.click("注册").await;
    page.reads(&format!("这是备用服务器，只能查看。请在 {address} 上操作。")).await;
    page.close(&["503"]).await;
}
