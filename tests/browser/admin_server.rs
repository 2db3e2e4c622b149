//! The sections of the operator's page that run the server: backups, health and settings.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bottle_test_support::{Program, run_ok};
use rstest::rstest;
use rusqlite::Connection;

use super::admin::start_school;
use super::{DESKTOP, PHONE, bob, give_credentials, words};
use crate::driver::Browser;
use crate::exceptions::is_excepted;

/// Opens a section as Root.
async fn open_section(
    program: &Program,
    language: &str,
    size: (u32, u32),
    section: &str,
) -> Browser {
    let page = Browser::open(program.port, language, size, &format!("admin#{section}")).await;
    page.click(words(language, "Log in", "登录")).await;
    give_credentials(&page, language, "root").await;
    page
}

/// Returns the name and the bytes of the file that the page's download link leads to.
pub(super) async fn download(page: &Browser) -> (String, Vec<u8>) {
    let download = "const link = document.querySelector('a[download]');
        const bytes = new Uint8Array(await (await fetch(link.href)).arrayBuffer());
        return { name: link.download, hex: Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') };";
    let script = format!("(async () => {{ {download} }})().then(done, done)");
    let downloaded = page.run_async(&script).await;
    let hex = downloaded["hex"].as_str().unwrap();
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    (downloaded["name"].as_str().unwrap().to_owned(), bytes)
}

/// Takes a backup, downloads it with the session of the page, and hands it to `bottle restore`.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_backup_is_taken_and_downloaded(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start_school();
    let page = open_section(&program, language, size, "backups").await;
    page.reads(w("There are no backups yet.", "还没有备份。")).await;
    page.check_accessible("no backups").await;
    page.click(w("Back up now", "立即备份")).await;
    page.reads(w("The backup is made and checked.", "备份已完成并通过检查。")).await;
    page.reads(w("Sound", "完好")).await;
    page.reads("bottle restore").await;
    page.check_accessible("a backup").await;
    page.check_width().await;

    let (name, bytes) = download(&page).await;
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(folder.path().join("backups").join(&name).exists(), "{name}");
    fs::write(elsewhere.path().join(&name), bytes).unwrap();
    let restored = run_ok(elsewhere.path(), &["restore", &name]);
    assert!(restored.contains("2 accounts"), "{restored}");
    page.close(&[]).await;
}

/// A failed backup says so in words and with its reason, until one is made. The schedule is saved.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_failed_backup_is_shown_and_the_schedule_is_saved(
    #[case] language: &str,
    #[case] size: (u32, u32),
) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start_school();
    // In the place of the folder.
    fs::write(folder.path().join("backups"), "Dear diary").unwrap();
    let page = open_section(&program, language, size, "health").await;
    page.reads(w("Bottles on the sea", "海面上的瓶子")).await;
    page.go("admin#backups").await;
    page.click(w("Back up now", "立即备份")).await;
    page.reads(w("The last backup failed", "上次备份失败")).await;
    page.reads("Not a directory").await;
    page.check_accessible("a failed backup").await;
    page.check_width().await;
    page.click(w("Health", "运行状况")).await;
    page.reads(w("Warning:", "警告：")).await;
    page.check_accessible("a warning").await;
    page.click(w("Check the database now", "立即检查数据库")).await;
    page.reads(w("nothing is wrong", "没有问题")).await;
    page.check_width().await;

    fs::remove_file(folder.path().join("backups")).unwrap();
    page.click(w("Backups", "备份")).await;
    page.reads(w("No nightly backup is scheduled.", "没有安排每晚备份。")).await;
    page.fill(w("Backups to keep", "保留的备份数"), "1001").await;
    page.click(w("Save the schedule", "保存安排")).await;
    page.reads(w("Enter a whole number from 0 to 1,000.", "请输入 0 到 1,000 的整数。")).await;
    page.fill(w("Backups to keep", "保留的备份数"), "7").await;
    page.click(w("Save the schedule", "保存安排")).await;
    page.reads(w("The next backup is due on", "下次备份时间：")).await;
    page.click(w("Back up now", "立即备份")).await;
    page.reads_no_more(w("The last backup failed", "上次备份失败")).await;
    page.close(&[]).await;
}

/// Turns the first page of messages into one of another kind, as a broken disk may, in a file that is served.
fn damage_messages(path: &Path) {
    let db = Connection::open(path).unwrap();
    // After a change by another program the server keeps nothing that it has read before.
    db.execute_batch("UPDATE bottles SET style = style; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let sql = "SELECT (pageno - 1) * page_size FROM dbstat, pragma_page_size
               WHERE name = 'messages' AND pagetype = 'leaf' LIMIT 1";
    let page: u32 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&[0], page.into()).unwrap();
}

/// Damage that a reader meets is a warning on the operator's page.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn damage_is_a_warning(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (folder, program) = start_school();
    bob(&program);
    let mut grace = program.client();
    grace.log_in("grace", "pass");
    let page = open_section(&program, language, size, "health").await;
    page.reads(w("Running for", "已运行")).await;
    damage_messages(&folder.path().join("bottle.db"));
    assert_eq!(grace.send("POST", "/api/bottles/1/open", &[], None).status, 503);
    page.reads(w("Warning: The database is damaged.", "警告： 数据库已损坏。")).await;
    page.check_accessible("a damaged database").await;
    page.check_width().await;
    if !is_excepted() {
        page.prefer_dark();
        page.check_accessible("a damaged database in the dark").await;
    }
    page.close(&[]).await;
}

/// A setting that changes on the page says that it comes from there.
#[rstest]
#[case::desktop("zh", DESKTOP)]
#[case::phone("en", PHONE)]
#[tokio::test]
async fn a_setting_is_changed(#[case] language: &str, #[case] size: (u32, u32)) {
    let w = |en, zh| words(language, en, zh);
    let (_folder, program) = start_school();
    let page = open_section(&program, language, size, "settings").await;
    page.reads("map_cache_mib").await;
    page.check_accessible("the settings").await;
    page.check_width().await;
    let save = "const form = document.querySelector('form[data-setting=public_counts]');
        form.value.value = 'false';
        form.querySelector('button').focus();
        form.requestSubmit();";
    page.run(save).await;
    page.reads(w("Saved. It is in force.", "已保存并生效。")).await;
    assert_eq!(program.client().get("/api/settings").data()["public_counts"], false);
    let source = "return document.querySelector('.source-page').textContent";
    assert_eq!(page.run(source).await, w("this page", "此页面"));
    let focus = "return document.activeElement.closest('form')?.dataset.setting";
    assert_eq!(page.run(focus).await, "public_counts");
    page.close(&[]).await;
}
