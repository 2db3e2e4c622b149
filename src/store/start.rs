//! The ways to open a store: for a server, beside one, and as a standby.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::condition::Condition;
use super::connect::{self, Mode};
use super::map_cache::MapCache;
use super::open::{self, OpenError};
use super::readers::Readers;
use super::session_cache::SessionCache;
use super::slow_log::SlowLog;
use super::standby::{self, Gate, Standby};
use super::stream::Streams;
use super::wal_index::WalIndex;
use super::writer::Writer;
use super::{Keys, Options, Role, Store, files, meta, upgrade};

/// The parts of a store that differ between these ways.
struct Parts {
    role: Role,
    keys: Keys,
    identity: String,
    map_cache: Arc<MapCache>,
    wal_index: Option<Arc<WalIndex>>,
    gate: Option<Arc<Gate>>,
    condition: Arc<Condition>,
    lock: Option<File>,
}

impl Store {
    /// Opens the database at `path`, creating it if it is missing or empty. Checks that the file is
    /// Bottle's and sound, copies it if it is older, and migrates it.
    ///
    /// Holds the file against other servers. Fails with [`OpenError`], and then leaves the file
    /// unchanged unless a migration failed.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let path = &files::resolve(path)?;
        let checked = open::check_or_create(path)?;
        open::check_writable(path)?;
        upgrade::copy_before_migration(path, checked.version)?;
        Self::writing(path, options, Some(checked.lock))
    }

    /// Opens the database at `path` to write beside the server that may hold it. The file must
    /// exist and have this program's schema.
    pub fn open_shared(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let path = &files::resolve(path)?;
        open::check_not_followed(path)?;
        connect::read(path, |db| {
            open::check_is_newest(path, db)?;
            open::check_schema(path, db)
        })?;
        Self::writing(path, options, None)
    }

    /// Opens the database at `path`, into which a follower copies the changes of the primary at
    /// `primary_url`. Writes nothing, except that a file which was just restored leaves WAL mode.
    ///
    /// Holds the file against other servers. Fails with [`OpenError`] if it is not Bottle's, not sound,
    /// of another schema than this program's, or has a log, as the file of a primary has.
    pub fn open_standby(
        path: &Path,
        options: &Options,
        primary_url: &str,
    ) -> Result<Self, OpenError> {
        let path = &files::resolve(path)?;
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let lock = open::lock(path)?;
        if let Some(log) = files::nonempty_log(path) {
            return Err(OpenError::PrimarysLog { path: path.to_owned(), log });
        }
        open::check_content(path)?;
        connect::read(path, |db| open::check_is_newest(path, db))?;
        files::restrict_permissions(path)?;
        standby::leave_wal_mode(path, options.busy_timeout)?;

        let sqlite = |e| open::refusal(path, e);
        let db = connect::open(path, Mode::Reader).map_err(sqlite)?;
        db.busy_timeout(options.busy_timeout).map_err(sqlite)?;
        let keys = meta::existing_keys(&db).map_err(sqlite)?;
        let keys = keys.ok_or_else(|| OpenError::NoKeys(path.to_owned()))?;
        let identity = meta::identity(&db).map_err(sqlite)?.unwrap_or_default();
        let (gate, map_cache) = (Arc::default(), Arc::new(MapCache::new(options.map_cache_bytes)));
        let standby = Standby::start(path, db, primary_url.to_owned(), &gate, &map_cache);
        let role = Role::Standby(standby.map_err(io)?);
        let (gate, lock) = (Some(gate), Some(lock));
        let wal_index = None;
        let condition = Arc::new(Condition::of(path, &[""]).map_err(io)?);
        let parts = Parts { role, keys, identity, map_cache, wal_index, gate, condition, lock };
        Self::of(path, options, parts)
    }

    fn writing(path: &Path, options: &Options, lock: Option<File>) -> Result<Self, OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        files::restrict_permissions(path)?;
        let db = upgrade::open_writing(path, options.busy_timeout)?;
        let keys = meta::keys(&db).map_err(sqlite)?;
        let identity = meta::identity(&db).map_err(sqlite)?.unwrap_or_default();
        let map_cache = Arc::new(MapCache::new(options.map_cache_bytes));
        let wal_index = Some(Arc::new(WalIndex::open(path).map_err(io)?));
        let condition = Arc::new(Condition::of(path, &["", "-wal", "-shm"]).map_err(io)?);
        let writer = Writer::start(db, options.busy_timeout, &map_cache, &condition).map_err(io)?;
        let (role, gate) = (Role::Primary(writer), None);
        let parts = Parts { role, keys, identity, map_cache, wal_index, gate, condition, lock };
        Self::of(path, options, parts)
    }

    fn of(path: &Path, options: &Options, parts: Parts) -> Result<Self, OpenError> {
        let Parts { role, keys, identity, map_cache, wal_index, gate, condition, lock } = parts;
        let failed = |e| rusqlite::Error::ToSqlConversionFailure(Box::new(e));
        let readers = Readers::open(path, options, gate.clone(), wal_index.clone())
            .map_err(|e| OpenError::Sqlite { path: path.to_owned(), source: failed(e) })?;
        Ok(Self {
            readers,
            streams: Streams::new(path, options.busy_timeout, gate.is_some()),
            role,
            slow_log: SlowLog::new(options.slow),
            map_cache,
            session_cache: wal_index.map(SessionCache::new),
            condition,
            path: path.to_owned(),
            keys,
            identity,
            _lock: lock,
        })
    }
}
