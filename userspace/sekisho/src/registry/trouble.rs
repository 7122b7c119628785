//! What can be the matter with what a node is served from.

use std::{io, path::PathBuf};

use sekisho_config::{Contradiction, Faults};
use sekisho_registry::{RegistryError, keys::KeyFileError};

/// Why there is nothing to serve, or nothing to record in.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The node's customers stand in files.
    #[error(
        "this node has no [registry]: its customers are documents that it reads directly. \
         Give it a [registry] in the place of `customers`; docs/service.md shows how."
    )]
    NoRegistry,
    /// The key that secrets are sealed with.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// The directory of the registry.
    #[error("{} cannot be made ({error}). Let sekisho's user write where it is to be.", .directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// The database.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The registry that a node has served from is not there any more.
    #[error("{0}")]
    Follow(#[from] FollowError),
    /// Neither the database nor a mirror.
    #[error("{database}\nNor is there a copy to serve from: {mirror}")]
    Neither {
        /// What is the matter with the database.
        database: String,
        /// What is the matter with the mirror.
        mirror: String,
    },
    /// The documents in force are faulty for this node.
    #[error("{0}")]
    Faults(#[from] Faults),
    /// A document in force has not been read, as where the clock has been set back.
    #[error("{document} is in force, and has not been read: is this node's clock right? A restart reads it.")]
    Missing {
        /// What messages call it.
        document: String,
    },
    /// Contracts do not go together that the rules should have kept apart.
    #[error("{0}")]
    Contradiction(#[from] Contradiction),
}

/// Why a registry cannot be followed now.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The database.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// Its file is gone.
    #[error(
        "{} is not there any more. Put it back, or restore a backup in its place (`sekisho registry restore FILE`); a registry that is to \
         begin anew needs this node's mirror removed as well.",
        .file.display()
    )]
    Gone {
        /// The file.
        file: PathBuf,
    },
    /// Another one is there, without anything in it.
    #[error(
        "{location} is empty, and another registry than the one that this node has served from. Restore a backup into it \
         (`sekisho registry restore FILE`), or remove this node's mirror if it is to begin anew."
    )]
    Empty {
        /// Where.
        location: String,
    },
}
