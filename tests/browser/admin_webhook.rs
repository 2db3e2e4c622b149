//! The sections of the webhook and of the import on the operator's page.

use bottle_test_support::{
    Answer, Program, Receiver, bottle, fast_settings_with, run_ok_with_input,
};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use super::{DESKTOP, PHONE, give_credentials, words};
use crate::driver::Browser;

/// Starts a server with the operator Root, whose webhook may send to this machine.
fn start() -> (TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    let hosts = "webhook_private_hosts=[\"127.0.0.1\"]";
    command.env("ROCKET_BOTTLE", fast_settings_with(hosts));
    let program = Program::start(command);
    run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
    (folder, program)
}

/// Opens a section of the operator's page as Root.
async fn open(program: &Program, language: &str, size: (u32, u32), section: &str) -> Browser {
    let page = Browser::open(program.port, language, size, &format!("admin#{section}")).await;
    page.click(words(language, "Log in", "登录")).await;
    give_credentials(&page, language, "root").await;
    page
}

async fn check_layout(page: &Browser, state: &str) {
    page.check_accessible(state).await;
    page.check_width().await;
}

/// The webhook is set, tested against a receiver that fails and comes back, and turned off.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_webhook_is_set_tested_and_turned_off(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start();
    let receiver = Receiver::new();
    let page = open(&program, language, size, "webhook").await;
    page.find("field", w("Address", "网址")).await;
    check_layout(&page, "no webhook").await;
    page.fill(w("Address", "网址"), "example.org").await;
    page.click(w("Save", "保存")).await;
    page.reads(w("Enter an address that begins", "网址须以")).await;

    page.fill(w("Address", "网址"), &receiver.url()).await;
    let events =
        ["Somebody registers", "A bottle is thrown", "A bottle is opened", "A reply is written"];
    let events_zh = ["有人注册", "有人扔瓶子", "瓶子被打开", "有人写回复"];
    for event in if language == "zh" { events_zh } else { events } {
        page.find("field", event).await.click().await.unwrap();
    }
    page.click(w("Save", "保存")).await;
    let secret = page.filled(w("Secret", "密钥")).await;
    assert!(secret.starts_with("whsec_"), "{secret}");
    check_layout(&page, "a new secret").await;
    let mut root = program.client();
    root.log_in("root", "pass");
    let webhook = root.get("/api/admin/webhook").data()["webhook"].clone();
    let chosen = ["bottle.reported", "reply.reported", "backup.failed", "disk.low"];
    assert_eq!((&webhook["url"], &webhook["events"]), (&json!(receiver.url()), &json!(chosen)));

    page.click(w("Send a test message", "发送测试消息")).await;
    page.reads(w("The test message was delivered.", "测试消息已送达。")).await;
    page.reads(w("Last delivery:", "上次送达：")).await;
    receiver.answer(Answer::Status(500));
    page.click(w("Send a test message", "发送测试消息")).await;
    page.reads("the receiver answered 500").await;
    page.reads(w("Last failure:", "上次失败：")).await;
    check_layout(&page, "a failed test").await;

    page.click(w("New secret", "更换密钥")).await;
    page.click(w("Make a new secret", "生成新密钥")).await;
    page.wait_for(&format!(
        "const secret = document.querySelector('#section input[readonly]')?.value;
         return secret?.startsWith('whsec_') && secret !== '{secret}'"
    ))
    .await;
    page.click(w("Turn off", "关闭")).await;
    check_layout(&page, "the question before it is turned off").await;
    page.click(w("Turn the webhook off", "关闭 Webhook")).await;
    page.reads(w("The webhook is off.", "Webhook 已关闭。")).await;
    page.reads_no_more(w("Send a test message", "发送测试消息")).await;
    assert_eq!(root.get("/api/admin/webhook").data(), json!({}));
    page.close(&[]).await;
}

/// A file is shown before it is imported: what would be added, and what is left out.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn points_are_imported_after_a_preview(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start();
    let point = |name: &str| {
        let geometry = json!({ "type": "Point", "coordinates": [1.0, 2.0] });
        json!({ "type": "Feature", "geometry": geometry, "properties": { "name": name } })
    };
    let wells = json!({
        "type": "FeatureCollection", "features": [point("a well"), point(""), point("a spring")]
    });
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (wells, broken) = (write("wells.geojson", wells.to_string()), write("x.json", "[1".into()));
    let page = open(&program, language, size, "points").await;
    let file = w("GeoJSON file", "GeoJSON 文件");
    page.find("field", file).await.send_keys(&broken).await.unwrap();
    check_layout(&page, "the import").await;
    page.click(w("Preview", "预览")).await;
    page.reads(w("This file is not a GeoJSON collection.", "这个文件不是 GeoJSON 集合。")).await;
    page.find("field", file).await.send_keys(&wells).await.unwrap();
    page.fill(w("Owner of the bottles", "瓶子的主人"), "nobody").await;
    page.click(w("Preview", "预览")).await;
    page.reads(w("No account has this username.", "没有这个用户名的账号。")).await;
    page.find("field", w("Owner of the bottles", "瓶子的主人")).await.clear().await.unwrap();
    page.click(w("Preview", "预览")).await;
    page.reads(w("2 bottles would be added.", "将添加 2 个瓶子。")).await;
    page.reads(w("1 feature is left out:", "1 个要素不会导入：")).await;
    page.reads("content, name, title or description").await;
    check_layout(&page, "the preview").await;
    let mut root = program.client();
    root.log_in("root", "pass");
    let created = || root.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len();
    assert_eq!(created(), 0);
    page.click(w("Import 2 bottles", "导入 2 个瓶子")).await;
    page.reads(w("2 bottles were added.", "已添加 2 个瓶子。")).await;
    assert_eq!(created(), 2);
    page.close(&["404"]).await;
}
