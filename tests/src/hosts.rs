//! Host names that resolve for one program only.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What stands for `/etc/hosts` in a program's view of the file system. It may change while the program runs.
///
/// Names that are not in it do not resolve: the program is given an `nsswitch.conf` too, by which nothing else is asked.
#[derive(Debug)]
pub struct Hosts(tempfile::TempDir);

impl Hosts {
    /// Without any name yet.
    pub fn new() -> Hosts {
        let hosts = Hosts(tempfile::tempdir().expect("a temporary directory"));
        hosts.put("nsswitch.conf", "hosts: files\n");
        hosts.put("hosts", "");
        hosts
    }

    /// From now on these are all the names there are.
    pub fn set(&self, names: &[(&str, IpAddr)]) {
        let lines: String = names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
        self.put("hosts", &lines);
    }

    /// The script that shows them to the program that its arguments name, and becomes that program. The view is its own:
    /// nobody else's `/etc` changes.
    pub(crate) fn script(&self) -> String {
        let binds =
            ["hosts", "nsswitch.conf"].map(|name| format!("mount --bind {} /etc/{name}", self.at(name).display()));
        format!("{} && exec \"$@\"", binds.join(" && "))
    }

    /// Writes into the file that is there: a bind mount would keep showing one that was replaced.
    fn put(&self, name: &str, text: &str) {
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(self.at(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }

    fn at(&self, name: &str) -> PathBuf {
        Path::new(self.0.path()).join(name)
    }
}

impl Default for Hosts {
    fn default() -> Hosts {
        Hosts::new()
    }
}
