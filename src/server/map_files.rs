//! The setting `map_file`: one path or a list of them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The files with street maps, in the order of their precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
pub enum MapFiles {
    /// A file; an empty path for none.
    One(PathBuf),
    /// Any number of files.
    Several(Vec<PathBuf>),
}

impl Default for MapFiles {
    fn default() -> Self {
        Self::One(PathBuf::new())
    }
}

impl MapFiles {
    /// Returns the paths of the files.
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::One(none) if none.as_os_str().is_empty() => &[],
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}
