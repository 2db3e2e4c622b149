//! The README does what it says.

use std::process::Command;

use bottle::server::config::Settings;
use rstest::rstest;
use serde_json::Value;

use crate::program::{Program, bottle};

const README: &str = include_str!("../../README.md");

/// Each line of the walk is run as it stands, but for the port; the comment below it is what it
/// printed, `…` standing for what is left out.
#[rstest]
fn every_line_of_the_walk_prints_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    let address = format!("127.0.0.1:{}", program.port);
    let mut printed = String::new();
    let mut lines = 0;
    for line in section("## Five minutes with curl").lines() {
        if let Some(shown) = line.strip_prefix("# ") {
            check_shown(shown, &printed);
        } else if line.starts_with("curl ") {
            printed = run(&line.replace("127.0.0.1:8000", &address), folder.path());
            lines += 1;
        }
    }
    assert!(lines >= 9, "the walk has {lines} lines only");
}

fn section(title: &str) -> &'static str {
    let rest = README.split_once(title).unwrap_or_else(|| panic!("no section {title}")).1;
    rest.split("\n## ").next().unwrap_or(rest)
}

fn run(line: &str, folder: &std::path::Path) -> String {
    let output = Command::new("bash").args(["-c", line]).current_dir(folder).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\n{error}\nIs curl here? apt-get install curl");
    String::from_utf8(output.stdout).unwrap()
}

fn check_shown(shown: &str, printed: &str) {
    let mut rest = printed;
    for part in shown.split('…') {
        let at = rest.find(part).unwrap_or_else(|| panic!("shown:\n{shown}\nprinted:\n{printed}"));
        rest = &rest[at + part.len()..];
    }
}

#[rstest]
fn the_settings_table_is_the_code() {
    let Ok(Value::Object(settings)) = serde_json::to_value(Settings::default()) else {
        panic!("settings are an object");
    };
    let mut in_code: Vec<(String, String)> = settings
        .into_iter()
        .map(|(name, default)| {
            let default = match default {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            (name, default)
        })
        .collect();
    let mut in_readme: Vec<(String, String)> = section("## Settings")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> =
                line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            assert_eq!(cells.len(), 6, "{line}");
            (cells[1].to_owned(), cells[2].to_owned())
        })
        .collect();
    in_code.sort();
    in_readme.sort();
    assert_eq!(in_code, in_readme);
}

/// The lesson names files that are there.
#[rstest]
fn every_link_of_the_documents_leads_somewhere() {
    for name in ["tour", "architecture", "operating", "contracts", "security", "decisions"] {
        let text = std::fs::read_to_string(format!("docs/{name}.md")).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap();
            let is_file = !target.is_empty() && !target.contains("://");
            let exists = std::path::Path::new("docs").join(target).exists();
            assert!(!is_file || exists, "{name}.md: {target}");
        }
    }
}
