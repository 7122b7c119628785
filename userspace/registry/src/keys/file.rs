//! Where keys are kept: a file, or a credential that systemd hands over.
//!
//! A key is one line of 64 hexadecimal digits, as `openssl rand -hex 32` writes it. The first line is the current key, further lines are former
//! ones. Empty lines and lines that begin with `#` are comments.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{KEY, Key, KeyError, KeyRing};

/// A longer file is no key file, but a mistake.
const MAX_FILE: u64 = 64 * 1024;
/// What others must not be able to do with a key file, nor its group: write it. A group may read it, so that `root:sekisho` with mode
/// 0640 is possible, where sekisho can use its keys and cannot alter them [C].
const FORBIDDEN: u32 = 0o027;
/// What is forbidden for a credential: systemd grants access by an access control list, which shows as the group's bits.
const FORBIDDEN_CREDENTIAL: u32 = 0o007;

/// Why there are no keys, in words for whoever has to provide them. No message shows any of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Not there.
    #[error("there is no key file {}: write `openssl rand -hex 32` into a file of mode 0600; if there was one, \
             put it back, for no secret opens without it", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There already, where one was to be created.
    #[error("{} is there already, and is not overwritten, since no secret would open any more: rotate its keys, \
             or name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Open to others.
    #[error("others can read or change {} (its mode is {mode:04o}): run `chmod {remedy:04o} {}`", path.display(), path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it could have.
        remedy: u32,
    },
    /// No regular file.
    #[error("{} is no regular file: name the file that has the keys", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// A line that is no key.
    #[error("{}, line {line}, is no key: a key is 64 hexadecimal digits, as `openssl rand -hex 32` writes them", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A key that stands there twice.
    #[error("{}, line {line}, repeats the key of line {first}: take one of them out", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The second, counted from 1.
        line: usize,
        /// The first.
        first: usize,
    },
    /// No line with a key.
    #[error("{} has no key: put a line of `openssl rand -hex 32` in it, or the lines that it had, for no secret opens without them", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Longer than any key file.
    #[error("{} has more than {MAX_FILE} octets: name the file that has the keys", path.display())]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// No credentials, or a name that none can have.
    #[error("there is no systemd credential {name:?}: {remedy}")]
    Credential {
        /// What was asked for.
        name: String,
        /// What would help.
        remedy: &'static str,
    },
    /// The file system refused.
    #[error("the key file {} could not be {action} ({source}): let sekisho's user read it, and for a rotation write in its directory", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// No new key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl KeyRing {
    /// Reads a key file, which others must not be able to read.
    pub fn from_file(path: &Path) -> Result<KeyRing, KeyFileError> {
        parse(path, &read(path, FORBIDDEN)?)
    }

    /// Reads the systemd credential of this name (`LoadCredential=NAME:PATH` or `LoadCredentialEncrypted=`), of the same form as a key file.
    pub fn from_credential(name: &str) -> Result<KeyRing, KeyFileError> {
        match env::var_os("CREDENTIALS_DIRECTORY") {
            Some(directory) => KeyRing::from_credential_in(Path::new(&directory), name),
            None => Err(KeyFileError::Credential {
                name: name.to_owned(),
                remedy: "the service was started without credentials; add LoadCredential= to its unit, or name a key file",
            }),
        }
    }

    /// The same from a given directory rather than `$CREDENTIALS_DIRECTORY`.
    pub fn from_credential_in(directory: &Path, name: &str) -> Result<KeyRing, KeyFileError> {
        let refused = |remedy| KeyFileError::Credential { name: name.to_owned(), remedy };
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(refused("a name is that of a file, without any directory"));
        }
        let path = directory.join(name);
        match read(&path, FORBIDDEN_CREDENTIAL) {
            Ok(text) => parse(&path, &text),
            Err(KeyFileError::Missing { .. }) => {
                Err(refused("add LoadCredential= with this name to the service's unit"))
            }
            Err(error) => Err(error),
        }
    }

    /// Creates a key file with one new key, mode 0600. It is on the disk when this returns. Where there is a file already, that stays as it is.
    pub fn create(path: &Path) -> Result<KeyRing, KeyFileError> {
        let failed = failure(path, "created");
        let temporary = Temporary::write(path, line(&Key::generate()?).as_bytes(), None).map_err(failed)?;
        // A link is made or refused at once: nobody ever finds half a key file, and none is replaced.
        match fs::hard_link(&temporary.path, path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(KeyFileError::Exists { path: path.to_owned() });
            }
            Err(error) => return Err(failed(error)),
        }
        sync_directory(path).map_err(failed)?;
        KeyRing::from_file(path)
    }

    /// Puts a new key before those of the file, and gives the ring of them all. The file is replaced at once and is on the disk when this returns;
    /// it keeps its owner, mode and comments. Two rotations at the same time are two new keys. Processes that have read the file before do not
    /// open what the new key seals until they read it again.
    pub fn rotate(path: &Path) -> Result<KeyRing, KeyFileError> {
        let failed = failure(path, "rotated");
        // The file behind a link is what changes, not the link.
        let path = &match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyFileError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(failed(error)),
        };
        // Held until the new file is there; else one of two rotations could throw away the key of the other, with which secrets are sealed by then.
        let directory = File::open(parent(path)).map_err(failed)?;
        directory.lock().map_err(failed)?;
        let text = read(path, FORBIDDEN)?;
        let known = parse(path, &text)?;
        let key = loop {
            let key = Key::generate()?;
            if known.ids().all(|id| id != key.id) {
                break key;
            }
        };
        let old = fs::metadata(path).map_err(failed)?;
        let text = Zeroizing::new([line(&key).as_bytes(), &text].concat());
        let temporary = Temporary::write(path, &text, Some(&old)).map_err(failed)?;
        fs::rename(&temporary.path, path).map_err(failed)?;
        sync_directory(path).map_err(failed)?;
        KeyRing::from_file(path)
    }
}

/// A file beside the one that is to be; removed in the end, where it has not taken its place.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Writes it through to the disk, with the owner and the mode of the one that it is to replace.
    fn write(beside: &Path, octets: &[u8], like: Option<&fs::Metadata>) -> io::Result<Temporary> {
        let mut name = beside.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}.new", rand::random::<u64>()));
        let temporary = Temporary { path: beside.with_file_name(name) };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.path)?;
        if let Some(like) = like {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (like.uid(), like.gid()) {
                fchown(&file, Some(like.uid()), Some(like.gid()))?;
            }
            file.set_permissions(fs::Permissions::from_mode(like.mode() & 0o777))?;
        }
        file.write_all(octets)?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

fn failure(path: &Path, action: &'static str) -> impl Fn(io::Error) -> KeyFileError + Copy {
    move |source| KeyFileError::Failed { path: path.to_owned(), action, source }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// Reads a file that nobody else may.
fn read(path: &Path, forbidden: u32) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Failed { path: path.to_owned(), action: "read", source },
    };
    // Asked before it is opened, since opening a pipe would wait for whoever writes it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(KeyFileError::NoFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(KeyFileError::Mode { path: path.to_owned(), mode, remedy: mode & 0o777 & !forbidden });
    }
    // Of its full size at once: what a growing vector leaves behind is not wiped.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_FILE).unwrap_or_default() + 2));
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(failed)?;
    match u64::try_from(text.len()) {
        Ok(..=MAX_FILE) => Ok(text),
        _ => Err(KeyFileError::Long { path: path.to_owned() }),
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<KeyRing, KeyFileError> {
    let mut keys: Vec<(usize, Key)> = Vec::new();
    for (line, octets) in (1..).zip(text.split(|&octet| octet == b'\n')) {
        let octets = octets.trim_ascii();
        if octets.is_empty() || octets.starts_with(b"#") {
            continue;
        }
        let Some(key) = key(octets) else { return Err(KeyFileError::Line { path: path.to_owned(), line }) };
        if let Some((first, _)) = keys.iter().find(|(_, known)| known.id == key.id) {
            return Err(KeyFileError::Twice { path: path.to_owned(), line, first: *first });
        }
        keys.push((line, key));
    }
    let mut keys = keys.into_iter().map(|(_, key)| key);
    let Some(current) = keys.next() else { return Err(KeyFileError::Empty { path: path.to_owned() }) };
    Ok(KeyRing::of(current, keys.collect()))
}

/// A key of its digits.
fn key(digits: &[u8]) -> Option<Key> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    if pairs.len() != KEY {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut octets = Zeroizing::new([0; KEY]);
    for (to, [high, low]) in octets.iter_mut().zip(pairs) {
        *to = digit(*high)? << 4 | digit(*low)?;
    }
    Some(Key::new(octets))
}

/// A key as a line of its digits.
fn line(key: &Key) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(2 * KEY + 1));
    for octet in key.octets.iter() {
        for half in [octet >> 4, octet & 15] {
            line.extend(char::from_digit(u32::from(half), 16));
        }
    }
    line.push('\n');
    line
}
