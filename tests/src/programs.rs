//! Where the built programs are: `make test` says so in the environment.

use std::path::PathBuf;

/// The program `sekisho`.
pub fn sekisho() -> PathBuf {
    program("SEKISHO_BIN")
}

/// The home server of our own, `sekisho-home`.
pub fn sekisho_home() -> PathBuf {
    program("SEKISHO_HOME_BIN")
}

/// The load generator, `sekisho-load`.
pub fn sekisho_load() -> PathBuf {
    program("SEKISHO_LOAD_BIN")
}

fn program(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let path = path.unwrap_or_else(|| panic!("{variable} is not set: `make test` builds the program and sets it"));
    assert!(path.is_file(), "{variable} says {}, where nothing is: `make test` builds it", path.display());
    path
}
