//! Where a node's registry is, and the keys that its secrets are sealed with.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use sekisho_config::{CustomersFrom, Database, KeySource, Node};
use sekisho_registry::{
    Location, Registry, RegistryError,
    keys::{KeyFileError, KeyRing},
};
use sekisho_regulation::Book;

use super::trouble::{FeedError, FollowError};

/// Where a node's registry is.
#[derive(Clone)]
pub struct Place {
    /// The database.
    pub location: Location,
    pub(super) mirror: PathBuf,
    pub(super) zone: TimeZone,
    pub(super) source: KeySource,
    pub(super) keys: KeyRing,
}

impl Place {
    /// By the node's document. The key of a SQLite registry that is not there yet is made as well.
    ///
    /// # Errors
    ///
    /// [`FeedError::NoRegistry`], [`FeedError::Key`].
    pub fn of(node: &Node) -> Result<Place, FeedError> {
        let CustomersFrom::Registry(registry) = &node.customers else { return Err(FeedError::NoRegistry) };
        let location = match &registry.database {
            Database::Sqlite(file) => Location::Sqlite(file.clone()),
            Database::Postgres(url) => Location::Postgres(url.expose().to_owned()),
        };
        let is_new =
            matches!(&registry.database, Database::Sqlite(file) if !file.exists()) && !registry.mirror.exists();
        if is_new {
            make_room(&registry.mirror)?;
        }
        let keys = match &registry.key {
            KeySource::File(file) if is_new && !file.exists() => KeyRing::create(file)?,
            source => read_keys(source)?,
        };
        Ok(Place {
            location,
            mirror: registry.mirror.clone(),
            zone: registry.zone(),
            source: registry.key.clone(),
            keys,
        })
    }

    /// The place of a registry that is to be made from a backup: a new key would open nothing of it, and none is made.
    ///
    /// # Errors
    ///
    /// As [`Place::of`].
    pub fn to_restore(node: &Node) -> Result<Place, FeedError> {
        if let CustomersFrom::Registry(registry) = &node.customers
            && let KeySource::File(file) = &registry.key
        {
            KeyRing::from_file(file)?;
        }
        Place::of(node)
    }

    /// Whether what this node has served from is there: opening makes a registry where there is none, and an empty one is not to take the
    /// place of one that has only been moved.
    ///
    /// # Errors
    ///
    /// [`FollowError::Gone`].
    pub fn check(&self) -> Result<(), FollowError> {
        match self.location.file() {
            Some(file) if !file.exists() && self.mirror.exists() => Err(FollowError::Gone { file: file.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Opens the database.
    ///
    /// # Errors
    ///
    /// What is the matter with it.
    pub async fn open(&self) -> Result<Registry, RegistryError> {
        Registry::open(&self.location, self.keys.clone()).await
    }

    /// The keys that secrets are sealed with.
    pub fn keys(&self) -> KeyRing {
        self.keys.clone()
    }

    /// An empty book.
    pub fn book(&self) -> Book {
        Book::new(self.zone.clone())
    }
}

pub(super) fn read_keys(source: &KeySource) -> Result<KeyRing, KeyFileError> {
    match source {
        KeySource::File(file) => KeyRing::from_file(file),
        KeySource::Credential(name) => KeyRing::from_credential(name),
    }
}

/// The directory that a registry is going to be in: its owner's alone.
pub(super) fn make_room(file: &Path) -> Result<(), FeedError> {
    let Some(directory) = file.parent() else { return Ok(()) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| FeedError::Directory { directory: directory.to_owned(), error })
}
