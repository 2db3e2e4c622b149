//! PMTiles files: map tiles behind directories, in one file.
//!
//! Source: the PMTiles specification, version 3.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::about::{About, Format};
use super::directory::{Directory, inflate, tile_id};
use super::tile::{Content, MAX_TILE_BYTES};
use crate::model::error::{Error, Result};

/// The first bytes of a file.
pub(super) const SIGNATURE: &[u8] = b"PMTiles";
const HEADER_BYTES: usize = 127;
const VERSION: u8 = 3;
/// The maximum size of compressed metadata, and of a compressed directory, in bytes.
const MAX_COMPRESSED_BYTES: u64 = 1024 * 1024;
const MAX_METADATA_BYTES: u64 = 8 * 1024 * 1024;
/// The root, and the directories below it. The specification recommends at most one level of those.
const MAX_DEPTH: usize = 4;
/// The directories that are kept in memory, besides the root. A city has fewer.
const MAX_CACHED_DIRECTORIES: usize = 16;

/// An open PMTiles file.
pub(super) struct Pmtiles {
    file: File,
    header: Header,
    root: Directory,
    /// The directories that were read last, by their position.
    recent: Mutex<VecDeque<(u64, Arc<Directory>)>>,
}

impl Pmtiles {
    /// Takes an open file. Returns the reason if it cannot be used.
    pub(super) fn open(file: File) -> Result<(Self, About), String> {
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(|_| "it ends within its header")?;
        let size = file.metadata().map_err(|e| e.to_string())?.len();
        let header = Header::parse(&bytes)?;
        header.check(size)?;
        let root = header.root.read(&file).and_then(|root| header.directory(&root));
        let root = root.ok_or("its root directory is damaged")?;
        let metadata = header.metadata.read(&file).ok_or("its metadata cannot be read")?;
        let metadata = header.metadata(&metadata).ok_or("its metadata is damaged")?;
        let about = header.about(&metadata)?;
        Ok((Self { file, header, root, recent: Mutex::default() }, about))
    }

    /// Reads the tile.
    pub(super) fn read(&self, zoom: u8, x: u32, y: u32) -> Result<Content> {
        let Some(id) = tile_id(zoom, x, y) else { return Ok(Content::Hole) };
        let mut found = self.root.find(id);
        for _ in 1..MAX_DEPTH {
            match found {
                Some(entry) if entry.run_length == 0 => {
                    let Some(part) = self.header.directories.part(entry.offset, entry.length)
                    else {
                        return Ok(Content::Unreadable);
                    };
                    let Some(directory) = self.directory(part)? else {
                        return Ok(Content::Unreadable);
                    };
                    found = directory.find(id);
                }
                _ => break,
            }
        }
        let Some(entry) = found else { return Ok(Content::Hole) };
        let part = self.header.tiles.part(entry.offset, entry.length);
        let is_tile = entry.run_length > 0 && entry.length <= MAX_TILE_BYTES;
        let Some(part) = part.filter(|_| is_tile) else { return Ok(Content::Unreadable) };
        Ok(Content::Bytes(part.bytes(&self.file).map_err(|e| Error::Internal(e.to_string()))?))
    }

    /// Returns the directory at `part`, or `None` if it is damaged.
    fn directory(&self, part: Section) -> Result<Option<Arc<Directory>>> {
        let lock = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = lock().iter().find(|(offset, _)| *offset == part.offset) {
            return Ok(Some(Arc::clone(known)));
        }
        if part.length > MAX_COMPRESSED_BYTES {
            return Ok(None);
        }
        let bytes = part.bytes(&self.file).map_err(|e| Error::Internal(e.to_string()))?;
        let Some(directory) = self.header.directory(&bytes).map(Arc::new) else {
            return Ok(None);
        };
        let mut recent = lock();
        recent.truncate(MAX_CACHED_DIRECTORIES - 1);
        recent.push_front((part.offset, Arc::clone(&directory)));
        Ok(Some(directory))
    }
}

/// A part of the file.
#[derive(Clone, Copy)]
struct Section {
    offset: u64,
    length: u64,
}

impl Section {
    /// Returns the part at `offset` of this section, or `None` if it is not within the section.
    fn part(self, offset: u64, length: u64) -> Option<Self> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length && length > 0)?;
        Some(Self { offset: self.offset.checked_add(end - length)?, length })
    }

    /// Reads a section of the start: `None` if it is too long, or cannot be read.
    fn read(self, file: &File) -> Option<Vec<u8>> {
        (self.length <= MAX_COMPRESSED_BYTES).then(|| self.bytes(file).ok())?
    }

    /// Reads the bytes. The caller has bounded the length.
    fn bytes(self, file: &File) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or_default()];
        file.read_exact_at(&mut bytes, self.offset)?;
        Ok(bytes)
    }
}

/// The header of a file.
struct Header {
    root: Section,
    metadata: Section,
    directories: Section,
    tiles: Section,
    /// Whether directories and metadata are compressed with gzip.
    is_gzip: bool,
    tile_compression: u8,
    tile_type: u8,
    min_zoom: u8,
    max_zoom: u8,
    bounds: [f64; 4],
}

impl Header {
    fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, String> {
        let version = bytes[SIGNATURE.len()];
        if !bytes.starts_with(SIGNATURE) || version != VERSION {
            return Err(format!("it has version {version} of PMTiles. Use a file of version 3"));
        }
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_le_bytes)
        };
        let section = |at| Section { offset: number(at), length: number(at + 8) };
        // A coordinate in ten-millionths of a degree.
        let degrees = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            f64::from(bytes.map_or(0, i32::from_le_bytes)) / 1e7
        };
        let is_gzip = match bytes[97] {
            1 => false,
            2 => true,
            other => return Err(compression("directories", other)),
        };
        Ok(Self {
            root: section(8),
            metadata: section(24),
            directories: section(40),
            tiles: section(56),
            is_gzip,
            tile_compression: bytes[98],
            tile_type: bytes[99],
            min_zoom: bytes[100],
            max_zoom: bytes[101],
            bounds: [102, 106, 110, 114].map(degrees),
        })
    }

    /// Checks that the file is as long as its sections.
    fn check(&self, size: u64) -> Result<(), String> {
        let sections = [self.root, self.metadata, self.directories, self.tiles];
        let ends = sections.map(|section| section.offset.checked_add(section.length));
        match ends.into_iter().max().flatten() {
            Some(end) if end > size => Err(format!(
                "it has {size} bytes of {end}: it is damaged, or was not copied to its end"
            )),
            _ if ends.contains(&None) => Err("its header is damaged".into()),
            _ => Ok(()),
        }
    }

    fn directory(&self, bytes: &[u8]) -> Option<Directory> {
        Directory::parse(bytes, self.is_gzip)
    }

    fn metadata(&self, bytes: &[u8]) -> Option<Value> {
        if self.is_gzip {
            serde_json::from_slice(&inflate(bytes, MAX_METADATA_BYTES)?).ok()
        } else {
            serde_json::from_slice(bytes).ok()
        }
    }

    fn about(&self, metadata: &Value) -> Result<About, String> {
        let format = match self.tile_type {
            1 => "mvt",
            2 => "png",
            3 => "jpg",
            4 => "webp",
            5 => "avif",
            _ => "unknown",
        };
        // Some converters leave the layers in the text in which MBTiles has them.
        let of_mbtiles = metadata["json"].as_str().and_then(|json| serde_json::from_str(json).ok());
        let format = Format::parse(format, of_mbtiles.as_ref().unwrap_or(metadata))?;
        // Pictures are compressed already.
        let known: &[u8] = if format.is_vector() { &[0, 1, 2] } else { &[0, 1] };
        if !known.contains(&self.tile_compression) {
            return Err(compression("tiles", self.tile_compression));
        }
        Ok(About {
            format,
            min_zoom: self.min_zoom,
            max_zoom: self.max_zoom,
            attribution: metadata["attribution"].as_str().unwrap_or_default().to_owned(),
            bounds: self.bounds,
        })
    }
}

fn compression(what: &str, number: u8) -> String {
    let name = match number {
        2 => "gzip",
        3 => "brotli",
        4 => "zstd",
        _ => "an unknown method",
    };
    format!("its {what} are compressed with {name}. Use a file with gzip, or without compression")
}
