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

use super::user::account_error;
use super::{database, open_shared, progress, runtime, settings, terminal};

/// Parses the format on the command line.
pub(super) fn format(text: &str) -> Result<Format, String> {
    match text {
        "jsonl" => Ok(Format::JsonLines),
        "geojson" => Ok(Format::GeoJson),
        "gpx" => Ok(Format::Gpx),
        _ => Err("the formats are jsonl, geojson and gpx".to_owned()),
    }
}

/// Exports all data, or that of the account `user`, to the new file `to` or to standard output.
pub(super) fn export(
    to: Option<&Path>,
    user: Option<&str>,
    format: Format,
    db: Option<PathBuf>,
) -> Result<(), String> {
    let db = database(db)?;
    let bar = progress::bar("Writing");
    let report = progress::update(&bar);
    let rows = match to {
        Some(to) => to_file(&db, to, |db, out| transfer::export(db, user, format, out, &report)),
        None => to_stdout(&db, |db, out| transfer::export(db, user, format, out, &report)),
    };
    bar.finish_and_clear();
    let rows = rows.map_err(|e| match (to, e) {
        (Some(path), e @ TransferError::Io(_)) => format!("{}: {e}", path.display()),
        (_, e) => e.to_string(),
    })?;
    eprintln!("{rows} rows");
    Ok(())
}

/// Lets `write` write the data of `db` to the new file `to`, which appears once it is complete.
fn to_file(
    db: &Path,
    to: &Path,
    write: impl Fn(&Connection, &mut dyn Write) -> Result<u64, TransferError>,
) -> Result<u64, TransferError> {
    if to.symlink_metadata().is_ok() {
        return Err(io::Error::from(Errno::EXIST).into());
    }
    let (file, rows) = store::read(db, |db| {
        let mut file = store::create_temporary(to)?;
        let rows = write(db, &mut BufWriter::new(&mut file))?;
        Ok::<_, TransferError>((file, rows))
    })?;
    store::place_new(file, to)?;
    Ok(rows)
}

/// Lets `write` write the data of `db` to standard output.
///
/// # Errors
/// Returns [`TransferError::Changed`] if the read must begin again, because a part of the output may
/// already have been read.
fn to_stdout(
    db: &Path,
    write: impl Fn(&Connection, &mut dyn Write) -> Result<u64, TransferError>,
) -> Result<u64, TransferError> {
    let mut has_begun = false;
    store::read(db, |db| match mem::replace(&mut has_begun, true) {
        false => write(db, &mut BufWriter::new(io::stdout().lock())),
        true => Err(TransferError::Changed),
    })
}

/// Imports the rows of an export, or features of another program, as bottles of `owner`.
///
/// # Errors
/// Rows that are invalid are printed and skipped. Returns their number if there are any.
pub(super) fn import(from: &Path, owner: Option<&str>, db: Option<PathBuf>) -> Result<(), String> {
    let settings = settings()?;
    let store = open_shared(db, &settings)?;
    let unusable = format!("{:032x}", rand::random::<u128>());
    let unusable = NewPassword::parse("password", &unusable, 1).map_err(|e| e.to_string())?;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let runtime = runtime()?;
    let hash = runtime.block_on(passwords.hash(unusable)).map_err(|e| e.to_string())?;
    let mut import = Import::new(store, hash, Clock::default().now());
    if let Some(owner) = owner {
        import = import.with_owner(owner).map_err(|e| account_error(owner, e))?;
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
        terminal::print_error(format_args!(
            "{}, {}",
            from.display(),
            skipped_message(rejected, unit)
        ));
    }
    terminal::print(format_args!(
        "{} rows were added, {} were there",
        imported.added, imported.existing
    ));
    read.map_err(failed)?;
    match imported.rejected.iter().map(|rejected| rejected.count).sum() {
        0 => Ok(()),
        1 => Err(format!("1 {unit} was left out")),
        many => Err(format!("{} {unit}s were left out", with_separators(many))),
    }
}

/// Returns the message for rows that were skipped for one reason.
fn skipped_message(RejectedRows { first, count, reason }: &RejectedRows, unit: &str) -> String {
    match count {
        1 => format!("{unit} {first}: {reason}"),
        many => {
            format!("{} {unit}s: {reason}; the first is {unit} {first}", with_separators(*many))
        }
    }
}

/// Formats a number with thousands separators: `8,000`.
fn with_separators(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_separators(number / 1000), number % 1000),
    }
}

fn open(path: &Path, bar: &ProgressBar) -> io::Result<Rows<impl BufRead>> {
    let file = File::open(path)?;
    bar.set_length(file.metadata()?.len());
    Rows::detect(BufReader::new(bar.wrap_read(file)))
}
