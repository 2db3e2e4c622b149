//! `bottle export` and `bottle import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::mem;
use std::path::{Path, PathBuf};

use bottle::domain::password::Passwords;
use bottle::domain::transfer::{self, Format, Import, RejectedRows, Rows, TransferError};
use bottle::model::clock::Clock;
use bottle::model::fields::NewPassword;
use bottle::store;
use bottle::store::Connection;
use indicatif::ProgressBar;
use rustix::io::Errno;

use super::user::of;
use super::{beside, database, progress, runtime, settings, terminal};

/// Writes all data, or one account's, to a new file, or to standard output.
pub(super) fn export(
    to: Option<&Path>,
    user: Option<&str>,
    format: Format,
    db: Option<PathBuf>,
) -> Result<(), String> {
    let db = database(db)?;
    let bar = progress::bar("Writing");
    let told = progress::tell(&bar);
    let done = match to {
        Some(to) => to_file(&db, to, |db, out| transfer::export(db, user, format, out, &told)),
        None => to_stdout(&db, |db, out| transfer::export(db, user, format, out, &told)),
    };
    bar.finish_and_clear();
    let done = done.map_err(|e| match (to, e) {
        (Some(path), e @ TransferError::Io(_)) => format!("{}: {e}", path.display()),
        (_, e) => e.to_string(),
    })?;
    eprintln!("{done} rows");
    Ok(())
}

/// Has `write` write what is in `db` to the new file `to`, which is there when it is whole.
fn to_file(
    db: &Path,
    to: &Path,
    write: impl Fn(&Connection, &mut dyn Write) -> Result<u64, TransferError>,
) -> Result<u64, TransferError> {
    if to.symlink_metadata().is_ok() {
        return Err(io::Error::from(Errno::EXIST).into());
    }
    let (file, done) = store::read(db, |db| {
        let mut file = store::create_temporary(to)?;
        let done = write(db, &mut BufWriter::new(&mut file))?;
        Ok::<_, TransferError>((file, done))
    })?;
    file.persist_noclobber(to).map_err(|e| e.error)?;
    Ok(done)
}

/// Has `write` write what is in `db` to standard output: once, for a reader has it already.
fn to_stdout(
    db: &Path,
    write: impl Fn(&Connection, &mut dyn Write) -> Result<u64, TransferError>,
) -> Result<u64, TransferError> {
    let mut begun = false;
    store::read(db, |db| match mem::replace(&mut begun, true) {
        false => write(db, &mut BufWriter::new(io::stdout().lock())),
        true => Err(TransferError::Changed),
    })
}

/// Reads rows, as an export wrote them or another program. What is none is told and left out, and makes it
/// a failure. `owner` is who the bottles of other programs are to belong to.
pub(super) fn import(from: &Path, owner: Option<&str>, db: Option<PathBuf>) -> Result<(), String> {
    let settings = settings()?;
    let store = beside(db, &settings)?;
    let nobodys = format!("{:032x}", rand::random::<u128>());
    let nobodys = NewPassword::parse("password", &nobodys, 1).map_err(|e| e.to_string())?;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let runtime = runtime()?;
    let hash = runtime.block_on(passwords.hash(nobodys)).map_err(|e| e.to_string())?;
    let mut import = Import::new(store, hash, Clock::default().now());
    if let Some(owner) = owner {
        import = import.with_owner(owner).map_err(|e| of(owner, e))?;
    }

    let bar = progress::bar("Reading");
    let failed = |e: TransferError| format!("{}: {e}", from.display());
    let rows = open(from, &bar).map_err(|e| failed(e.into()))?;
    let unit = rows.unit();
    let read = rows.for_each(&mut |number, row| match import.push(number, row) {
        true => runtime.block_on(import.flush()),
        false => Ok(()),
    });
    let imported = runtime.block_on(import.finish()).map_err(|e| e.to_string())?;
    bar.finish_and_clear();
    for rejected in &imported.rejected {
        terminal::complain(format_args!("{}, {}", from.display(), reason(rejected, unit)));
    }
    terminal::say(format_args!(
        "{} rows were added, {} were there",
        imported.added, imported.existing
    ));
    read.map_err(failed)?;
    match imported.rejected.iter().map(|rejected| rejected.count).sum() {
        0 => Ok(()),
        1 => Err(format!("1 {unit} was left out")),
        many => Err(format!("{} {unit}s were left out", grouped(many))),
    }
}

/// Which rows were left out, and why.
fn reason(RejectedRows { first, count, reason }: &RejectedRows, unit: &str) -> String {
    match count {
        1 => format!("{unit} {first}: {reason}"),
        many => format!("{} {unit}s: {reason}; the first is {unit} {first}", grouped(*many)),
    }
}

/// A number with its thousands apart: `8,000`.
fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

fn open(path: &Path, bar: &ProgressBar) -> io::Result<Rows<impl BufRead>> {
    let file = File::open(path)?;
    bar.set_length(file.metadata()?.len());
    Rows::detect(BufReader::new(bar.wrap_read(file)))
}
