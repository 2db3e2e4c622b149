//! `docs/asvs.md` answers every requirement of ASVS 5.0 at levels 1 and 2, and what it names exists.

use std::collections::BTreeSet;
use std::fs;

const ASVS: &str = include_str!("../../docs/asvs.md");

/// The ids of all requirements at levels 1 and 2.
const IDS: &str = include_str!("asvs-5.0-ids.txt");

/// A line of the table.
struct Row {
    id: &'static str,
    answer: Answer,
    remark: &'static str,
}

enum Answer {
    /// Tests that fail when the behaviour is gone.
    Passes(Vec<&'static str>),
    /// Files, or sections of files.
    ByDocument(Vec<&'static str>),
    Exception(&'static str),
}

impl Answer {
    fn parse(text: &'static str) -> Option<Self> {
        let (kind, rest) = text.split_once(": ")?;
        match kind {
            "passes" => Some(Self::Passes(listed(rest)?)),
            "by document" => Some(Self::ByDocument(listed(rest)?)),
            "exception" => Some(Self::Exception(rest)),
            _ => None,
        }
    }
}

/// The items of a list that is nothing but `` `code`, `code` ``.
fn listed(text: &'static str) -> Option<Vec<&'static str>> {
    text.split(", ").map(|item| item.strip_prefix('`')?.strip_suffix('`')).collect()
}

/// Returns the code spans of a text.
fn code(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the text below a title, up to the next title of any level.
fn section(title: &str) -> &'static str {
    let title = format!("\n{title}\n");
    let mut parts = ASVS.split(&title);
    let (_, rest, more) = (parts.next(), parts.next(), parts.next());
    assert!(more.is_none(), "twice: {title}");
    rest.unwrap_or_else(|| panic!("no section: {title}")).split("\n#").next().unwrap()
}

fn rows() -> Vec<Row> {
    let table = section("## Answered").lines().filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Row> = table
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ["", id, question, answer, remark, ""] = cells[..] else {
                panic!("not four cells: {line}");
            };
            assert!(!question.is_empty(), "{id} asks nothing");
            let answer = Answer::parse(answer).unwrap_or_else(|| panic!("{id}: {answer}"));
            Row { id, answer, remark }
        })
        .collect();
    assert!(rows.len() > 100, "{} rows", rows.len());
    rows
}

/// The ids of what is left out. A section or a chapter stands for all that is in it.
fn left_out() -> Vec<&'static str> {
    let mut left_out = Vec::new();
    for line in section("## Left out").lines().filter(|line| line.starts_with("- ")) {
        let (names, why) = line[2..].split_once(": ").unwrap();
        assert!(!why.is_empty(), "{line}");
        for name in names.split(", ") {
            let within = format!("{name}.");
            let before = left_out.len();
            left_out.extend(IDS.lines().filter(|id| *id == name || id.starts_with(&within)));
            assert!(left_out.len() > before, "{name} is no requirement and has none");
        }
    }
    left_out
}

/// Each requirement once, be it answered or left out.
#[test]
fn every_requirement_is_answered_or_left_out() {
    let mut found: Vec<&str> = rows().iter().map(|row| row.id).collect();
    found.extend(left_out());
    let once: BTreeSet<&str> = found.iter().copied().collect();
    let all: BTreeSet<&str> = IDS.lines().collect();
    let difference: Vec<_> = once.symmetric_difference(&all).collect();
    assert!(difference.is_empty(), "left over, or unheard of: {difference:?}");
    found.sort_unstable();
    let twice: Vec<_> = found.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "twice: {twice:?}");
}

#[test]
fn every_test_that_is_named_exists() {
    let mut named = 0;
    for row in rows() {
        let mut tests: Vec<&str> = code(row.remark).filter(|code| code.contains("::")).collect();
        if let Answer::Passes(passing) = &row.answer {
            tests.extend(passing);
        }
        for test in tests {
            assert!(is_test(test), "{}: {test} is no test", row.id);
            named += 1;
        }
    }
    assert!(named > 100, "{named} tests are named");
}

/// Returns true if `program::module::name` is a test in the file of that module, or a fault in its program's
/// list.
pub(crate) fn is_test(path: &str) -> bool {
    if let Some(fault) = path.strip_prefix("faults::") {
        return include_str!("../faults/main.rs").contains(&format!(", {fault}),"));
    }
    let parts: Vec<&str> = path.split("::").collect();
    let [program, modules @ .., name] = &parts[..] else { return false };
    let module = if modules.is_empty() { "main".to_owned() } else { modules.join("/") };
    let Ok(source) = fs::read_to_string(format!("tests/{program}/{module}.rs")) else {
        return false;
    };
    ["fn", "async fn"].iter().any(|keyword| {
        source.split_once(&format!("\n{keyword} {name}(")).is_some_and(|(before, _)| {
            let attributes = before.rsplit("\n\n").next().unwrap_or_default();
            ["#[rstest]", "#[test]", "#[tokio::test]"]
                .iter()
                .any(|attribute| attributes.contains(attribute))
        })
    })
}

#[test]
fn every_document_that_is_named_exists() {
    for row in rows() {
        let Answer::ByDocument(places) = row.answer else { continue };
        for place in places {
            let (file, title) = place.split_once(" § ").unwrap_or((place, ""));
            let text =
                fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {file}: {e}", row.id));
            let is_there = title.is_empty()
                || text.lines().any(|line| {
                    line.starts_with('#') && line.trim_start_matches('#').trim() == title
                });
            assert!(is_there, "{}: no section {title} in {file}", row.id);
        }
    }
}

#[test]
fn every_exception_says_why() {
    for row in rows() {
        if let Answer::Exception(why) = row.answer {
            assert!(why.len() > 5, "{}: {why}", row.id);
        }
    }
}

#[test]
fn the_numbers_are_those_of_the_table() {
    let rows = rows();
    let count = |is: fn(&Answer) -> bool| rows.iter().filter(|row| is(&row.answer)).count();
    let sentence = format!(
        "asks {} things at levels 1 and 2. {} cannot apply to Bottle. The other {} are below: \
         {} pass, {} are answered by document, {} are exceptions.",
        IDS.lines().count(),
        left_out().len(),
        rows.len(),
        count(|answer| matches!(answer, Answer::Passes(_))),
        count(|answer| matches!(answer, Answer::ByDocument(_))),
        count(|answer| matches!(answer, Answer::Exception(_))),
    );
    let text = ASVS.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&sentence), "it should say: {sentence}");
}
