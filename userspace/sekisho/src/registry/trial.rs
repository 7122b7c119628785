//! The trial that is built in: one customer of each kind, with accounts, so that a first login needs no other server.

use zeroize::Zeroizing;

use sekisho_regulation::{Event, event::Part, prerequisites};

use super::{
    apply::{File, apply},
    desk::{Author, Desk, DeskError, Proposal},
    intake::import,
};

macro_rules! example {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../config/examples/service/", $name)))
    };
}

/// The files of the trial, by name: `config/examples/service`.
pub const FILES: [(&str, &str); 6] = [
    example!("sekisho.toml"),
    example!("carriers.toml"),
    example!("sakura.toml"),
    example!("sakura.csv"),
    example!("acme.toml"),
    example!("fuji.toml"),
];

/// The `group` contract whose accounts are built in, and their realm and file.
const ACCOUNTS: (&str, &str, &str) = ("sakura-group", "sakura.example", "sakura.csv");

/// Has everything of the trial applied for, accepted, confirmed and started today.
///
/// # Errors
///
/// The registry cannot be written.
pub async fn seed(desk: &mut Desk, author: &Author) -> Result<(), DeskError> {
    let is_document = |name: &str| name.ends_with(".toml") && name != sekisho_config::NODE_FILE;
    let files: Vec<File> = FILES
        .iter()
        .filter(|(name, _)| is_document(name))
        .map(|(name, text)| File { name: (*name).to_owned(), text: Zeroizing::new((*text).to_owned()) })
        .collect();
    let today = desk.today();
    let applied = apply(desk, &files, (today, None), author).await?;
    desk.record(applied.proposal, author).await?;
    let contracts: Vec<String> = desk.book.contracts().map(|contract| contract.name.clone()).collect();
    let mut events = Vec::new();
    for contract in &contracts {
        events.push(Event::Accepted { contract: contract.clone(), on: today, test_from: None });
    }
    for contract in &contracts {
        let terms = desk.book.contract(contract).and_then(|it| it.terms_on(today));
        for prerequisite in terms.into_iter().flat_map(prerequisites) {
            let prerequisite = prerequisite.name;
            events.push(Event::Confirmed { contract: contract.clone(), prerequisite, at: desk.now });
        }
        events.push(Event::Started { contract: contract.clone(), part: Part::Basic, on: today });
        if terms.is_some_and(|terms| terms.option.is_some()) {
            events.push(Event::Started { contract: contract.clone(), part: Part::Option, on: today });
        }
    }
    desk.record(Proposal { events, ..Proposal::default() }, author).await?;
    let (contract, realm, file) = ACCOUNTS;
    let text = FILES.iter().find(|(name, _)| *name == file).map_or("", |(_, text)| text);
    let proposal = import(desk, contract, realm, file, text.as_bytes()).await?;
    desk.record(proposal, author).await
}
