//! The sections of the operator's page.

use bottle_test_support::{Client, Program, run_ok_with_input};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{DESKTOP, PHONE, bob, log_in, start, words};
use crate::driver::Browser;

/// Starts a server with Bob's bottle and the operator Root, and returns her session.
fn start_school() -> (TempDir, Program, Client) {
    let (folder, program) = start();
    run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
    bob(&program);
    let mut root = program.client();
    root.log_in("root", "pass");
    (folder, program, root)
}

/// Opens a section as Root.
async fn open(program: &Program, language: &str, size: (u32, u32), section: &str) -> Browser {
    let page = Browser::open(program.port, language, size, "").await;
    log_in(&page, language, "root").await;
    page.go(&format!("admin#{section}")).await;
    page
}

async fn focused(page: &Browser) -> Value {
    page.run("return document.activeElement.ariaLabel ?? document.activeElement.textContent").await
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn people_are_added_found_and_changed(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, root) = start_school();
    let page = open(&program, language, size, "people").await;
    page.reads(w("2 people", "2 个用户")).await;
    page.check_accessible("the people").await;
    page.check_width().await;

    page.click(w("Add a person", "添加用户")).await;
    page.click(w("Add", "添加")).await;
    page.reads(w("Please fill this in.", "请填写")).await;
    page.fill(w("Username", "用户名"), "bob").await;
    page.click(w("Add", "添加")).await;
    page.reads(w("This username is taken.", "用户名已")).await;
    page.fill(w("Username", "用户名"), "ada").await;
    page.check_accessible("adding a person").await;
    page.click(w("Add", "添加")).await;
    let given = page.filled(w("One-time password", "一次性密码")).await;
    let mut ada = program.client();
    ada.log_in("ada", &given);
    page.check_accessible("a one-time password").await;
    page.click(w("Close", "关闭")).await;
    page.reads(w("3 people", "3 个用户")).await;
    let manage = w("Manage ada", "管理 ada");
    page.wait_for(&format!("return document.activeElement.ariaLabel === '{manage}'")).await;

    page.fill(w("Search by name", "按名字搜索"), "AD").await;
    page.reads(w("1 person", "1 个用户")).await;
    page.click(manage).await;
    page.click(w("Role", "角色")).await;
    let role = page.find("field", w("New role", "新角色")).await;
    role.select_by_value("teacher").await.unwrap();
    page.check_accessible("a person").await;
    page.check_width().await;
    page.click(w("Change role", "更改角色")).await;
    page.reads(w("ada has a new role.", "ada 的角色已更改。")).await;
    assert_eq!(ada.get("/api/users/self").data()["is_teacher"], true);
    page.wait_for(&format!("return document.activeElement.ariaLabel === '{manage}'")).await;

    page.click(manage).await;
    page.click(w("One-time password", "一次性密码")).await;
    page.click(w("New one-time password", "生成一次性密码")).await;
    page.click(w("Replace password", "更换密码")).await;
    let second = page.filled(w("One-time password", "一次性密码")).await;
    assert_eq!(ada.get("/api/users/self").status, 401);
    ada.log_in("ada", &second);
    page.click(w("Close", "关闭")).await;

    page.click(manage).await;
    page.click(w("Delete", "删除")).await;
    page.click(w("Delete account", "删除账号")).await;
    page.check_accessible("a deletion").await;
    page.click(w("Delete permanently", "永久删除")).await;
    page.reads(w("Nobody matches this search.", "没有符合条件的用户。")).await;
    assert_eq!(page.run("return document.activeElement.id").await, "people-search");
    assert_eq!(root.get("/api/admin/people?q=ada").data()["people"], json!([]));
    page.close(&["409"]).await;
}

/// An operator neither deletes their own account here nor leaves the server without an operator.
#[tokio::test]
async fn the_last_operator_is_protected() {
    let (_folder, program, _root) = start_school();
    let page = open(&program, "en", DESKTOP, "people").await;
    page.click("Manage root").await;
    page.reads("This is the last operator").await;
    page.find("button", "Rename").await;
    let text = page.text().await;
    for absent in ["New role", "Mute", "Delete"] {
        assert!(!text.contains(absent), "{absent}");
    }
    page.check_accessible("the last operator").await;
    page.close(&[]).await;
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_class_is_imported_and_its_sheet_is_shown_once(
    #[case] language: &str,
    #[case] size: (u32, u32),
) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program, root) = start_school();
    let file = folder.path().join("class.csv");
    // 小明 in GB 18030, as Chinese spreadsheets save it.
    let class =
        [b"username,nickname\r\nada,".as_slice(), b"\xd0\xa1\xc3\xf7", b"\r\nBOB,\r\n,x\r\n"];
    std::fs::write(&file, class.concat()).unwrap();
    let page = open(&program, language, size, "people").await;
    page.click(w("Import a class", "导入班级")).await;
    page.click(w("Preview", "预览")).await;
    page.reads(w("Please choose a file.", "请选择文件。")).await;
    let field = page.find("field", w("CSV file", "CSV 文件")).await;
    field.send_keys(file.to_str().unwrap()).await.unwrap();
    page.check_accessible("a file to import").await;
    page.click(w("Preview", "预览")).await;
    page.reads(w("1 account will be created. 2 lines will be skipped.", "将创建 1 个账号。")).await;
    page.reads(w("this username is taken", "用户名已存在")).await;
    page.reads("小明").await;
    page.check_accessible("a preview").await;
    page.check_width().await;
    assert_eq!(root.get("/api/admin/people?q=ada").data()["people"], json!([]));

    page.click(w("Create 1 account", "创建 1 个账号")).await;
    page.reads(w("Print this sheet now", "请立即打印")).await;
    page.check_accessible("the sheet").await;
    page.check_width().await;
    let heading = w("1 account has been created", "已创建 1 个账号");
    page.wait_for(&format!("return document.activeElement.textContent === '{heading}'")).await;
    let card =
        "return [...document.querySelectorAll('.sheet dd')].map((value) => value.textContent)";
    let card = page.run(card).await;
    assert_eq!(
        (card[0].as_str().unwrap(), &card[1]),
        (page.origin.trim_end_matches('/'), &json!("ada"))
    );
    program.client().log_in("ada", card[2].as_str().unwrap());

    // It is there after a visit to another section, until it is put away.
    page.click(w("Log", "操作记录")).await;
    page.reads(w("added an account", "添加账号")).await;
    page.click(w("People", "用户")).await;
    page.reads(w("Print this sheet now", "请立即打印")).await;
    page.click(w("Done, hide the passwords", "完成，隐藏密码")).await;
    page.reads(w("3 people", "3 个用户")).await;
    page.reads_no_more(card[2].as_str().unwrap()).await;
    page.close(&[]).await;
}

#[tokio::test]
async fn a_file_that_is_no_class_is_refused() {
    let (folder, program, _root) = start_school();
    let file = folder.path().join("picture.csv");
    std::fs::write(&file, [0x89, b'P', b'N', b'G', 0, 0xff]).unwrap();
    let page = open(&program, "en", DESKTOP, "people").await;
    page.click("Import a class").await;
    let field = page.find("field", "CSV file").await;
    field.send_keys(file.to_str().unwrap()).await.unwrap();
    page.click("Preview").await;
    page.reads("The first line of this file has no column").await;
    page.find("field", "CSV file").await;
    page.close(&["422"]).await;
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn an_invitation_is_made_projected_and_revoked(
    #[case] language: &str,
    #[case] size: (u32, u32),
) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, root) = start_school();
    let page = open(&program, language, size, "invitations").await;
    let modes = page.find("field", w("Who may register?", "谁可以注册？")).await;
    modes.select_by_value("invite").await.unwrap();
    page.click(w("Save", "保存")).await;
    page.reads(w("Saved.", "已保存。")).await;
    assert_eq!(root.get("/api/admin/registration").data()["registration"], "invite");

    page.click(w("New invitation", "新邀请")).await;
    page.fill(w("Number of people", "人数"), "0").await;
    page.click(w("Make invitation", "创建邀请")).await;
    page.reads(w("Enter a whole number from 1 to 10,000.", "请输入 1 到 10,000 之间的整数。"))
        .await;
    page.fill(w("Number of people", "人数"), "2").await;
    page.check_accessible("a new invitation").await;
    page.click(w("Make invitation", "创建邀请")).await;
    let link = page.filled(w("Link", "链接")).await;
    let code = link.rsplit('/').next().unwrap().to_owned();
    assert_eq!(link, format!("{}#invite/{code}", page.origin));
    page.check_accessible("the invitation").await;
    page.click(w("Show in full screen", "全屏显示")).await;
    page.reads(&code).await;
    page.click(w("Leave full screen", "退出全屏")).await;
    page.reads_no_more(&code).await;
    page.click(w("Close", "关闭")).await;
    let new = w("New invitation", "新邀请");
    page.wait_for(&format!("return document.activeElement.textContent === '{new}'")).await;

    let ada = json!({ "username": "ada", "password": "pass", "invitation": code });
    assert_eq!(program.client().post("/api/users", &ada).status, 200);
    page.reload().await;
    page.reads(w("1 of 2", "1 / 2")).await;
    page.check_accessible("the invitations").await;
    page.check_width().await;
    page.click(w("Revoke invitation 1", "撤销邀请 1")).await;
    page.click(w("Revoke now", "立即撤销")).await;
    page.reads(w("There are no invitations.", "没有邀请。")).await;
    assert_eq!(focused(&page).await, new);
    page.close(&[]).await;
}

#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn the_log_is_filtered(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program, root) = start_school();
    let path = format!("/api/admin/people/{}", 2);
    assert_eq!(root.put(&path, &json!({ "role": "teacher" })).status, 200);
    assert_eq!(root.put(&path, &json!({ "username": "bobby" })).status, 200);
    let page = open(&program, language, size, "log").await;
    page.reads(w("3 entries", "3 条记录")).await;
    page.reads(w("command line", "命令行")).await;
    page.check_accessible("the log").await;
    page.check_width().await;
    let action = page.find("field", w("Action", "操作")).await;
    action.select_by_value("rename_account").await.unwrap();
    page.fill(w("Done by", "操作者"), "ROOT").await;
    page.click(w("Filter", "筛选")).await;
    page.reads(w("1 entry", "1 条记录")).await;
    page.reads("bobby").await;
    let link = page.find("button", w("Download as CSV", "下载 CSV")).await;
    let link = link.attr("href").await.unwrap().unwrap();
    let file = root.get(link.strip_prefix(page.origin.trim_end_matches('/')).unwrap());
    assert_eq!(file.text.lines().count(), 2, "{}", file.text);
    assert!(file.text.contains(",root,rename_account,bob,,,,bobby"), "{}", file.text);

    // Back leads to the section before, and the filter stays.
    page.click(w("People", "用户")).await;
    page.find("field", w("Search by name", "按名字搜索")).await;
    page.run("history.back()").await;
    page.reads(w("1 entry", "1 条记录")).await;
    let current = "return document.querySelector('[aria-current]').getAttribute('href')";
    assert_eq!(page.run(current).await, "#log");
    page.close(&[]).await;
}
