//! Accounts on their way into the registry: checked against their contract and the dictionaries, and proposed.

use std::{collections::BTreeMap, io::Read};

use sekisho_config::Dictionary;
use sekisho_engine::hosted::MAX_REPLY;
use sekisho_registry::{
    AccountEdit,
    account::{Account, Secret},
    argon,
    formats::{self, Defaults, Imported},
};
use sekisho_regulation::{Event, terms::ContractTerms};

use super::desk::{Desk, DeskError, Proposal};

/// What a `group` contract says of its accounts.
pub struct Group {
    /// Its name.
    pub contract: String,
    /// Its realms, as accounts name them.
    pub realms: Vec<String>,
    /// How many accounts it may have today.
    pub most: u32,
    /// How many it may have for ever, as things stand: fewer where a smaller number is agreed for a later day.
    pub fewest: u32,
    /// Passwords are kept as argon2id.
    pub hashed: bool,
}

impl Group {
    /// A `group` contract of the registry, as the document in force now or next has it.
    ///
    /// # Errors
    ///
    /// There is no such contract, or it is of another kind.
    pub async fn find(desk: &mut Desk, contract: &str) -> Result<Group, DeskError> {
        let no = |what: &str| {
            DeskError::Words(format!(
                "{contract} {what}: only a `group` contract has accounts. `sekisho get contracts` shows them."
            ))
        };
        let found = desk.book.contract(contract).ok_or_else(|| no("is no contract"))?;
        let most = found.accounts_on(desk.today()).ok_or_else(|| no("is of another kind"))?;
        let fewest = found.fewest_accounts_from(desk.today()).map_or(most, |(_, fewest)| fewest);
        let terms: Option<ContractTerms> = found.terms_on(desk.today()).cloned();
        let customer = found.customer.clone();
        let papers = desk.papers_at(desk.now).await?;
        let (_, customers, _) = desk.load(&papers)?;
        let group = customers
            .iter()
            .filter(|it| it.name == customer)
            .flat_map(|it| &it.groups)
            .find(|it| it.contract == contract);
        let realms = match (group, terms) {
            (Some(group), _) => group.realms.iter().map(ToString::to_string).collect(),
            (None, Some(terms)) => terms.realms,
            (None, None) => return Err(no("is in no document that is in force")),
        };
        let hashed = group.is_some_and(|it| it.passwords == sekisho_config::Passwords::Argon2id);
        Ok(Group { contract: contract.to_owned(), realms, most, fewest, hashed })
    }

    /// The realm of users that are named without one: the contract's, where it has one only.
    ///
    /// # Errors
    ///
    /// It has several, or not this one.
    pub fn realm(&self, asked: Option<&str>) -> Result<String, DeskError> {
        let all = self.realms.join(", ");
        match (asked, &self.realms[..]) {
            (Some(realm), realms) if realms.iter().any(|it| it == realm) => Ok(realm.to_owned()),
            (Some(realm), _) => {
                Err(DeskError::Words(format!("{} does not serve realm {realm}: it serves {all}.", self.contract)))
            }
            (None, [one]) => Ok(one.clone()),
            (None, _) => Err(DeskError::Words(format!("{} serves {all}: name one with --realm.", self.contract))),
        }
    }

    /// What an import goes by.
    pub fn defaults(&self, realm: String, desk: &Desk) -> Defaults {
        Defaults {
            realms: Some(self.realms.clone()),
            time_zone: desk.book.zone().clone(),
            ..Defaults::new(self.contract.as_str(), Some(&realm))
        }
    }

    /// An account as this contract keeps it: a password that it keeps as argon2id is hashed.
    ///
    /// # Errors
    ///
    /// A form of password that the contract has no use for, or a reply attribute that there is not.
    pub fn fit(&self, account: &mut Account, dictionary: &Dictionary) -> Result<(), String> {
        match (&account.secret, self.hashed) {
            (Secret::Argon2id(_), false) => {
                return Err(format!(
                    "a hash, and {} keeps recoverable passwords, which CHAP and MS-CHAP need. Give the password itself.",
                    self.contract
                ));
            }
            (Secret::Recoverable(password), true) => {
                account.secret = Secret::Argon2id(argon::hash(password).map_err(|error| error.to_string())?);
            }
            _ => {}
        }
        let mut octets = 0;
        for (name, value) in &account.reply {
            let encoded =
                dictionary.encode(name, value).map_err(|problem| format!("reply attribute {name}: {problem}"))?;
            octets += encoded.len();
        }
        if octets > MAX_REPLY {
            return Err(format!(
                "reply attributes of {octets} octets, and an account has room for {MAX_REPLY}. Give fewer."
            ));
        }
        Ok(())
    }
}

/// So many accounts that do not fit are told one by one.
const TOLD: usize = 20;

/// What was read becomes a proposal.
///
/// # Errors
///
/// Each account that does not fit its contract, with its place where it was read from a file.
pub fn put(desk: &Desk, group: &Group, imported: Imported, from: &str) -> Result<Proposal, DeskError> {
    let mut faults = Vec::new();
    let mut accounts = Vec::with_capacity(imported.accounts.len());
    let places = imported.places.into_iter().map(|place| format!("{from}: {place}: "));
    for (place, mut account) in places.chain(std::iter::repeat(String::new())).zip(imported.accounts) {
        match group.fit(&mut account, &desk.node.dictionary) {
            Ok(()) => accounts.push(AccountEdit::Put(account)),
            Err(why) => faults.push(format!("{place}{why}")),
        }
    }
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(TOLD);
        faults.truncate(TOLD);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        return Err(DeskError::Words(faults.join("\n")));
    }
    let what = format!("{} accounts imported from {from}", accounts.len());
    Ok(Proposal {
        events: vec![Event::Accounts { contract: group.contract.clone(), what }],
        accounts,
        account_limits: BTreeMap::from([(group.contract.clone(), group.fewest)]),
        ..Proposal::default()
    })
}

/// Accounts of a CSV file, proposed.
///
/// # Errors
///
/// Every fault of the file, with its line.
pub async fn import(
    desk: &mut Desk,
    contract: &str,
    realm: &str,
    name: &str,
    input: impl Read,
) -> Result<Proposal, DeskError> {
    let group = Group::find(desk, contract).await?;
    let realm = group.realm(Some(realm))?;
    let imported = formats::csv::read(input, &group.defaults(realm, desk))
        .map_err(|errors| DeskError::Words(format!("{name}: {errors}")))?;
    put(desk, &group, imported, name)
}
