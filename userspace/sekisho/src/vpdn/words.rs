//! What the operator has said of LNSs, by command: it goes before what documents say, and is kept over restarts.
//!
//! A file of names in `node.state`. A word stays while its LNS is in no document: whoever takes an LNS out of service and then a
//! customer's document away does not find it in service when the document is back.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use sekisho_engine::{
    Time,
    snapshot::{LnsPlan, RoutingSnapshot},
};
use sekisho_lns::health::{Changed, Health, Wanted};
use serde::{Deserialize, Serialize};

use crate::{running::Running, state};

/// Its name below `node.state`.
const FILE: &str = "lns.json";

/// What the operator has said, and its file.
#[derive(Debug)]
pub struct Words {
    directory: PathBuf,
    /// By customer and LNS.
    said: Mutex<BTreeMap<(String, String), Wanted>>,
    /// Held while the file is written, which a disk may keep waiting: nobody who only asks what was said waits for that.
    writing: Mutex<()>,
    failing: AtomicBool,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    lns: Vec<Word>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    customer: String,
    name: String,
    #[serde(with = "Said")]
    word: Wanted,
}

/// [`Wanted`] in the file.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Wanted", rename_all = "lowercase")]
enum Said {
    Up,
    Draining,
    Down,
}

/// What the operator may say of an LNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// No new sessions.
    Drain,
    /// Takes that back.
    Undrain,
    /// Out of service.
    Down,
    /// In service: takes a word back, or goes before a document that says otherwise.
    Up,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Verb; 4] = [Verb::Drain, Verb::Undrain, Verb::Down, Verb::Up];

    /// The word on the command line and in the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Verb::Drain => "drain",
            Verb::Undrain => "undrain",
            Verb::Down => "down",
            Verb::Up => "up",
        }
    }

    /// What holds from then on, of an LNS of which the document says this; `None`: what the document says.
    const fn word(self, document: Wanted) -> Option<Wanted> {
        match (self, document) {
            (Verb::Drain, _) => Some(Wanted::Draining),
            (Verb::Down, _) => Some(Wanted::Down),
            (Verb::Undrain | Verb::Up, Wanted::Up) => None,
            (Verb::Undrain | Verb::Up, _) => Some(Wanted::Up),
        }
    }
}

impl Words {
    /// With those that an earlier run has left in `directory`. A file that cannot be used is put aside and told of.
    pub fn open(directory: &Path) -> Words {
        let said = read(directory).unwrap_or_else(|error| {
            let (file, aside) = (directory.join(FILE), state::put_aside(directory, FILE));
            tracing::error!(
                file = %file.display(), %error,
                "what was said of LNSs by command cannot be read: all go by their documents. Say it again; {aside}"
            );
            BTreeMap::new()
        });
        Words {
            directory: directory.to_owned(),
            said: Mutex::new(said),
            writing: Mutex::default(),
            failing: AtomicBool::new(false),
        }
    }

    /// Has an LNS go by the word on it, if there is one; no other word comes between.
    pub fn put_in_force(&self, customer: &str, lns: &str, health: &Health, now: Time) -> Option<Changed> {
        let said = self.said();
        let word = said.get(&(customer.to_owned(), lns.to_owned())).copied();
        if health.operator() == word { None } else { health.set_operator(now, word) }
    }

    /// Whether they could not be written the last time.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Takes a word, or takes it back, puts it in force and writes the file.
    ///
    /// # Errors
    ///
    /// It could not be written, in words; the word holds all the same, until the next start.
    fn say(&self, customer: &str, lns: &str, word: Option<Wanted>, put_in_force: impl FnOnce()) -> Result<(), String> {
        {
            let mut said = self.said();
            put_in_force();
            let name = (customer.to_owned(), lns.to_owned());
            match word {
                Some(word) => said.insert(name, word),
                None => said.remove(&name),
            };
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Read when it is our turn: the file is of the last word, whoever writes it.
        let said = self.said().clone();
        let each = said.iter().map(|((customer, name), word)| {
            let (customer, name) = (customer.clone(), name.clone());
            Word { customer, name, word: *word }
        });
        let kept = Kept { lns: each.collect() };
        let written = serde_json::to_vec_pretty(&kept)
            .map_err(io::Error::from)
            .and_then(|text| state::replace(&self.directory, FILE, |file| file.write_all(&text)));
        self.failing.store(written.is_err(), Relaxed);
        written.map_err(|error| {
            let directory = self.directory.display();
            format!(
                "it holds until the next start only, for it cannot be written to {directory}: {error}. Let sekisho's user write \
                 there, or name another directory as node.state"
            )
        })
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<(String, String), Wanted>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file has; nothing where it has never been written.
fn read(directory: &Path) -> io::Result<BTreeMap<(String, String), Wanted>> {
    let kept: Kept = match fs::read(directory.join(FILE)) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
        Err(error) => return Err(error),
    };
    Ok(kept.lns.into_iter().map(|word| ((word.customer, word.name), word.word)).collect())
}

impl Running {
    /// Has an LNS go by the operator's word, in all workers at once.
    ///
    /// # Errors
    ///
    /// As of [`Words`]: the word could not be kept. `None`: there is no such LNS.
    pub fn say_of_lns(self: &Arc<Running>, customer: &str, lns: &str, verb: Verb) -> Option<Result<(), String>> {
        let snapshot = self.routing.load();
        let plan = find(&snapshot, customer, lns)?;
        let word = verb.word(plan.wanted);
        let health = &plan.lns.state.health;
        tracing::info!(customer, lns, word = verb.name(), "said of an LNS by command");
        let kept = self.vpdn.words.say(customer, lns, word, || {
            self.vpdn.notes.tell(&snapshot, plan, health.set_operator(self.clock.now(), word));
        });
        if let Err(error) = &kept {
            tracing::warn!(customer, lns, "what was said of an LNS: {error}");
        }
        Some(kept)
    }
}

fn find<'s>(snapshot: &'s RoutingSnapshot, customer: &str, lns: &str) -> Option<&'s LnsPlan> {
    let of_name = snapshot.lnss.iter().flatten().filter(|plan| plan.lns.name == lns);
    let mut of_both = of_name.filter(|plan| snapshot.customer_name(plan.customer) == customer);
    of_both.next().map(|plan| &**plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The word on an LNS.
    fn word(words: &Words, customer: &str, lns: &str) -> Option<Wanted> {
        let health = Health::default();
        words.put_in_force(customer, lns, &health, Time::from_millis(1));
        health.operator()
    }

    #[test]
    fn words_are_there_at_the_next_start_until_they_are_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let words = Words::open(directory.path());
        words.say("acme", "tokyo-1", Some(Wanted::Draining), || ()).unwrap();
        words.say("acme", "tokyo-2", Some(Wanted::Up), || ()).unwrap();
        let words = Words::open(directory.path());
        assert_eq!(word(&words, "acme", "tokyo-1"), Some(Wanted::Draining));
        assert_eq!((word(&words, "acme", "tokyo-2"), word(&words, "zeta", "tokyo-1")), (Some(Wanted::Up), None));
        words.say("acme", "tokyo-1", None, || ()).unwrap();
        assert_eq!(word(&Words::open(directory.path()), "acme", "tokyo-1"), None);
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "{\"lns\": [{\"customer\": \"acme\"}]}").unwrap();
        assert_eq!(word(&Words::open(directory.path()), "acme", "tokyo-1"), None);
        assert!(directory.path().join("lns.json.damaged").exists() && !directory.path().join(FILE).exists());
    }

    #[test]
    fn a_word_that_cannot_be_written_holds_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("taken");
        fs::write(&taken, "").unwrap();
        let words = Words::open(&taken.join("state"));
        let error = words.say("acme", "tokyo-1", Some(Wanted::Down), || ()).unwrap_err();
        assert!(error.contains("node.state") && words.is_failing(), "{error}");
        assert_eq!(word(&words, "acme", "tokyo-1"), Some(Wanted::Down));
    }

    #[test]
    fn up_takes_a_word_back_and_goes_before_a_document_that_says_otherwise() {
        for verb in [Verb::Up, Verb::Undrain] {
            assert_eq!(verb.word(Wanted::Up), None);
            assert_eq!(verb.word(Wanted::Draining), Some(Wanted::Up));
        }
        assert_eq!(Verb::Drain.word(Wanted::Down), Some(Wanted::Draining));
        assert_eq!(Verb::Down.word(Wanted::Up), Some(Wanted::Down));
    }
}
