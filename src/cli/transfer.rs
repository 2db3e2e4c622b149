//! `bottle export` and `bottle import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bottle::fields::NewPassword;
use bottle::password::Passwords;
use bottle::store::Store;
use bottle::transfer::{self, ExportError, Format, Import};

use super::{beside, progress, settings, wait_for};

/// Writes all data, or one account's, to a new file, or to standard output.
pub(super) fn export(
    to: Option<&Path>,
    user: Option<&str>,
    format: Format,
    db: Option<PathBuf>,
) -> Result<(), String> {
    let store = beside(db, &settings()?)?;
    let bar = progress::bar("Writing");
    let told = progress::tell(&bar);
    let done = match to {
        Some(path) => File::create_new(path)
            .map_err(ExportError::from)
            .and_then(|file| transfer::export(&store, user, format, BufWriter::new(file), told)),
        None => transfer::export(&store, user, format, BufWriter::new(io::stdout().lock()), told),
    };
    bar.finish_and_clear();
    let done = done.map_err(|e| match to {
        Some(path) => format!("{}: {e}", path.display()),
        None => e.to_string(),
    })?;
    eprintln!("{done} rows");
    Ok(())
}

/// Reads what an export wrote. What is no row is told and left out, and makes it a failure.
pub(super) fn import(from: &Path, db: Option<PathBuf>) -> Result<(), String> {
    let settings = settings()?;
    let store = beside(db, &settings)?;
    let nobodys = format!("{:032x}", rand::random::<u128>());
    let nobodys = NewPassword::parse("password", &nobodys, 1).map_err(|e| e.to_string())?;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let imported = wait_for(async {
        let hash = passwords.hash(nobodys).await.map_err(|e| e.to_string())?;
        read(store, hash, from).await
    })?;
    for (number, why) in &imported.left_out {
        eprintln!("{}, line {number}: {why}", from.display());
    }
    println!("{} rows were added, {} were there", imported.added, imported.there);
    match imported.left_out.len() {
        0 => Ok(()),
        left_out => Err(format!("{left_out} lines were left out")),
    }
}

async fn read(
    store: Arc<Store>,
    no_password: String,
    from: &Path,
) -> Result<transfer::Imported, String> {
    let failed = |e: io::Error| format!("{}: {e}", from.display());
    let file = File::open(from).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let bar = progress::bar("Reading");
    let mut import = Import::new(store, no_password);
    let (mut number, mut read) = (0, 0);
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(failed)?;
        number += 1;
        read += line.len() as u64 + 1;
        progress::tell(&bar)(read, size);
        let text = String::from_utf8_lossy(&line);
        if let Some(row) = transfer::row_in(&text) {
            import.take(number, row).await.map_err(|e| e.to_string())?;
        }
    }
    bar.finish_and_clear();
    import.end().await.map_err(|e| e.to_string())
}
