//! `sekisho xdp`: the gate itself, without a node.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use sekisho_kernel::{Detached, Gate, GateError};

use super::{Exit, say};
use crate::{
    documents::{Documents, plural},
    gate::pins,
};

/// Where gates are pinned unless `xdp.directory` says otherwise.
const DIRECTORY: &str = "/sys/fs/bpf/sekisho";

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Remove what a node has left in the kernel: program, tables and buckets
    Detach(Detach),
}

/// Of which node.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With xdp.persist a gate stays while its node does not run, so that strangers are dropped all the time. Without \
                        it they reach the host's own network stack."
)]
struct Detach {
    /// The directory of all nodes' gates, or of one
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
    directory: PathBuf,
    /// The node's document: its gate only
    #[arg(long, value_name = "PATH", conflicts_with = "directory")]
    config: Option<PathBuf>,
    /// Even while a node runs with it: that one has to be started again afterwards
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args) -> Exit {
    let Command::Detach(detach) = &args.command;
    let directories = match &detach.config {
        None => gates(&detach.directory),
        Some(path) => match Documents::node(path) {
            Ok(documents) => vec![pins(&documents.node)],
            Err(faults) => {
                eprintln!("{faults}");
                return Exit::Refused;
            }
        },
    };
    let mut exit = Exit::Success;
    for directory in directories {
        match remove(&directory, detach.force) {
            Ok(said) => say(&said),
            Err(why) => {
                eprintln!("{why}");
                exit = Exit::Failure;
            }
        }
    }
    exit
}

/// The gates in a directory: itself, or one in each of those below it; itself also where there is none, for that to be said.
fn gates(directory: &Path) -> Vec<PathBuf> {
    if is_gate(directory) {
        return vec![directory.to_owned()];
    }
    let mut below: Vec<PathBuf> = entries(directory).into_iter().filter(|path| is_gate(path)).collect();
    below.sort();
    if below.is_empty() { vec![directory.to_owned()] } else { below }
}

/// Whether a gate is pinned there.
fn is_gate(directory: &Path) -> bool {
    let is_ours = |name: &str| name == "maps" || name.starts_with("maps-") || name.starts_with("link-");
    entries(directory).iter().filter_map(|path| path.file_name()?.to_str()).any(is_ours)
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

/// Removes one gate; gives what that was.
fn remove(directory: &Path, force: bool) -> Result<String, String> {
    let held = is_held(directory).map_err(|error| format!("{} cannot be opened: {error}", directory.display()))?;
    if held && !force {
        return Err(format!(
            "a node runs with the gate in {}: stop it first, or say --force and start it again afterwards",
            directory.display()
        ));
    }
    let detached = match is_gate(directory) {
        true => Gate::detach(directory),
        false => Err(GateError::NothingPinned { directory: directory.to_owned() }),
    };
    detached.map(|detached| told(directory, &detached, held)).map_err(|error| error.to_string())
}

fn told(directory: &Path, Detached { interfaces, maps }: &Detached, held: bool) -> String {
    let from = if interfaces.is_empty() { "no interface".to_owned() } else { interfaces.join(", ") };
    let mut text = format!("{}: detached from {from}, {} removed.\n", directory.display(), plural(*maps, "table"));
    if held {
        text.push_str("Its node still runs and counts on the gate for its rate limits: start it again.\n");
    }
    text
}

/// Whether a process has it: it holds a lock on the directory.
fn is_held(directory: &Path) -> io::Result<bool> {
    let opened = match File::open(directory) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match opened.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn gates_are_found_in_their_directory_or_in_the_one_above() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert_eq!(gates(root), [root]);
        fs::create_dir_all(root.join("tokyo/maps")).unwrap();
        fs::create_dir_all(root.join("osaka")).unwrap();
        fs::write(root.join("osaka/link-3-native"), "").unwrap();
        fs::create_dir_all(root.join("empty")).unwrap();
        assert_eq!(gates(root), [root.join("osaka"), root.join("tokyo")]);
        assert_eq!(gates(&root.join("tokyo")), [root.join("tokyo")]);
        assert_eq!(gates(&root.join("nowhere")), [root.join("nowhere")]);
    }

    #[test]
    fn what_a_process_holds_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("maps")).unwrap();
        let held = File::open(root.path()).unwrap();
        held.lock().unwrap();
        let why = remove(root.path(), false).unwrap_err();
        assert!(why.contains("a node runs with the gate"), "{why}");
        assert!(root.path().join("maps").exists());
    }

    #[test]
    fn where_nothing_is_that_is_said() {
        let root = tempfile::tempdir().unwrap();
        for directory in [root.path().join("nowhere"), root.path().to_owned()] {
            let why = remove(&directory, false).unwrap_err();
            assert!(why.contains("nothing is there"), "{why}");
        }
        assert!(root.path().exists(), "what is none of ours stays");
    }

    #[test]
    fn what_was_removed_is_told() {
        let detached = Detached { interfaces: vec!["eth0".into(), "eth1".into()], maps: 14 };
        let text = told(Path::new("/sys/fs/bpf/sekisho/tokyo"), &detached, false);
        assert_eq!(text, "/sys/fs/bpf/sekisho/tokyo: detached from eth0, eth1, 14 tables removed.\n");
        assert!(told(Path::new("/x"), &detached, true).contains("start it again"));
    }
}
