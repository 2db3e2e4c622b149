//! The README works as written, the settings table matches the code, and links lead to files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bottle::server::config::Settings;
use bottle_test_support::{Program, bottle};
use serde_json::Value;

use crate::security::is_test;

const README: &str = include_str!("../../README.md");
const SETTINGS: &str = include_str!("../../docs/settings.md");

/// Each line of the walk is run as it stands, but for the port; the comment below it is what it
/// printed, `…` standing for what is left out.
#[test]
fn every_line_of_the_walk_prints_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    let address = format!("127.0.0.1:{}", program.port);
    let mut printed = String::new();
    let mut lines = 0;
    for line in section(README, "## Try it").lines() {
        if let Some(shown) = line.strip_prefix("# ") {
            check_shown(shown, &printed);
        } else if line.starts_with("curl ") {
            printed = run(&line.replace("127.0.0.1:8000", &address), folder.path());
            lines += 1;
        }
    }
    assert!(lines >= 9, "the walk has {lines} lines only");
}

fn section(document: &'static str, title: &str) -> &'static str {
    let rest = document.split_once(title).unwrap_or_else(|| panic!("no section {title}")).1;
    rest.split("\n## ").next().unwrap_or(rest)
}

fn run(line: &str, folder: &Path) -> String {
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

#[test]
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
    let mut documented: Vec<(String, String)> = section(SETTINGS, "## Bottle's settings")
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
    documented.sort();
    assert_eq!(in_code, documented);
}

/// Every path in a code span of a document exists.
#[test]
fn every_path_in_the_documents_exists() {
    let mut paths = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for code in text.split('`').skip(1).step_by(2).filter(|code| is_path(code)) {
            assert!(Path::new(code).exists(), "{}: {code}", document.display());
            paths += 1;
        }
    }
    assert!(paths > 50, "{paths} paths");
}

fn is_path(code: &str) -> bool {
    let is_inside = code.split_once('/').is_some_and(|(folder, _)| Path::new(folder).is_dir());
    is_inside && !code.starts_with("target/") && !code.contains([' ', '*', '<', '{', '\n'])
}

/// Every test that `docs/architecture.md` names exists.
#[test]
fn every_test_in_the_architecture_exists() {
    let mut tests = 0;
    for code in include_str!("../../docs/architecture.md").split('`').skip(1).step_by(2) {
        let is_module = code.split_once("::").is_some_and(|(module, _)| {
            Path::new("tests/suite").join(module).with_extension("rs").exists()
        });
        if is_module && !code.contains(' ') {
            assert!(is_test(&format!("suite::{code}")), "{code}");
            tests += 1;
        }
    }
    assert!(tests >= 5, "{tests} tests");
}

/// The file of every relative link exists, and so does the section if the link names one.
#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut links = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let context = format!("{}: {link}", document.display());
            let target = match file.strip_prefix("../") {
                _ if file.is_empty() => document.clone(),
                Some(file) => file.into(),
                None => document.with_file_name(file),
            };
            assert!(target.exists(), "{context}");
            assert!(
                anchor.is_empty() || anchors(&target).any(|known| known == anchor),
                "{context}"
            );
            links += 1;
        }
    }
    assert!(links > 20, "{links} links");
}

/// Returns the documents in the root of the repository and in `docs/`.
fn documents() -> Vec<PathBuf> {
    let files = [".", "docs"].into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect()
}

/// Returns the anchors of a document's headings, as GitHub derives them.
fn anchors(document: &Path) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(document).unwrap();
    let headings: Vec<String> =
        text.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    headings.into_iter()
}

fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}
