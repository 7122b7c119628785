//! What all imports share: realms, names, duplicates, and the list of what is the matter.

use std::collections::HashMap;

use sekisho_wire::nai;

use super::{Defaults, Fault, Faults, ImportErrors, Imported, MAX_FAULTS, Place, faults::Problem};
use crate::account::Account;

/// How a realm that is no domain begins, as documents show it.
const KINDS: [&str; 5] = ["prefix:", "nt:", "apn:", "pattern:", "default:"];

/// Gathers the accounts and the faults of one import.
pub(super) struct Importer<'a> {
    pub(super) defaults: &'a Defaults,
    /// The default realm in canonical form.
    realm: Option<String>,
    /// The realms that are allowed, in canonical form.
    realms: Option<Vec<String>>,
    /// A realm as it was written last, and its canonical form: most rows have the same.
    last: Option<(String, String)>,
    accounts: Vec<Account>,
    /// Where each of `accounts` is.
    found: Vec<Place>,
    /// Where each account is, by realm and user.
    places: HashMap<(String, String), Place>,
    faults: Faults,
    warnings: Vec<String>,
    more_warnings: usize,
}

impl<'a> Importer<'a> {
    pub(super) fn new(defaults: &'a Defaults) -> Importer<'a> {
        let mut importer = Importer {
            defaults,
            realm: None,
            realms: None,
            last: None,
            accounts: Vec::new(),
            found: Vec::new(),
            places: HashMap::new(),
            faults: Faults::default(),
            warnings: Vec::new(),
            more_warnings: 0,
        };
        let mut given = |realm: &String| {
            let canonical = canonical(realm);
            canonical.map_err(|problem| importer.fault(Place::All, Some("realm"), problem)).ok()
        };
        let realm = defaults.realm.as_ref().and_then(&mut given);
        let realms = defaults.realms.as_ref().map(|realms| realms.iter().filter_map(&mut given).collect());
        Importer { realm, realms, ..importer }
    }

    pub(super) fn fault(&mut self, place: Place, field: Option<&str>, problem: Problem) {
        if self.faults.faults.len() == MAX_FAULTS {
            self.faults.more += 1;
            return;
        }
        let Problem { message, remedy } = problem;
        self.faults.faults.push(Fault { place, field: field.map(str::to_owned), message, remedy });
    }

    pub(super) fn warn(&mut self, place: Place, message: impl AsRef<str>) {
        if self.warnings.len() == MAX_FAULTS {
            self.more_warnings += 1;
            return;
        }
        self.warnings.push(format!("{place}: {}", message.as_ref()));
    }

    /// The canonical form of a realm that is written out.
    pub(super) fn realm(&mut self, text: &str) -> Result<String, Problem> {
        if let Some((_, realm)) = self.last.as_ref().filter(|(last, _)| last == text) {
            return Ok(realm.clone());
        }
        let realm = canonical(text)?;
        self.last = Some((text.to_owned(), realm.clone()));
        Ok(realm)
    }

    /// User and realm of a name as FreeRADIUS sees it: a whole User-Name, or a user of the default realm.
    pub(super) fn split(&mut self, name: &str) -> Result<(String, String), Problem> {
        let own = self.realm.clone();
        let whole = |realm: String| Ok((name.to_owned(), realm));
        let kind = own.as_deref().and_then(|realm| KINDS.into_iter().find(|kind| realm.starts_with(kind)));
        match (own, kind) {
            (Some(realm), Some(kind @ ("prefix:" | "nt:"))) => {
                let delimiter = if kind == "nt:" { '\\' } else { '/' };
                let user = name.split_once(delimiter).filter(|(front, user)| {
                    !user.is_empty()
                        && canonical(front).is_ok_and(|front| Some(front.as_str()) == realm.strip_prefix(kind))
                });
                match user {
                    Some((_, user)) => Ok((user.to_owned(), realm)),
                    None => whole(realm),
                }
            }
            (Some(_), Some("pattern:")) if name.contains('@') => Err(Problem::new(
                "the user is named with a realm, and which realms the pattern means is not known here",
                "import it as CSV, with a column `realm`",
            )),
            (Some(realm), Some(_)) => whole(realm),
            (own, _) => match name.rsplit_once('@').filter(|(_, realm)| !realm.is_empty()) {
                Some((user, realm)) => Ok((user.to_owned(), self.realm(realm)?)),
                None => match own {
                    Some(realm) => whole(realm),
                    None => Err(Problem::new(
                        "the user is named without a realm, and no realm was given for those",
                        "write user@realm, or say which realm such users have",
                    )),
                },
            },
        }
    }

    /// Takes an account, or reports what is the matter with it.
    pub(super) fn push(&mut self, place: Place, account: Account) {
        let faults = account.faults();
        let mut good = faults.is_empty();
        for fault in faults {
            self.fault(place, Some(fault.field), Problem::new(fault.message, fault.remedy));
        }
        if let Some(realms) = self.realms.as_ref().filter(|realms| !realms.contains(&account.realm)) {
            let served = if realms.is_empty() { "none".to_owned() } else { realms.join(", ") };
            let message = format!("\"{}\" is no realm of contract {}", account.realm, account.contract);
            self.fault(place, Some("realm"), Problem::new(message, format!("name one that it serves: {served}")));
            good = false;
        }
        let key = (account.realm.clone(), account.user.clone());
        if let Some(&first) = self.places.get(&key) {
            let message = format!("repeats the account of {first}");
            self.fault(place, None, Problem::new(message, "leave one of them"));
            return;
        }
        if account.user.trim() != account.user {
            self.warn(place, "the user's name begins or ends with a space, and is compared octet by octet");
        }
        self.places.insert(key, place);
        if good {
            self.accounts.push(account);
            self.found.push(place);
        }
    }

    /// Whether anything is the matter so far.
    pub(super) fn is_faulty(&self) -> bool {
        !self.faults.faults.is_empty()
    }

    pub(super) fn finish(mut self) -> Result<Imported, ImportErrors> {
        if self.is_faulty() {
            return Err(ImportErrors::Faulty(self.faults));
        }
        if self.more_warnings > 0 {
            self.warnings.push(format!("and {} more", self.more_warnings));
        }
        Ok(Imported { accounts: self.accounts, places: self.found, warnings: self.warnings })
    }
}

/// User-Name as an access network sends it: the user with the realm at its place. `None` for a realm that stands elsewhere.
pub(super) fn user_name(account: &Account) -> String {
    let Account { realm, user, .. } = account;
    match KINDS.into_iter().find_map(|kind| Some((kind, realm.strip_prefix(kind)?))) {
        None => format!("{user}@{realm}"),
        Some(("prefix:", realm)) => format!("{realm}/{user}"),
        Some(("nt:", realm)) => format!("{realm}\\{user}"),
        Some(_) => user.clone(),
    }
}

/// The one form in which realms are compared, with the kind before it where it has one.
fn canonical(text: &str) -> Result<String, Problem> {
    let kind = KINDS.into_iter().find(|kind| text.starts_with(kind)).unwrap_or_default();
    let name = text.get(kind.len()..).unwrap_or_default();
    let mut out = [0; 255];
    let realm = nai::canonical(name.as_bytes(), &mut out).and_then(|realm| std::str::from_utf8(realm).ok());
    realm.map(|realm| format!("{kind}{realm}")).ok_or_else(|| {
        Problem::new(
            format!("{text:?} is no realm"),
            "write it as the contract has it, such as acme.example or prefix:acme",
        )
    })
}
