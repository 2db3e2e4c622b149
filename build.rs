//! Compresses what the program embeds: the files of `static/`, and the sample of `bottle demo`.

#[path = "src/web/pack.rs"]
mod pack;

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    println!("cargo::rerun-if-changed=src/web/pack.rs");
    println!("cargo::rerun-if-changed=bottle.db.sample");
    // A debug build reads a changed file from the disk, so it need not be built again.
    if variable("PROFILE") == "release" {
        println!("cargo::rerun-if-changed=static");
    }
    fs::write(out.join("bottle.db.sample.gz"), pack::gzip(&fs::read("bottle.db.sample")?)?)?;

    let folder = root.join("static");
    let mut files = Vec::new();
    list(&folder, &mut files)?;
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        pack::pack(&name, fs::read(path)?)
    };
    let mut packed = files.iter().map(read).collect::<io::Result<Vec<_>>>()?;
    packed.sort_by(|one, other| one.path.cmp(&other.path));
    fs::write(out.join("files.rs"), table(&packed, &out)?)
}

/// Writes the bytes of the files, and returns the Rust code of the table that includes them.
fn table(files: &[pack::Packed], out: &Path) -> io::Result<String> {
    let mut code = "&[\n".to_owned();
    for (number, file) in files.iter().enumerate() {
        let pack::Packed { path, hash, is_gzip, bytes } = file;
        let name = format!("file-{number}");
        fs::write(out.join(&name), bytes)?;
        let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))");
        writeln!(
            code,
            "Packed {{ path: Cow::Borrowed({path:?}), hash: Cow::Borrowed({hash:?}), \
             is_gzip: {is_gzip}, bytes: Cow::Borrowed({bytes}) }},"
        )
        .map_err(io::Error::other)?;
    }
    Ok(code + "]")
}

/// Lists the files in a folder and in the folders below it.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns a variable that Cargo sets for every build script.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
