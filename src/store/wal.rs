//! Damage in the write-ahead log, which SQLite does not report.
//!
//! SQLite reads a log up to the first frame whose checksum is wrong, and takes that for its end: so a
//! power cut leaves it. If a bit has flipped there, all later changes are lost without a word. But each
//! checksum continues the one before it, so the frames behind a damaged one still prove themselves. The
//! writer begins a change only after the one before it was synced. So if two changes begin behind a wrong
//! frame, no power cut has left it: the frame was whole on the disk, and is damaged. One change is not
//! enough, because programs that do not sync each change, such as Litestream, write between Bottle's.
//!
//! [Format](https://www.sqlite.org/fileformat2.html#the_write_ahead_log).

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::connect::PAGE_BYTES;
use super::files;
use super::open_error::OpenError;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The first four bytes of a log; the last bit is 1 if its checksums read words as big-endian.
const MAGIC: u32 = 0x377f_0682;

/// The changes that must begin behind a wrong frame, for the frame to be damaged.
const MIN_LATER_CHANGES: u32 = 2;

/// The attempts to read a log that a server writes to meanwhile.
const ATTEMPTS: u32 = 4;

/// Returns [`OpenError::Damaged`] if the log of the database at `path` is damaged before its end. Takes no
/// locks, and works while a server writes to the log.
pub(super) fn check(path: &Path) -> Result<(), OpenError> {
    let log = files::with_suffix(path, "-wal");
    let mut before = None;
    for _ in 0..ATTEMPTS {
        let found = match File::open(&log).and_then(|file| damage(BufReader::new(file))) {
            Ok(found) => found,
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(OpenError::Io { path: log, source }),
        };
        match found {
            None => return Ok(()),
            // A frame that was being written, or a log that began anew, is whole the second time.
            Some(found) if before.replace(found) == Some(found) => {
                let (frame, _) = found;
                let detail = format!(
                    "frame {frame} of its log is wrong, and SQLite would drop all changes from there on"
                );
                return Err(OpenError::Damaged { path: path.to_owned(), detail });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

type Header = [u8; HEADER_BYTES];

/// Returns the number of the damaged frame, counted from 1, and the header of the log. The header is
/// frame 0.
fn damage(mut log: impl Read) -> io::Result<Option<(u64, Header)>> {
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let mut previous = Checksum(word(&header, 24), word(&header, 28));
    let is_whole = word(&header, 0) & !1 == MAGIC
        && Checksum(0, 0).over(&header[..24], word(&header, 0) & 1 == 1) == previous;
    // A damaged header does not say how the frames are written.
    let is_big_endian =
        if is_whole { word(&header, 0) & 1 == 1 } else { cfg!(target_endian = "big") };
    let page_bytes = match word(&header, 8) {
        bytes @ 512..=65_536 if bytes.is_power_of_two() => bytes as usize,
        _ => PAGE_BYTES as usize,
    };
    let mut wrong = (!is_whole).then_some(0);
    let (mut salt, mut was_commit, mut later_changes) = ([0; 8], false, 0);
    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes];
    for number in 1.. {
        if !fill(&mut log, &mut frame)? {
            break;
        }
        if number == 1 {
            // The salt of a damaged header may be what is wrong in it.
            salt.copy_from_slice(if is_whole { &header[16..24] } else { &frame[8..16] });
        }
        let stored = Checksum(word(&frame, 16), word(&frame, 20));
        let belongs = frame[8..16] == salt;
        let is_right = belongs && {
            let head = previous.over(&frame[..8], is_big_endian);
            head.over(&frame[FRAME_HEADER_BYTES..], is_big_endian) == stored
        };
        match wrong {
            None if !is_right => wrong = Some(number),
            Some(_) if is_right && was_commit => later_changes += 1,
            _ => {}
        }
        if later_changes == MIN_LATER_CHANGES {
            return Ok(wrong.map(|wrong| (wrong, header)));
        }
        was_commit = belongs && word(&frame, 4) != 0;
        previous = stored;
    }
    Ok(None)
}

/// Fills `buffer`. Returns false if the file ends before.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// The running checksum of a log.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Checksum(u32, u32);

impl Checksum {
    /// Continues over `bytes`, whose length is a multiple of 8.
    fn over(mut self, bytes: &[u8], is_big_endian: bool) -> Self {
        let word = |word: &[u8]| {
            let word = [word[0], word[1], word[2], word[3]];
            if is_big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        for words in bytes.chunks_exact(8) {
            self.0 = self.0.wrapping_add(word(&words[..4])).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(word(&words[4..])).wrapping_add(self.0);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// The log of ten changes of one frame each.
    fn log() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(
            "PRAGMA page_size = 2048; PRAGMA journal_mode = wal; CREATE TABLE t (i);
             PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .unwrap();
        for i in 0..10 {
            db.execute("INSERT INTO t VALUES (?1)", [i]).unwrap();
        }
        std::fs::read(files::with_suffix(&path, "-wal")).unwrap()
    }

    const FRAME_BYTES: usize = FRAME_HEADER_BYTES + 2048;

    /// All bytes of the headers, and some of the pages.
    fn places(log: &[u8]) -> impl Iterator<Item = usize> {
        let is_header =
            |at| at < HEADER_BYTES || (at - HEADER_BYTES) % FRAME_BYTES < FRAME_HEADER_BYTES;
        (0..log.len()).filter(move |at| is_header(*at) || at % 397 == 0)
    }

    fn frame(log: &[u8]) -> Option<u64> {
        damage(log).unwrap().map(|(frame, _)| frame)
    }

    #[test]
    fn a_wrong_bit_is_found_in_all_but_the_last_changes() {
        let log = log();
        assert_eq!(log.len(), HEADER_BYTES + 10 * FRAME_BYTES);
        assert_eq!(frame(&log), None);
        for at in places(&log) {
            let mut wrong = log.clone();
            wrong[at] ^= 1 << (at % 8);
            let number = if at < HEADER_BYTES { 0 } else { 1 + (at - HEADER_BYTES) / FRAME_BYTES };
            match number {
                0..=7 => assert_eq!(frame(&wrong), Some(number as u64), "{at}"),
                8 => {}
                // As a power cut leaves it.
                _ => assert_eq!(frame(&wrong), None, "{at}"),
            }
        }
    }

    #[test]
    fn a_torn_end_and_an_older_log_behind_it_are_no_damage() {
        let log = log();
        for end in places(&log) {
            assert_eq!(frame(&log[..end]), None, "{end}");
            // The rest is of a log before this one.
            let mut older = log.clone();
            for old in older[HEADER_BYTES..].chunks_exact_mut(FRAME_BYTES) {
                old[8] ^= 1;
            }
            older[..end].copy_from_slice(&log[..end]);
            if end >= HEADER_BYTES {
                assert_eq!(frame(&older), None, "{end}");
            }
        }
    }
}
