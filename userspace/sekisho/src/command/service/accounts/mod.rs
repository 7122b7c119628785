//! `sekisho accounts`: hosted accounts, one by one and by the hundred thousand.

mod files;
mod single;

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use clap::Subcommand;
use sekisho_registry::{Page, account::Account};

use super::{Exit, Place, Recording, block_on};
use crate::{
    command::show,
    page::service as page,
    registry::{
        desk::{Desk, DeskError},
        intake::Group,
        view::Accounts,
    },
};

/// What to do with accounts.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read accounts from a file: all of them, or none
    Import(files::Import),
    /// Write accounts to standard output
    Export(files::Export),
    /// Show accounts, without their passwords
    List(List),
    /// Add an account, or put another in its place
    Add(single::Add),
    /// Change something of an account
    Set(single::Set),
    /// Remove accounts
    Remove(single::Remove),
}

#[derive(Debug, clap::Args)]
pub(in crate::command::service) struct List {
    /// The `group` contract
    #[arg(long, value_name = "NAME")]
    contract: String,
    /// This user only
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// So many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    match &args.what {
        What::Import(import) => block_on(import.run()),
        What::Export(export) => block_on(export.run()),
        What::List(list) => block_on(list.run()),
        What::Add(add) => block_on(add.run()),
        What::Set(set) => block_on(set.run()),
        What::Remove(remove) => block_on(remove.run()),
    }
}

impl List {
    pub(in crate::command::service) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.place.config).await?;
        let group = Group::find(&mut desk, &self.contract).await?;
        let mut accounts = all(&desk, &self.contract).await?;
        accounts.retain(|account| self.user.as_ref().is_none_or(|user| *user == account.user));
        let found = Accounts::of(&accounts, self.limit, group.most);
        Ok(show(&found, self.json, page::accounts))
    }
}

/// So many accounts are read at a time.
const PAGE: u32 = 5_000;

/// Every account of a contract.
async fn all(desk: &Desk, contract: &str) -> Result<Vec<Account>, DeskError> {
    let mut accounts = Vec::new();
    let mut page = Page { after: None, size: PAGE };
    loop {
        let rows = desk.registry.accounts_of(contract, &page).await?;
        let Some(last) = rows.last() else { return Ok(accounts) };
        page.after = Some((last.realm.clone(), last.user.clone()));
        for row in &rows {
            accounts.push(row.open(desk.registry.keys()).map_err(|error| DeskError::Words(error.to_string()))?);
        }
    }
}

/// A URL without what may be a password; else the name itself.
fn shown(file: &str) -> String {
    match file {
        "-" => "standard input".to_owned(),
        url if url.contains("://") => "the database".to_owned(),
        file => file.to_owned(),
    }
}

fn open(file: &str) -> Result<Box<dyn Read>, DeskError> {
    if file == "-" {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(BufReader::new(opened))),
        Err(error) => Err(DeskError::Words(format!("{file}: cannot be read ({error}). Name a file that is there."))),
    }
}
