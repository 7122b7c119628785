//! `sekisho registry`: the database itself, its keys and its copies.

use std::path::PathBuf;

use clap::Subcommand;
use sekisho_config::{CustomersFrom, KeySource};
use sekisho_registry::{Registry, keys::KeyRing};
use sekisho_regulation::{choices::CHOICES, money};

use super::{Exit, Place, block_on, say};
use crate::{
    documents::Documents,
    registry::{
        desk::{Desk, DeskError},
        feed, place,
    },
};

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show where it is, what is in it, and which keys it is sealed with
    Status(Place),
    /// Write all of it to a file, secrets sealed as they are
    Backup(File),
    /// Read a backup into an empty registry
    Restore(File),
    /// Put a new key in front, and seal everything anew: where all that read the registry have this key file
    RotateKey(Place),
    /// Seal everything anew with the first key there is: after every machine has been given it
    Reseal(Place),
    /// Show what was decided where the regulation is silent
    Choices,
}

#[derive(Debug, clap::Args)]
struct File {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    match &args.what {
        What::Status(place) => block_on(status(place)),
        What::Backup(of) => block_on(async {
            let desk = Desk::open(&of.place.config).await?;
            desk.registry.backup(&of.file).await?;
            say(&format!(
                "{} holds the registry up to entry {}. Keep the key in another place: without it nothing of it can be used.\n",
                of.file.display(),
                desk.seen
            ));
            Ok(Exit::Success)
        }),
        What::Restore(of) => block_on(async {
            let documents = Documents::node(&of.place.config)?;
            let place = place::Place::to_restore(&documents.node)?;
            Registry::restore(&place.location, &of.file, place.keys()).await?;
            let desk = Desk::open(&of.place.config).await?;
            say(&format!("{} entries are restored.\n", desk.seen));
            Ok(Exit::Success)
        }),
        What::RotateKey(place) => block_on(rotate(place)),
        What::Reseal(place) => block_on(async { reseal(&Desk::open(&place.config).await?).await }),
        What::Choices => {
            let all = CHOICES.iter().chain(&money::CHOICES);
            let lines = all.map(|choice| format!("{}, {}: {}\n", choice.name, choice.article, choice.what));
            say(&lines.collect::<String>());
            Exit::Success
        }
    }
}

async fn status(place: &Place) -> Result<Exit, DeskError> {
    let desk = Desk::open(&place.config).await?;
    let keys: Vec<String> = desk.registry.keys().ids().map(|id| id.to_string()).collect();
    let mut text = format!(
        "registry   {} ({})\nentries    {}, revision {}\ncustomers  {}\ncontracts  {}\nkeys       {}\n",
        place::Place::of(&desk.node)?.location,
        desk.registry.id(),
        desk.seen,
        desk.registry.revision().await?,
        desk.book.customers().count(),
        desk.book.contracts().count(),
        keys.join(", "),
    );
    for contract in desk.book.contracts() {
        let count = desk.registry.count_accounts(&contract.name).await?;
        if let Some(most) = contract.accounts_on(desk.today()) {
            text.push_str(&format!("accounts   {}: {count} of {most}\n", contract.name));
        }
    }
    say(&text);
    Ok(Exit::Success)
}

async fn rotate(place: &Place) -> Result<Exit, DeskError> {
    let documents = Documents::node(&place.config)?;
    let CustomersFrom::Registry(registry) = &documents.node.customers else {
        return Err(feed::FeedError::NoRegistry.into());
    };
    let KeySource::File(file) = &registry.key else {
        let words = "The key is a systemd credential, which only its owner can change: put a new key in its first line \
                     (`openssl rand -hex 32`), leave the former one below it, restart, and run this again.";
        let desk = Desk::open(&place.config).await?;
        if desk.registry.keys().ids().count() < 2 {
            return Err(DeskError::Words(words.to_owned()));
        }
        return reseal(&desk).await;
    };
    KeyRing::rotate(file).map_err(feed::FeedError::from)?;
    let desk = Desk::open(&place.config).await?;
    reseal(&desk).await
}

async fn reseal(desk: &Desk) -> Result<Exit, DeskError> {
    let done = desk.registry.reseal(|_| ()).await?;
    say(&format!(
        "Everything is sealed with key {} now: {} of {} documents and {} accounts were sealed by a former one. \
         Nodes that read this key file go on by themselves; the line of the former key may go when all of them have.\n",
        desk.registry.keys().current(),
        done.resealed,
        done.documents,
        done.accounts,
    ));
    Ok(Exit::Success)
}
