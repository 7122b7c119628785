//! Accounts one by one.

use std::io::Read as _;

use jiff::Timestamp;
use sekisho_registry::{
    AccountEdit, AccountSet,
    account::{Account, FieldFault, Secret},
    formats,
};
use sekisho_regulation::Event;
use zeroize::Zeroizing;

use super::{Exit, Recording, open, shown};
use crate::registry::{
    desk::{Desk, DeskError, Proposal},
    intake::{Group, put},
};

/// An account: its contract, its realm, its name.
#[derive(Debug, clap::Args)]
struct Of {
    /// The `group` contract
    #[arg(long, value_name = "NAME")]
    contract: String,
    /// The realm [default: the contract's, where it has one only]
    #[arg(long, value_name = "REALM")]
    realm: Option<String>,
    /// The part of User-Name without its realm
    #[arg(value_name = "USER")]
    user: String,
}

/// What can be said of an account.
#[derive(Debug, Default, clap::Args)]
struct Fields {
    /// The password stands in this file; `-` is standard input, which is the default of `add`
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
    /// From when on it may log in no more, such as 2027-03-31T00:00:00+09:00; `never`
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Maybe<Timestamp>>,
    /// How many sessions it may have at a time, 0 for any number; `contract`: as that says
    #[arg(long, value_name = "NUMBER", value_parser = sessions)]
    simultaneous: Option<Maybe<u16>>,
    /// The numbers that it may log in from, with commas between them; empty for any
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    calling: Option<Vec<String>>,
    /// An attribute of its Accepts; give it several times for several, empty for none
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    reply: Option<Vec<(String, String)>>,
    /// What is to be remembered
    #[arg(long, value_name = "WORDS")]
    note: Option<String>,
}

/// A value, or that there is none.
#[derive(Clone, Copy, Debug)]
struct Maybe<T>(Option<T>);

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Debug, clap::Args)]
pub(super) struct Set {
    #[command(flatten)]
    of: Of,
    /// It may log in
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// It may not log in
    #[arg(long)]
    disable: bool,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    recording: Recording,
}

impl Fields {
    /// The numbers, where they were given.
    fn calling(&self) -> Option<Vec<String>> {
        let given = self.calling.as_ref()?.iter();
        Some(given.map(|number| number.trim().to_owned()).filter(|number| !number.is_empty()).collect())
    }

    /// Attributes of Accepts, where they were given.
    fn reply(&self) -> Option<Vec<(String, String)>> {
        Some(self.reply.as_ref()?.iter().filter(|(name, _)| !name.is_empty()).cloned().collect())
    }

    /// The password of the file that is named.
    fn password(&self) -> Result<Option<Secret>, DeskError> {
        let Some(file) = &self.password_file else { return Ok(None) };
        let mut octets = Zeroizing::new(Vec::new());
        open(file)?
            .read_to_end(&mut octets)
            .map_err(|error| DeskError::Words(format!("{}: cannot be read ({error})", shown(file))))?;
        // One line end, as editors of either kind leave it.
        if octets.pop_if(|last| *last == b'\n').is_some() {
            octets.pop_if(|last| *last == b'\r');
        }
        Ok(Some(Secret::Recoverable(octets)))
    }
}

impl Add {
    pub(super) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.recording.place.config).await?;
        let group = Group::find(&mut desk, &self.of.contract).await?;
        let fields = &self.fields;
        let secret = match fields.password()? {
            Some(secret) => secret,
            None => {
                let from_input = Fields { password_file: Some("-".to_owned()), ..Fields::default() };
                let none = || {
                    DeskError::Words(
                        "an account needs a password: on standard input, or by --password-file.".to_owned(),
                    )
                };
                from_input.password()?.ok_or_else(none)?
            }
        };
        let account = Account {
            contract: self.of.contract.clone(),
            realm: group.realm(self.of.realm.as_deref())?,
            user: self.of.user.clone(),
            secret,
            enabled: true,
            expires: fields.expires.and_then(|it| it.0),
            simultaneous: fields.simultaneous.and_then(|it| it.0),
            calling: fields.calling().unwrap_or_default(),
            reply: fields.reply().unwrap_or_default(),
            note: fields.note.clone().unwrap_or_default(),
        };
        if let Some(fault) = account.faults().first() {
            return Err(DeskError::Words(said(fault)));
        }
        let imported = formats::Imported { accounts: vec![account], ..formats::Imported::default() };
        let mut proposal = put(&desk, &group, imported, "the command line")?;
        proposal.events = vec![event(&group.contract, "an account added")];
        self.recording.finish(&mut desk, proposal, &[format!("{}: the account is there", group.contract)]).await?;
        Ok(Exit::Success)
    }
}

impl Set {
    pub(super) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.recording.place.config).await?;
        let group = Group::find(&mut desk, &self.of.contract).await?;
        let fields = &self.fields;
        let realm = group.realm(self.of.realm.as_deref())?;
        let mut set = AccountSet {
            secret: fields.password()?,
            enabled: (self.enable || self.disable).then_some(self.enable),
            expires: fields.expires.map(|it| it.0),
            simultaneous: fields.simultaneous.map(|it| it.0),
            calling: fields.calling(),
            reply: fields.reply(),
            note: fields.note.clone(),
        };
        // What is said is checked as part of an account.
        let mut account = Account {
            contract: group.contract.clone(),
            realm: realm.clone(),
            user: self.of.user.clone(),
            secret: set.secret.take().unwrap_or(Secret::Recoverable(Zeroizing::new(b"unchanged".to_vec()))),
            enabled: true,
            expires: None,
            simultaneous: None,
            calling: set.calling.clone().unwrap_or_default(),
            reply: set.reply.clone().unwrap_or_default(),
            note: set.note.clone().unwrap_or_default(),
        };
        if let Some(fault) = account.faults().first() {
            return Err(DeskError::Words(said(fault)));
        }
        group.fit(&mut account, &desk.node.dictionary).map_err(DeskError::Words)?;
        set.secret = fields.password_file.is_some().then_some(account.secret);
        let contract = group.contract.clone();
        let edit =
            AccountEdit::Set { contract: contract.clone(), realm, user: self.of.user.clone(), set: Box::new(set) };
        let proposal = Proposal {
            events: vec![event(&contract, "an account changed")],
            accounts: vec![edit],
            ..Proposal::default()
        };
        self.recording.finish(&mut desk, proposal, &[format!("{contract}: the account is changed")]).await?;
        Ok(Exit::Success)
    }
}

impl Remove {
    pub(super) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.recording.place.config).await?;
        let group = Group::find(&mut desk, &self.of.contract).await?;
        let (contract, user) = (group.contract.clone(), self.of.user.clone());
        let edit =
            AccountEdit::Remove { contract: contract.clone(), realm: group.realm(self.of.realm.as_deref())?, user };
        let proposal = Proposal {
            events: vec![event(&contract, "an account removed")],
            accounts: vec![edit],
            ..Proposal::default()
        };
        self.recording.finish(&mut desk, proposal, &[format!("{contract}: the account is gone")]).await?;
        Ok(Exit::Success)
    }
}

fn moment(text: &str) -> Result<Maybe<Timestamp>, String> {
    match text {
        "never" => Ok(Maybe(None)),
        text => text.parse().map(|at| Maybe(Some(at))).map_err(|error| format!("{error}; or `never`")),
    }
}

fn sessions(text: &str) -> Result<Maybe<u16>, String> {
    match text {
        "contract" => Ok(Maybe(None)),
        text => text
            .parse()
            .map(|count| Maybe(Some(count)))
            .map_err(|_| "a number from 0 to 65535, or `contract`".to_owned()),
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    if text.is_empty() {
        return Ok(Default::default());
    }
    let (name, value) = text.split_once('=').ok_or("an attribute and its value: Framed-IP-Address=192.0.2.1")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What is the matter with a field of an account.
fn said(fault: &FieldFault) -> String {
    format!("{}: {}. {}", fault.field, fault.message, fault.remedy)
}

/// The history says that accounts changed, and not whose they are.
fn event(contract: &str, what: &str) -> Event {
    Event::Accounts { contract: contract.to_owned(), what: what.to_owned() }
}
