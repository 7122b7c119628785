//! A reload: all of it or nothing, and no packet lost.
//!
//! Documents are read and checked as at the start; a fault, or a change that cannot be made live, changes nothing. Then
//! the gate learns what is new, the workers get the new routing, and only then the gate forgets what is gone. Requests
//! in flight end under the routing that they began with, so home servers that are gone may answer a little longer.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sekisho_config::{Faults, Text, Warning};
use sekisho_engine::{Limits, snapshot::RoutingSnapshot};
use sekisho_kernel::GateError;
use sekisho_lns::Loads;
use sekisho_service::{CompileErrors, Compiled, Context, IdBook};
use tokio::sync::oneshot;

use crate::{
    changes,
    documents::Documents,
    learned,
    names::{self, Names},
    registry::feed::FeedError,
    running::Running,
    worker::Message,
};

/// How long a worker may take to confirm: far longer than one batch.
const CONFIRMATION: Duration = Duration::from_secs(5);

/// The documents in force, and the addresses and numbers of what they name.
pub struct Current {
    /// The documents.
    pub documents: Arc<Documents>,
    /// The addresses.
    pub names: Names,
    /// The numbers.
    pub book: IdBook,
}

/// Why nothing was reloaded. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The documents are faulty.
    #[error("{0}")]
    Faults(#[from] Faults),
    /// The documents do not fit this host.
    #[error("{0}")]
    Host(#[from] CompileErrors),
    /// What changed takes effect at the next start only.
    #[error("{}", .0.join("\n"))]
    Fixed(Vec<String>),
    /// The gate does not take the new table.
    #[error("{0}")]
    Gate(#[from] GateError),
    /// What the registry has in force cannot be served.
    #[error("{0}")]
    Feed(#[from] FeedError),
}

/// Which state of the node's own document is meant.
#[derive(Clone, Copy)]
enum Node {
    AsItsFileIs,
    AsInForce,
}

impl Running {
    /// Reads the documents again and puts them in force; tells the difference in words.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]; nothing has changed then.
    pub async fn reload(self: &Arc<Running>) -> Result<String, ReloadError> {
        let outcome = self.put_again(Node::AsItsFileIs).await;
        // The registry's keys may be others: with them whoever no key has opened is tried again.
        self.follower.iter().for_each(|follower| follower.nudge());
        outcome
    }

    /// Puts in force what the registry, or the calendar, has changed. The node's own document stays as it is in force, whatever somebody
    /// is making of its file: that is for [`Running::reload`].
    ///
    /// # Errors
    ///
    /// [`ReloadError`]; nothing has changed then.
    pub async fn go_by_registry(self: &Arc<Running>) -> Result<String, ReloadError> {
        self.put_again(Node::AsInForce).await
    }

    async fn put_again(self: &Arc<Running>, node: Node) -> Result<String, ReloadError> {
        let outcome = self.attempt(node).await;
        self.note_reload(outcome.is_ok());
        match outcome {
            Ok((changes, warnings)) => {
                match changes.as_slice() {
                    [] => tracing::info!("reloaded: nothing has changed"),
                    changes => tracing::info!(changes = changes.join("; "), "reloaded"),
                }
                warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                Ok(told(changes, &warnings))
            }
            Err(error) => {
                // A line of the log for each: a fault may be what somebody searches for.
                error.to_string().lines().for_each(|line| tracing::warn!("not reloaded: {line}"));
                Err(error)
            }
        }
    }

    async fn attempt(self: &Arc<Running>, node: Node) -> Result<(Vec<String>, Vec<Warning>), ReloadError> {
        let mut current = self.current.lock().await;
        let text = match node {
            Node::AsItsFileIs => None,
            Node::AsInForce => current.documents.text.clone(),
        };
        let documents = self.reread(current.documents.path.clone(), text).await?;
        let mut changes = changes::between(&current.documents, &documents).map_err(ReloadError::Fixed)?;
        let mut names = current.names.clone();
        names.refresh(&documents.node, &documents.customers, names::PATIENCE).await;
        changes.extend(names.changes(&current.names, &documents.customers));
        let warnings = documents.warnings.clone();
        let (before, after) = (Arc::clone(&current.documents), Arc::new(documents));
        self.put_in_force(&mut current, Arc::clone(&after), names).await?;
        let (before, after) = (&before.node, &after.node);
        if before.country_code != after.country_code || before.dictionary != after.dictionary {
            self.follower.iter().for_each(|follower| follower.read_accounts_anew());
        }
        Ok((changes, warnings))
    }

    /// Puts in force what a later look at the servers' names has found, if anything.
    pub async fn rename(self: &Arc<Running>, found: Names) {
        let mut current = self.current.lock().await;
        let documents = Arc::clone(&current.documents);
        let mut names = current.names.clone();
        names.update(&found, &documents.customers);
        if names == current.names {
            return;
        }
        let changes = names.changes(&current.names, &documents.customers);
        match self.put_in_force(&mut current, documents, names).await {
            Ok(()) => tracing::info!(changes = changes.join("; "), "names have other addresses"),
            Err(error) => {
                tracing::error!(%error, changes = changes.join("; "), "what names have other addresses is not in force");
            }
        }
    }

    /// Compiles documents and names, and has everybody go by them.
    async fn put_in_force(
        self: &Arc<Running>,
        current: &mut Current,
        documents: Arc<Documents>,
        names: Names,
    ) -> Result<(), ReloadError> {
        let old = self.routing.load_full();
        let compiled = compile(&documents, &names, Some(&old), (&current.book, &self.vpdn.loads), self.workers.len())?;
        let Compiled { snapshot, book, unresolved } = compiled;
        let new = Arc::new(snapshot);

        self.gate.add(&old.gate, &new.gate)?;
        self.keeper().known().teach(&new);
        self.vpdn.go_by(&new, self.clock.now());
        if let Some(follower) = &self.follower {
            // A realm that is answered for here from now on has its accounts from the first login on.
            self.prepare_accounts(follower, &new, &documents);
        }
        // What comes in by a new way is limited by one of the two from the first packet on.
        let (before, after) = (self.gate.judges(&old.gate), self.gate.judges(&new.gate));
        self.limiter.set_gated(before | after);
        self.publish(&new, limits(&documents)).await;
        self.limiter.set_gated(after);
        // Secrets, contracts or clients may have gone: nobody publishes by the old ones any more.
        self.gate.flush();
        self.set_max_requests(documents.node.limits.max_requests);
        learned::forget_secrets(&old, &new);
        let patience = old.clients.iter().flatten().map(|client| client.answer_within).max().unwrap_or_default();
        self.gate.settle(&old.gate, &new.gate, Instant::now() + patience);
        let running = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(patience + Duration::from_millis(100)).await;
            running.gate.retire(Instant::now());
        });
        names::tell(&unresolved, &self.unresolved.load());
        self.unresolved.store(Arc::new(unresolved));
        if let (Some(follower), Some(standing)) = (&self.follower, &documents.standing) {
            follower.note(standing.next, standing.unserved.clone());
            self.prepare_accounts(follower, &new, &documents);
        }
        *current = Current { documents, names, book };
        Ok(())
    }

    /// The documents as they are now: files, or what the registry has in force.
    async fn reread(&self, path: PathBuf, text: Option<Text>) -> Result<Documents, ReloadError> {
        match &self.follower {
            None => Ok(reread(path).await?),
            Some(follower) => Ok(Documents::of(&*follower.feed.lock().await, &path, text, Timestamp::now())?),
        }
    }

    /// Hands the routing to everybody and waits until every worker goes by it.
    async fn publish(&self, snapshot: &Arc<RoutingSnapshot>, limits: Limits) {
        let mut confirmations = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (done, confirmed) = oneshot::channel();
            worker.tell(Message::Snapshot(Arc::clone(snapshot), limits, done));
            confirmations.push(confirmed);
        }
        for (index, confirmed) in confirmations.into_iter().enumerate() {
            if !matches!(tokio::time::timeout(CONFIRMATION, confirmed).await, Ok(Ok(()))) {
                tracing::error!(worker = index, "a worker does not confirm the new routing");
            }
        }
        self.routing.store(Arc::clone(snapshot));
        self.control.send_replace(Arc::clone(snapshot));
    }
}

/// What changed and what should be known, a line each.
fn told(mut changes: Vec<String>, warnings: &[Warning]) -> String {
    if changes.is_empty() {
        changes.push("Nothing has changed.".to_owned());
    }
    changes.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    changes.join("\n") + "\n"
}

/// Compiles documents for this host.
///
/// # Errors
///
/// What of them does not fit it.
pub fn compile(
    documents: &Documents,
    names: &Names,
    previous: Option<&RoutingSnapshot>,
    (book, loads): (&IdBook, &Loads),
    workers: usize,
) -> Result<Compiled, CompileErrors> {
    let interface_index = |name: &str| sekisho_kernel::interface_index(name).ok();
    let resolve = |name: &str| names.address(name);
    let context = Context { previous, book, loads, workers, interface_index: &interface_index, resolve: &resolve };
    sekisho_service::compile(&documents.node, &documents.customers, &context)
}

/// The engine's limits, from the document.
pub fn limits(documents: &Documents) -> Limits {
    let limits = &documents.node.limits;
    Limits {
        max_requests: limits.max_requests,
        max_delayed_rejects: limits.max_delayed_rejects,
        duplicate_window: limits.duplicate_window,
        retransmit_window: limits.retransmit_window,
        max_ports: documents.node.upstream.max_ports,
        // What waits for the disk is in the same table as logins, which go on.
        max_records: documents.node.journal.queue.min(limits.max_requests / 2),
        max_lookups: documents.node.hosted.argon2_queue.saturating_add(documents.node.hosted.argon2_workers),
        ..Limits::default()
    }
}

async fn reread(path: PathBuf) -> Result<Documents, Faults> {
    let beside = path.clone();
    match tokio::task::spawn_blocking(move || Documents::load(&path)).await {
        Ok(documents) => documents,
        // The runtime is shutting down.
        Err(_) => Documents::load(&beside),
    }
}
