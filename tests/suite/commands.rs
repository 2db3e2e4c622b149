//! The command line: each command says what it is for, with an example, and is in the documents.

use std::collections::BTreeSet;
use std::fs;

use bottle_test_support::bottle;

fn help(command: &[String]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
    args.push("--help");
    let output = bottle(folder.path(), &args).output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// All commands, those within others too, with their help.
fn commands(within: &[String]) -> Vec<(Vec<String>, String)> {
    let text = help(within);
    let listed = text.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let names = listed.lines().take_while(|line| !line.is_empty());
    let names =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let below = names.flat_map(|name| commands(&[within, &[name.to_owned()]].concat())).collect();
    [vec![(within.to_vec(), text.clone())], below].concat()
}

#[test]
fn every_command_and_flag_is_in_the_documents_and_has_an_example() {
    let mut documents = fs::read_to_string("README.md").unwrap();
    for name in ["operating.md", "security.md", "settings.md"] {
        documents += &fs::read_to_string(format!("docs/{name}")).unwrap();
    }
    let commands = commands(&[]);
    assert!(commands.len() > 12, "{commands:?}");
    let mut flags = BTreeSet::new();
    for (command, help) in &commands {
        assert!(help.contains("Example"), "{command:?} has no example");
        if let Some(name) = command.last() {
            let called = format!("bottle {}", command.join(" "));
            let is_documented =
                documents.contains(&called) || documents.contains(&format!("`{name}`"));
            assert!(is_documented, "{called} is in no document");
        }
        flags.extend(
            help.split_whitespace()
                .filter(|word| word.starts_with("--"))
                .map(|flag| flag.trim_end_matches(|c: char| !c.is_ascii_lowercase()).to_owned()),
        );
    }
    for flag in flags.iter().filter(|flag| !["--help", "--version"].contains(&flag.as_str())) {
        assert!(documents.contains(flag.as_str()), "{flag} is in no document");
    }
}
