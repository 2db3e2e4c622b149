//! The form in which the program holds a file of the page. `build.rs` compiles this file too.

use std::borrow::Cow;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Types that are compressed already.
const COMPRESSED_TYPES: [&str; 4] = ["png", "jpg", "jpeg", "woff2"];

/// A shorter file is not compressed.
const MIN_GZIP_BYTES: usize = 1000;

/// A file of the page, compressed if that makes it smaller.
#[derive(Clone)]
pub(super) struct Packed {
    /// The path below `static/`, without the `.gz` of a file that is compressed there.
    pub(super) path: Cow<'static, str>,
    /// The first 24 hexadecimal digits of the SHA-256 of the file in `static/`.
    pub(super) hash: Cow<'static, str>,
    pub(super) is_gzip: bool,
    pub(super) bytes: Cow<'static, [u8]>,
}

/// Packs the file `path` of `static/`.
pub(super) fn pack(path: &str, file: Vec<u8>) -> io::Result<Packed> {
    let hash = hash(&file).into();
    if let Some(path) = path.strip_suffix(".gz") {
        return Ok(Packed {
            path: path.to_owned().into(),
            hash,
            is_gzip: true,
            bytes: file.into(),
        });
    }
    let extension = path.rsplit('.').next().unwrap_or_default();
    let is_gzip = file.len() > MIN_GZIP_BYTES && !COMPRESSED_TYPES.contains(&extension);
    let bytes = if is_gzip { gzip(&file)? } else { file };
    Ok(Packed { path: path.to_owned().into(), hash, is_gzip, bytes: bytes.into() })
}

/// Returns the hash of a file of `static/`, which is its tag and begins with its version.
pub(super) fn hash(file: &[u8]) -> String {
    Sha256::digest(file)[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compresses bytes as small as gzip can.
pub(super) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
