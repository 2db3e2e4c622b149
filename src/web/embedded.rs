//! The files of `static/` in the program.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;

use super::pack::{self, Packed};

/// All files in the order of their paths.
static FILES: &[Packed] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Returns the file at `path`. A debug build returns the file on the disk if it has changed.
pub(super) fn find(path: &str) -> Option<Packed> {
    let position = FILES.binary_search_by(|file| (*file.path).cmp(path));
    let embedded = position.ok().and_then(|position| FILES.get(position)).cloned();
    if cfg!(debug_assertions) { find_on_disk(path, embedded) } else { embedded }
}

/// Returns the file on the disk, or the embedded one, which is packed already, if they are the same.
fn find_on_disk(path: &str, embedded: Option<Packed>) -> Option<Packed> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static"));
    let read = |name: &str| Some((name.to_owned(), std::fs::read(folder.join(name)).ok()?));
    let (name, bytes) = read(path).or_else(|| read(&format!("{path}.gz")))?;
    let hash = pack::hash(&bytes);
    embedded.filter(|file| file.hash == hash).or_else(|| pack::pack(&name, bytes).ok())
}

impl Packed {
    /// Returns the bytes of the file without compression.
    pub(super) fn plain(self) -> io::Result<Cow<'static, [u8]>> {
        if !self.is_gzip {
            return Ok(self.bytes);
        }
        let mut plain = Vec::new();
        GzDecoder::new(&*self.bytes).read_to_end(&mut plain)?;
        Ok(plain.into())
    }
}
