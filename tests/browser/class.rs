//! Guest classes: the teacher opens, ends and deletes one, and pupils join it with a code and a nickname.

use bottle_test_support::{Client, Program, run_ok_with_input};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, log_in, start, words};
use crate::driver::Browser;

/// Starts a server with the teacher Grace, and returns her session.
fn start_school() -> (TempDir, Program, Client) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "grace", "--teacher"], "pass\n");
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    (folder, program, grace)
}

fn open_class(grace: &Client) -> String {
    let opened = grace.post("/api/teacher/classes", &json!({ "minutes": 30 })).data();
    opened["code"].as_str().unwrap().to_owned()
}

/// Opens the link of a class and joins it.
async fn join(program: &Program, language: &str, code: &str, nickname: &str) -> Browser {
    let w = |en, zh| words(language, en, zh);
    let page = Browser::open(program.port, language, PHONE, &format!("#class/{code}")).await;
    assert_eq!(page.filled(w("Class code", "课堂码")).await, code);
    page.check_accessible("joining").await;
    page.fill(w("Nickname", "昵称"), nickname).await;
    page.click(w("Join", "加入")).await;
    page.find("button", w("My bottles", "我的瓶子")).await;
    page
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_class_from_its_opening_to_its_deletion(
    #[case] language: &str,
    #[case] size: (u32, u32),
) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, grace) = start_school();
    let teacher = Browser::open(program.port, language, size, "").await;
    log_in(&teacher, language, "grace").await;
    teacher.go("teacher").await;
    teacher.fill(w("Minutes", "时长（分钟）"), "999").await;
    teacher.click(w("Open a guest class", "开始游客课堂")).await;
    teacher.reads(w("Enter a whole number from 1 to 480.", "请输入 1 到 480")).await;
    teacher.fill(w("Minutes", "时长（分钟）"), "30").await;
    teacher.click(w("Open a guest class", "开始游客课堂")).await;
    let code = teacher.wait_for("return document.querySelector('.class-code')?.textContent").await;
    let code = code.as_str().unwrap();
    teacher
        .wait_for("return document.querySelector('.class-invitation img').naturalWidth > 0")
        .await;
    teacher.check_accessible("an open class").await;
    teacher.check_width().await;

    let pupil = join(&program, language, code, "Zoë").await;
    let account = w("Account: Zoë", "账号：Zoë");
    pupil.click(account).await;
    pupil.reads(w("You are a guest in a class", "你是课堂的游客")).await;
    let text = pupil.text().await;
    assert!(!text.contains(w("Change password", "修改密码")), "{text}");
    assert!(!text.contains(w("Access tokens", "访问令牌")), "{text}");
    pupil.check_accessible("the account of a guest").await;
    pupil.check_width().await;
    pupil.click(w("Close", "关闭")).await;
    pupil.click(w("Throw a bottle", "扔漂流瓶")).await;
    pupil.fill(w("Message", "留言"), "From a guest.").await;
    pupil.fill(w("Latitude", "纬度"), "23.1").await;
    pupil.fill(w("Longitude", "经度"), "113.3").await;
    pupil.click(w("Throw", "扔出")).await;
    pupil.reads(w("Your bottle is on the sea.", "你的漂流瓶")).await;

    teacher.reads(w("1 guest · 1 bottle", "1 位游客 · 1 个漂流瓶")).await;
    teacher.click(w("End the class", "结束课堂")).await;
    teacher.click(w("End it now", "现在结束")).await;
    teacher.reads(w("The class has ended.", "课堂已结束。")).await;
    pupil.click(w("My bottles", "我的瓶子")).await;
    pupil.reads(w("The class has ended.", "课堂已结束。")).await;
    pupil.check_accessible("an ended class").await;
    pupil.find("button", w("Join another class", "加入其他课堂")).await;

    let file =
        teacher.find("button", w("Download the bottles (GeoJSON)", "下载漂流瓶（GeoJSON）")).await;
    assert_eq!(file.attr("download").await.unwrap().as_deref(), Some("class-1.geojson"));
    let address = format!("{}api/teacher/classes/1/sea", teacher.origin);
    assert_eq!(file.prop("href").await.unwrap(), Some(address));
    assert_eq!(
        grace.get("/api/teacher/classes/1/sea").json()["features"][0]["properties"]["content"],
        "From a guest."
    );
    teacher.check_accessible("an ended class on the teacher's page").await;
    teacher.click(w("Delete the class", "删除课堂")).await;
    teacher.reads(w("This cannot be undone.", "此操作无法恢复。")).await;
    teacher.click(w("Delete all", "全部删除")).await;
    teacher.reads(w("The class is deleted.", "课堂已删除。")).await;
    teacher.reads_no_more("1 guest").await;
    assert_eq!(grace.get("/api/teacher/classes").data()["classes"], json!([]));
    pupil.close(&["401"]).await;
    teacher.close(&[]).await;
}

/// The login dialog of the map leads to the code.
#[rstest]
#[tokio::test]
async fn a_pupil_types_the_code(#[values("en", "zh")] language: &str) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, grace) = start_school();
    let code = open_class(&grace);
    let page = Browser::open_dark(program.port, language, PHONE, "#5/23/113").await;
    page.reads(w("No bottles here", "没有漂流瓶")).await;
    page.click(w("Log in", "登录")).await;
    page.click(w("Join a class with a code", "用课堂码加入课堂")).await;
    page.find("field", w("Class code", "课堂码")).await;
    page.click(w("Join", "加入")).await;
    page.reads(w("Please fill this in.", "请填写")).await;
    page.fill(w("Class code", "课堂码"), "wrong!").await;
    page.fill(w("Nickname", "昵称"), "Max").await;
    page.click(w("Join", "加入")).await;
    page.reads(w("This code is wrong, or the class has ended.", "课堂码有误")).await;
    page.check_accessible("a wrong code").await;
    page.fill(w("Class code", "课堂码"), &code.to_lowercase()).await;
    page.click(w("Join", "加入")).await;
    page.find("button", w("Account: Max", "账号：Max")).await;

    // The link of a class does nothing for somebody who is logged in.
    page.follow(&format!("#class/{code}")).await;
    page.reads(w("Log out to join a class.", "退出登录后才能加入课堂")).await;
    page.close(&["403"]).await;
}

/// A guest whose class ended while the page was closed learns why it shows nothing.
#[tokio::test]
async fn the_page_says_that_the_class_has_ended() {
    let (_folder, program, grace) = start_school();
    let page = join(&program, "en", &open_class(&grace), "Zoe").await;
    page.go("api/settings").await;
    assert_eq!(grace.put("/api/teacher/classes/1/end", &json!({})).status, 200);
    page.go("").await;
    page.reads("The class has ended.").await;
    page.click("Join another class").await;
    let code = open_class(&grace);
    page.fill("Class code", &code).await;
    page.fill("Nickname", "Zoe").await;
    page.click("Join").await;
    page.find("button", "Account: Zoe").await;
    page.close(&["401"]).await;
}
