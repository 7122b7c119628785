//! Following: whoever serves from the registry hears of every change of it, and of its being lost and found.

use std::{sync::Arc, time::Duration};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    error::RegistryError,
    store::{Inner, Pool, Registry, patience},
};

/// How often SQLite is asked, which tells nobody of a change by itself.
const POLL: Duration = Duration::from_millis(250);
/// How often PostgreSQL is asked although it tells: the connection may be dead without anybody having said so.
const POLL_ANYWAY: Duration = Duration::from_secs(5);
/// How long a lost database is left alone.
const RETRY: Duration = Duration::from_secs(1);
/// The channel of PostgreSQL that a trigger on the revision notifies (see the first step of the schema).
const CHANNEL: &str = "sekisho_registry";
/// What may wait for a follower that is busy.
const WAITING: usize = 4;

/// Hears of changes of a registry, until it is dropped.
pub struct Watch {
    heard: mpsc::Receiver<Heard>,
}

/// What a [`Watch`] hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The registry has this revision now. It is said once for all changes that came together.
    Changed(u64),
    /// The registry cannot be read, in words that name the matter and the remedy: serve on with what there is. It is tried again and again.
    Lost(String),
    /// It can be read again. If anything has changed meanwhile, [`Changed`](Heard::Changed) follows.
    Back,
}

impl Registry {
    /// Watches the registry from its present revision on. Who watches first and reads then misses nothing.
    pub async fn watch(&self) -> Watch {
        let present = self.inner.revision().await;
        Watch::start(Arc::clone(&self.inner), present)
    }

    /// Watches the registry from a revision on that was read before: the first thing that is heard is whether there is a later one.
    pub async fn watch_after(&self, revision: u64) -> Watch {
        Watch::start(Arc::clone(&self.inner), Ok(revision))
    }
}

impl Watch {
    /// Waits until there is something to hear. It may be given up at any time, and nothing is lost by that.
    pub async fn changed(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            // The runtime is going down, and whoever waits here with it.
            None => std::future::pending().await,
        }
    }

    fn start(inner: Arc<Inner>, present: Result<u64, RegistryError>) -> Watch {
        let (tell, heard) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut follower = Follower { inner, tell: tell.clone(), seen: None, lost: false, listener: None };
            tokio::select! {
                () = tell.closed() => {}
                _ = follower.follow(present) => {}
            }
        });
        Watch { heard }
    }
}

struct Follower {
    inner: Arc<Inner>,
    tell: mpsc::Sender<Heard>,
    /// The revision that was told last, or began with.
    seen: Option<u64>,
    lost: bool,
    listener: Option<PgListener>,
}

/// Nobody hears any more.
struct Gone;

impl From<mpsc::error::SendError<Heard>> for Gone {
    fn from(_: mpsc::error::SendError<Heard>) -> Gone {
        Gone
    }
}

impl Follower {
    async fn follow(&mut self, present: Result<u64, RegistryError>) -> Result<(), Gone> {
        match present {
            Ok(revision) => self.seen = Some(revision),
            Err(error) => self.lose(&error).await?,
        }
        loop {
            match self.look().await {
                Ok(revision) => {
                    if std::mem::take(&mut self.lost) {
                        self.tell.send(Heard::Back).await?;
                    }
                    if self.seen != Some(revision) {
                        self.seen = Some(revision);
                        self.tell.send(Heard::Changed(revision)).await?;
                    }
                    self.wait().await;
                }
                Err(error) => {
                    self.lose(&error).await?;
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Reads the revision, having made sure before that a later one will be told.
    async fn look(&mut self) -> Result<u64, RegistryError> {
        if self.listener.is_none() {
            self.listener = listen(&self.inner).await?;
        }
        self.inner.revision().await
    }

    /// Until it is time to look again.
    async fn wait(&mut self) {
        let Some(listener) = &mut self.listener else { return sleep(POLL).await };
        match timeout(POLL_ANYWAY, listener.try_recv()).await {
            // What was told several times is looked at once.
            Ok(Ok(Some(_))) => while listener.next_buffered().is_some() {},
            Ok(Ok(None) | Err(_)) => self.listener = None,
            Err(_) => {}
        }
    }

    async fn lose(&mut self, error: &RegistryError) -> Result<(), Gone> {
        // It may be deaf without knowing.
        self.listener = None;
        if !std::mem::replace(&mut self.lost, true) {
            self.tell.send(Heard::Lost(error.to_string())).await?;
        }
        Ok(())
    }
}

/// A connection of its own that PostgreSQL tells of changes.
async fn listen(inner: &Inner) -> Result<Option<PgListener>, RegistryError> {
    let Pool::Postgres(pool) = &inner.pool else { return Ok(None) };
    let options = pool.connect_options().as_ref().clone();
    let own = PgPoolOptions::new().max_connections(1).acquire_timeout(patience::ACQUIRE).connect_lazy_with(options);
    let connect = async {
        let mut listener = PgListener::connect_with(&own).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    };
    match timeout(patience::ANSWER, connect).await {
        Ok(Ok(listener)) => Ok(Some(listener)),
        Ok(Err(sqlx::Error::PoolTimedOut)) => Err(inner.pool.why_no_connection(&inner.place).await),
        Ok(Err(error)) => inner.column(Err(error)),
        Err(_) => inner.column(Err(sqlx::Error::PoolTimedOut)),
    }
}
