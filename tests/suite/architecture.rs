//! The layers of `src/`, read from the code itself: a file imports only from its own layer and from
//! the layers below it, no two files import each other, and SQL and HTTP stay in their layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;

/// From top to bottom. Folders on one line are beside each other and do not import each other.
const LAYERS: [&[&str]; 7] =
    [&["cli"], &["server"], &["api", "web"], &["http"], &["domain"], &["store"], &["model"]];

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of `src/`, without comments and unit tests.
struct Source {
    path: PathBuf,
    /// Its module path, as `["store", "users"]`.
    module: Vec<String>,
    lines: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        // A quotation mark inside a string begins none.
        let lines = text.lines().map(|line| code(line).replace("\\\"", "'"));
        let lines = lines.enumerate().map(|(n, line)| (n + 1, line));
        let relative = path.strip_prefix(Path::new(ROOT).join("src")).unwrap();
        let module = relative.with_extension("");
        let parts = module.iter().map(|part| part.to_string_lossy().into_owned());
        let module = parts.filter(|part| part != "mod").collect();
        Self { path: relative.to_owned(), module, lines: lines.collect() }
    }

    fn layer(&self) -> &str {
        &self.module[0]
    }

    /// The module paths that each line names, with the line's number.
    fn imports(&self) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        let mut statement: Option<(usize, String)> = None;
        for (number, line) in &self.lines {
            let trimmed = line.trim();
            let (start, mut text) = match statement.take() {
                Some((start, text)) => (start, text + trimmed),
                None => (*number, trimmed.to_owned()),
            };
            let is_use = text.starts_with("use ") || text.starts_with("pub use ");
            if is_use && !text.ends_with(';') {
                text.push(' ');
                statement = Some((start, text));
                continue;
            }
            if is_use {
                let tree = text.trim_end_matches(';').split_once("use ").unwrap().1;
                found.extend(expand(tree).into_iter().map(|path| (start, path)));
            } else {
                found.extend(inline_paths(&text).into_iter().map(|path| (start, path)));
            }
        }
        found.into_iter().filter_map(|(line, path)| Some((line, self.resolve(path)?))).collect()
    }

    /// The path from the crate's root, or nothing for other crates and the file's own items.
    fn resolve(&self, path: Vec<String>) -> Option<Vec<String>> {
        match path.first()?.as_str() {
            "crate" | "bottle" => Some(path[1..].to_vec()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = self.module.len().checked_sub(ups)?;
                Some([&self.module[..base], &path[ups..]].concat())
            }
            _ => None,
        }
    }
}

/// The line without its comment.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let prefix: Vec<String> = head
        .split("::")
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let inner = &rest[..rest.rfind('}').unwrap_or(rest.len())];
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(expand).map(|path| [prefix.clone(), path].concat()).collect()
}

/// Paths that begin with `crate::` or `super::` outside a `use`.
fn inline_paths(line: &str) -> Vec<Vec<String>> {
    ["crate::", "super::"]
        .iter()
        .flat_map(|start| line.match_indices(start).map(|(at, _)| &line[at..]))
        .map(|path| {
            let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            path[..end.unwrap_or(path.len())].split("::").map(str::to_owned).collect()
        })
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    files(&Path::new(ROOT).join("src"), &mut found);
    found.sort();
    let sources = found.iter().map(|path| Source::read(path));
    // These two name the layers.
    sources
        .filter(|source| !matches!(source.module[..], [ref it] if it == "main" || it == "lib"))
        .collect()
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&layer))
}

/// Returns the imports of higher layers, as `file:line: reason`.
fn upward_imports(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let own = rank(source.layer()).unwrap_or(usize::MAX);
        for (line, path) in source.imports() {
            let Some(other) = path.first().and_then(|layer| rank(layer)) else { continue };
            let is_beside = other == own && path[0] != source.layer();
            if other < own || is_beside {
                let file = source.path.display();
                wrong.push(format!("src/{file}:{line}: imports {}", path.join("::")));
            }
        }
    }
    wrong
}

/// The file that holds the module or item at `path`.
fn file_of(path: &[String], modules: &BTreeMap<Vec<String>, PathBuf>) -> Option<PathBuf> {
    (1..=path.len()).rev().find_map(|length| modules.get(&path[..length]).cloned())
}

/// Files that import each other, directly or through others. A folder's `mod.rs` lists its own
/// modules, so what it says of them does not count; nor does what they take from it.
fn cycles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<_, _> =
        sources.iter().map(|source| (source.module.clone(), source.path.clone())).collect();
    let mut graph: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for source in sources {
        let targets = source.imports().into_iter().filter_map(|(_, path)| {
            let is_parent = source.module.starts_with(&path[..path.len().min(source.module.len())]);
            let file = file_of(&path, &modules)?;
            let target = sources.iter().find(|other| other.path == file)?;
            let related = source.module.starts_with(&target.module)
                || target.module.starts_with(&source.module);
            (file != source.path && !is_parent && !related).then_some(file)
        });
        graph.insert(source.path.clone(), targets.collect());
    }
    let mut found = Vec::new();
    for start in graph.keys() {
        let mut trail = vec![(start.clone(), vec![start.clone()])];
        let mut seen = BTreeSet::new();
        while let Some((at, path)) = trail.pop() {
            for next in graph.get(&at).into_iter().flatten() {
                if next == start {
                    let names: Vec<_> = path.iter().map(|p| p.display().to_string()).collect();
                    found.push(format!("{} -> {}", names.join(" -> "), start.display()));
                } else if seen.insert(next.clone()) {
                    trail.push((next.clone(), [path.clone(), vec![next.clone()]].concat()));
                }
            }
        }
    }
    found
}

#[test]
fn every_file_belongs_to_a_layer() {
    let outside: Vec<_> = sources()
        .iter()
        .filter(|source| rank(source.layer()).is_none())
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(outside.is_empty(), "in no layer: {outside:#?}");
}

#[test]
fn a_file_imports_only_from_its_own_layer_and_those_below() {
    let wrong = upward_imports(&sources());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other() {
    let found = cycles(&sources());
    assert!(found.is_empty(), "{found:#?}");
}

/// A word that only one layer may use: in which layers it may stand, and why.
#[rstest]
#[case::sqlite("rusqlite", &["store"])]
#[case::select("\"SELECT ", &["store"])]
#[case::insert("\"INSERT ", &["store"])]
#[case::update("\"UPDATE ", &["store"])]
#[case::delete("\"DELETE ", &["store"])]
#[case::pragma("\"PRAGMA ", &["store"])]
#[case::utoipa("utoipa", &["server", "api", "http", "model"])]
#[case::rocket("rocket::", &["cli", "server", "api", "web", "http"])]
fn a_technology_stays_in_its_layers(#[case] word: &str, #[case] layers: &[&str]) {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !layers.contains(&source.layer())) {
        for (line, text) in source.lines.iter().filter(|(_, text)| text.contains(word)) {
            wrong.push(format!("src/{}:{line}: {}", source.path.display(), text.trim()));
        }
    }
    assert!(wrong.is_empty(), "{word} outside {layers:?}: {wrong:#?}");
}

/// The test can fail: an upward import, written in any of its forms, is found with its line.
#[rstest]
#[case::plain("use crate::http::Body;")]
#[case::nested("use crate::{model::geo, http::{Body, Session}};")]
#[case::inline("    crate::http::respond();")]
#[case::relative("use super::super::http::Body;")]
fn an_upward_import_is_found(#[case] line: &str) {
    let source = Source {
        path: "store/users.rs".into(),
        module: vec!["store".into(), "users".into()],
        lines: vec![(7, line.into())],
    };
    let wrong = upward_imports(&[source]);
    assert!(wrong.iter().any(|w| w.starts_with("src/store/users.rs:7: imports http")), "{wrong:?}");
}
