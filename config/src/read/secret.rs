//! Secrets and passwords: inline, from a file below the one directory for them, or from the environment.

use std::{
    cell::RefCell,
    fs,
    hash::{BuildHasher, RandomState},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sekisho_wire::secret::Secret;
use zeroize::Zeroizing;

use crate::{
    document::{Author, Site},
    finding::Problem,
    section::Section,
};

/// Shorter secrets are warned about: RFC 2865 §3 asks for at least 16 octets.
const GOOD_LENGTH: usize = 16;
/// A longer file is no secret, but a mistake.
const MAX_FILE: u64 = 64 * 1024;

/// The three keys that one secret may stand under, of which exactly one is given.
pub(super) type Trio = [&'static str; 3];

pub(super) const SECRET: Trio = ["secret", "secret_file", "secret_env"];
pub(super) const DATABASE: Trio = ["database", "database_file", "database_env"];
pub(super) const PREVIOUS: Trio = ["previous_secret", "previous_secret_file", "previous_secret_env"];
const PASSWORD: Trio = ["password", "password_file", "password_env"];
const TUNNEL: Trio = ["tunnel_password", "tunnel_password_file", "tunnel_password_env"];

/// The longest tunnel password. RFC 2868 §3.5 has room for 239 octets; as Cisco-AVPair there is less.
const MAX_TUNNEL_PASSWORD: usize = 128;

/// Where secrets come from, and the ones found so far.
pub(crate) struct Vault<'a> {
    directory: Directory,
    env: &'a dyn Fn(&str) -> Option<String>,
    /// Keyed anew for each load: a fingerprint says nothing to anybody.
    hasher: RandomState,
    /// Every shared secret found, tunnel passwords among them.
    pub(crate) found: RefCell<Vec<Found>>,
}

/// The directory below which `file` secrets stand.
pub(crate) enum Directory {
    /// It is configured.
    At(PathBuf),
    /// None is configured.
    None,
    /// What is configured is faulty, which has been reported.
    Unknown,
}

/// A shared secret with its place.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) site: Site,
    pub(crate) key: &'static str,
    pub(crate) fingerprint: u64,
    pub(crate) secret: Secret,
}

impl<'a> Vault<'a> {
    pub(crate) fn new(directory: Directory, env: &'a dyn Fn(&str) -> Option<String>) -> Vault<'a> {
        Vault { directory, env, hasher: RandomState::new(), found: RefCell::default() }
    }

    /// The secret of a section.
    pub(crate) fn secret(&self, section: &Section<'_>) -> Option<Secret> {
        let found = self.octets(section, SECRET)?;
        self.keep(section, found)
    }

    /// The secret before it, where a section has one; the outer `None` where it is faulty.
    pub(crate) fn previous_secret(&self, section: &Section<'_>) -> Option<Option<Secret>> {
        if !PREVIOUS.iter().any(|key| section.has(key)) {
            return Some(None);
        }
        let found = self.octets(section, PREVIOUS)?;
        let (key, own) = (found.0, SECRET.iter().any(|key| section.has(key)));
        let current = self.found.borrow().last().filter(|last| own && last.site.path == section.site.path).cloned();
        let previous = self.keep(section, found)?;
        if current.is_some_and(|current| current.secret == previous) {
            let remedy = "Give the one that was in use before, or take it out.";
            section.warn(key, Problem::new("is the secret itself", remedy));
        }
        Some(Some(previous))
    }

    /// Warns of a short secret, and notes it.
    fn keep(&self, section: &Section<'_>, (key, octets): (&'static str, Zeroizing<Vec<u8>>)) -> Option<Secret> {
        let length = octets.len();
        if length < GOOD_LENGTH {
            let message = format!("the secret has {length} octets, and one so short can be guessed (RFC 2865 §3)");
            let remedy = format!("Take at least {GOOD_LENGTH} random octets: `openssl rand -base64 24`.");
            section.warn(key, Problem::new(message, remedy));
        }
        self.note(section, key, &octets)
    }

    /// The password of an LNS's tunnels, where a section has one; the outer `None` where it is faulty.
    pub(crate) fn tunnel_password(&self, section: &Section<'_>) -> Option<Option<Zeroizing<Vec<u8>>>> {
        if !TUNNEL.iter().any(|key| section.has(key)) {
            return Some(None);
        }
        let (key, octets) = self.octets(section, TUNNEL)?;
        let length = octets.len();
        if length > MAX_TUNNEL_PASSWORD {
            let message = format!("the tunnel password has {length} octets");
            section.fault(key, Problem::new(message, format!("Take at most {MAX_TUNNEL_PASSWORD}.")));
            return None;
        }
        if length < GOOD_LENGTH {
            let message = format!(
                "the tunnel password has {length} octets, and one so short can be guessed from what is seen of one tunnel's \
                 authentication (RFC 2661 §9.1)"
            );
            let remedy = format!("Take at least {GOOD_LENGTH} random octets: `openssl rand -base64 24`.");
            section.warn(key, Problem::new(message, remedy));
        }
        self.note(section, key, &octets)?;
        Some(Some(octets))
    }

    /// Notes a secret for the comparison with others.
    fn note(&self, section: &Section<'_>, key: &'static str, octets: &[u8]) -> Option<Secret> {
        let secret = Secret::new(octets).ok()?;
        let fingerprint = self.hasher.hash_one(octets);
        let found = Found { site: section.site.clone(), key, fingerprint, secret: secret.clone() };
        self.found.borrow_mut().push(found);
        Some(secret)
    }

    /// The password of a section.
    pub(crate) fn password(&self, section: &Section<'_>) -> Option<Zeroizing<Vec<u8>>> {
        self.octets(section, PASSWORD).map(|(_, octets)| octets)
    }

    /// The octets, at least one, and the key that they were found under.
    pub(super) fn octets(&self, section: &Section<'_>, trio: Trio) -> Option<(&'static str, Zeroizing<Vec<u8>>)> {
        let [inline, file, env] = trio;
        let of_customer = section.site.document.author() == Author::Customer;
        let mut given = trio.into_iter().filter(|key| section.has(key));
        let (first, second) = (given.next(), given.next());
        let Some(key) = first else {
            let remedy = match of_customer {
                true => "Give it itself: the registry keeps documents encrypted.".to_owned(),
                false => format!("Give one of `{inline}`, `{file}` and `{env}`."),
            };
            section.fault(inline, Problem::new("is missing", remedy));
            return None;
        };
        if let Some(second) = second {
            let message = format!("stands beside `{key}`, so there are two");
            section.fault(second, Problem::new(message, "Keep one of them."));
            return None;
        }
        if of_customer && key != inline {
            let message =
                "names something of one node, and a customer's document in the registry is read by every node";
            let remedy = format!("Give `{inline}` itself: the registry keeps documents encrypted.");
            section.fault(key, Problem::new(message, remedy));
            return None;
        }
        let text = section.text(key).optional()??;
        let octets = match key {
            key if key == inline => Ok(Zeroizing::new(text.as_bytes().to_vec())),
            key if key == file => self.file_octets(section, key, text),
            _ => self.env_octets(text),
        };
        let octets = octets.map_err(|problem| section.fault(key, problem)).ok()?;
        if octets.is_empty() {
            let remedy = match trio {
                DATABASE => "Give a file for SQLite, or the URL of a PostgreSQL database.",
                _ => "Take at least 16 random octets: `openssl rand -base64 24`.",
            };
            section.fault(key, Problem::new("is empty", remedy));
            return None;
        }
        Some((key, octets))
    }

    // No finding repeats a name that was given: somebody may have put the secret itself there.

    fn env_octets(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let missing = || {
            let remedy = "Set it where sekisho is started, or name another.";
            Problem::new("the environment variable of this name is not set", remedy)
        };
        (self.env)(name).map(|value| Zeroizing::new(value.into_bytes())).ok_or_else(missing)
    }

    fn file_octets(&self, section: &Section<'_>, key: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let directory = match &self.directory {
            Directory::At(directory) => directory,
            Directory::None => {
                let message = "there is no directory for secrets that a file may stand in";
                return Err(Problem::new(message, "Give `secrets` under [node] in sekisho.toml."));
            }
            // Any octets will do: nothing of a faulty configuration is used.
            Directory::Unknown => return Ok(Zeroizing::new(name.as_bytes().to_vec())),
        };
        let unreadable = |error: std::io::Error| {
            let remedy = format!("Put it below {} and let sekisho's user read it.", directory.display());
            Problem::new(format!("the file cannot be read ({error})"), remedy)
        };
        let path = inside(directory, name).map_err(unreadable)?.ok_or_else(|| {
            let message = "the path leads out of the directory for secrets";
            Problem::new(message, format!("Put the file below {}.", directory.display()))
        })?;
        let meta = fs::metadata(&path).map_err(unreadable)?;
        if !meta.is_file() || meta.len() > MAX_FILE {
            let message = format!("it is no file of at most {MAX_FILE} octets");
            return Err(Problem::new(message, "Name a file that holds the secret and nothing else."));
        }
        if meta.mode() & 0o007 != 0 {
            let message = "every user of this machine can read the file";
            section.warn(key, Problem::new(message, "Take the permission away: `chmod o= FILE`."));
        }
        let mut octets = Zeroizing::new(fs::read(&path).map_err(unreadable)?);
        if octets.pop_if(|last| *last == b'\n').is_some() {
            octets.pop_if(|last| *last == b'\r');
        }
        Ok(octets)
    }
}

/// The true path of a file named relative to a directory; `None` where it leads out of it, by a symbolic link as well.
fn inside(directory: &Path, name: &str) -> std::io::Result<Option<PathBuf>> {
    let root = directory.canonicalize()?;
    let path = root.join(name);
    // Compared before the file is looked for: an answer must not tell which files exist elsewhere.
    if !path.starts_with(&root) || path.components().any(|part| part == std::path::Component::ParentDir) {
        return Ok(None);
    }
    let path = path.canonicalize()?;
    Ok(path.starts_with(&root).then_some(path))
}
