//! The proxies that are compared: where their programs are, and how each is set up.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Child, CompareError};

/// A proxy that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// [`relay`](crate::relay): no proxy, but the floor below all of them.
    Relay,
    /// sekisho.
    Sekisho,
    /// An earlier build of sekisho, set up as today's is.
    Former,
    /// FreeRADIUS 3.2.
    Freeradius,
    /// radsecproxy 1.9, UDP on both sides.
    Radsecproxy,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Relay => "bare relay",
            Self::Sekisho => "sekisho",
            Self::Former => "former",
            Self::Freeradius => "FreeRADIUS",
            Self::Radsecproxy => "radsecproxy",
        })
    }
}

/// What the documents of a proxy are filled in with.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Ports on 127.0.0.1: ours to ask, and the home server's.
    pub(super) authentication: u16,
    pub(super) accounting: u16,
    pub(super) home_authentication: u16,
    pub(super) home_accounting: u16,
    /// For a proxy's own needs.
    pub(super) admin: u16,
    /// Shared by everybody: a relay cannot have two.
    pub(super) secret: String,
    pub(super) realm: String,
    /// Where documents and logs of one run are written.
    pub(super) directory: PathBuf,
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(super) home: Option<PathBuf>,
    relay: Option<PathBuf>,
    sekisho: Option<PathBuf>,
    former: Option<PathBuf>,
    freeradius: Option<PathBuf>,
    radsecproxy: Option<PathBuf>,
}

/// sekisho's document, but for its limits.
const SEKISHO: &str = include_str!("../../peers/sekisho/sekisho.toml");

impl Programs {
    /// Looks for our own tools beside this program, and for the peers where they are installed.
    pub(crate) fn find(sekisho: Option<&Path>, former: Option<&Path>) -> Self {
        let own = |name: &str| {
            let path = std::env::current_exe().ok()?.with_file_name(name);
            path.is_file().then_some(path)
        };
        Self {
            home: own("sekisho-home"),
            relay: own("sekisho-relay"),
            sekisho: sekisho.filter(|path| path.is_file()).map(Path::to_owned),
            former: former.filter(|path| path.is_file()).map(Path::to_owned),
            freeradius: installed("freeradius").or_else(|| installed("radiusd")),
            radsecproxy: installed("radsecproxy"),
        }
    }

    fn program(&self, proxy: Proxy) -> Option<&Path> {
        match proxy {
            Proxy::Relay => self.relay.as_deref(),
            Proxy::Sekisho => self.sekisho.as_deref(),
            Proxy::Former => self.former.as_deref(),
            Proxy::Freeradius => self.freeradius.as_deref(),
            Proxy::Radsecproxy => self.radsecproxy.as_deref(),
        }
    }

    /// Whether the program is there.
    pub(crate) fn has(&self, proxy: Proxy) -> bool {
        self.program(proxy).is_some()
    }

    /// What the program says of its version, in a line.
    pub(crate) fn version(&self, proxy: Proxy) -> String {
        let Some(program) = self.program(proxy) else { return String::new() };
        let option = match proxy {
            Proxy::Relay | Proxy::Sekisho | Proxy::Former => "--version",
            Proxy::Freeradius | Proxy::Radsecproxy => "-v",
        };
        first_line_of(program, option)
    }

    /// Writes the proxy's documents and starts it in the foreground.
    pub(super) fn start(&self, proxy: Proxy, site: &Site) -> Result<Child, CompareError> {
        let told = |error: io::Error| CompareError::Start { what: format!("starting {proxy}"), error };
        let program = self.program(proxy).ok_or(io::ErrorKind::NotFound).map_err(|kind| told(kind.into()))?;
        let mut command = Command::new(program);
        let directory = &site.directory;
        match proxy {
            Proxy::Relay => {
                for (option, port) in [
                    ("--listen-auth", site.authentication),
                    ("--listen-acct", site.accounting),
                    ("--home-auth", site.home_authentication),
                    ("--home-acct", site.home_accounting),
                ] {
                    command.arg(option).arg(format!("127.0.0.1:{port}"));
                }
            }
            Proxy::Sekisho | Proxy::Former => {
                let customer = include_str!("../../peers/sekisho/customer.toml");
                site.write("customers/bench.toml", customer).map_err(told)?;
                let limited = [SEKISHO, include_str!("../../peers/sekisho/limits.toml")].concat();
                let mut document = site.write("sekisho.toml", &limited).map_err(told)?;
                if proxy == Proxy::Former && !accepts(program, &document).map_err(told)? {
                    // It is older than limits.
                    document = site.write("sekisho.toml", SEKISHO).map_err(told)?;
                }
                command.arg("run").arg("--config").arg(document);
            }
            Proxy::Freeradius => {
                let document = include_str!("../../peers/freeradius/radiusd.conf");
                site.write("radiusd.conf", document).map_err(told)?;
                site.write("dictionary", "").map_err(told)?;
                command.args(["-f", "-n", "radiusd", "-d"]).arg(directory);
            }
            Proxy::Radsecproxy => {
                let document = include_str!("../../peers/radsecproxy/radsecproxy.conf");
                let document = site.write("radsecproxy.conf", document).map_err(told)?;
                command.args(["-f", "-i"]).arg(directory.join("radsecproxy.pid")).arg("-c").arg(document);
            }
        }
        Child::start(&mut command, &directory.join("output.log")).map_err(told)
    }
}

impl Site {
    /// Writes a document with its placeholders filled in.
    fn write(&self, name: &str, template: &str) -> io::Result<PathBuf> {
        let path = self.directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, self.fill(template))?;
        Ok(path)
    }

    fn fill(&self, template: &str) -> String {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        [
            ("@DIR@", self.directory.display().to_string()),
            // As many as there are processors: measured with 1, 2, 4 and 16 on two of them, that was cheapest.
            ("@THREADS@", threads.to_string()),
            ("@AUTH@", self.authentication.to_string()),
            ("@ACCT@", self.accounting.to_string()),
            ("@HOME_AUTH@", self.home_authentication.to_string()),
            ("@HOME_ACCT@", self.home_accounting.to_string()),
            ("@ADMIN@", self.admin.to_string()),
            ("@SECRET@", self.secret.clone()),
            ("@REALM@", self.realm.clone()),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// Whether a build of sekisho knows everything in a document.
fn accepts(program: &Path, document: &Path) -> io::Result<bool> {
    let mut command = Command::new(program);
    command.arg("check").arg(document);
    Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
}

/// The first line of what a program says when it is run with one option; empty if it cannot be run.
pub(crate) fn first_line_of(program: &Path, option: &str) -> String {
    let Ok(output) = Command::new(program).arg(option).output() else { return String::new() };
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
}

/// A program of the system. Servers often stand where only the administrator's path leads.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_of_every_document_is_filled_in() {
        let site = Site {
            authentication: 1,
            accounting: 2,
            home_authentication: 3,
            home_accounting: 4,
            admin: 5,
            secret: "secret".into(),
            realm: "bench.example".into(),
            directory: "directory".into(),
        };
        for template in [
            SEKISHO,
            include_str!("../../peers/sekisho/customer.toml"),
            include_str!("../../peers/freeradius/radiusd.conf"),
            include_str!("../../peers/radsecproxy/radsecproxy.conf"),
        ] {
            let filled = site.fill(template).replace("@NAME@", "");
            assert!(!filled.replace("\"@\"", "").contains('@'), "{filled}");
        }
    }
}
