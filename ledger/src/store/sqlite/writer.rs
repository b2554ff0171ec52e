//! The one writer. Jobs that wait while a commit is under way share the next one, each in its own savepoint, and are answered
//! when that commit is on disk. A requester that goes away does not cut a job in half.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;

/// Jobs that may wait; more make their requesters wait.
const QUEUE: usize = 256;

/// Jobs that share a commit.
const GROUP: usize = 64;

/// Is told of each commit: how many jobs it held, and how long it took.
pub type CommitObserver = Arc<dyn Fn(usize, Duration) + Send + Sync>;

type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Done> + Send>;

/// A job that ran: whether its changes stay, and its answer to the requester, to be given after the commit.
struct Done {
    keep: bool,
    answer: Box<dyn FnOnce() + Send>,
}

/// Where jobs are handed in.
#[derive(Clone)]
pub(super) struct Queue(mpsc::Sender<Job>);

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl Queue {
    pub(super) async fn submit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| Box::pin(perform(connection, work, answer)));
        self.0.send(job).await.map_err(|_| StoreError::Unconfirmed)?;
        answered.await.map_err(|_| StoreError::Unconfirmed)?
    }
}

async fn perform<T, F>(
    connection: &mut SqliteConnection,
    work: F,
    answer: oneshot::Sender<Result<T, StoreError>>,
) -> Done
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    if answer.is_closed() {
        return Done {
            keep: false,
            answer: Box::new(|| ()),
        };
    }
    let result = work(connection).await;
    Done {
        keep: result.is_ok(),
        answer: Box::new(move || {
            // Nobody waits any more: the work is done all the same.
            let _ = answer.send(result);
        }),
    }
}

/// Runs the jobs. Its own failures are logged, and show to requesters as unconfirmed writes.
pub struct Writer {
    jobs: mpsc::Receiver<Job>,
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    observer: CommitObserver,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

pub(super) fn pair(
    options: SqliteConnectOptions,
    connection: SqliteConnection,
    observer: CommitObserver,
) -> (Queue, Writer) {
    let (sender, jobs) = mpsc::channel(QUEUE);
    (
        Queue(sender),
        Writer {
            jobs,
            options,
            connection: Some(connection),
            observer,
        },
    )
}

impl Writer {
    /// Works until every handle of the store is gone, then closes the database.
    pub async fn run(mut self) -> Result<(), StoreError> {
        let mut group = Vec::with_capacity(GROUP);
        while self.jobs.recv_many(&mut group, GROUP).await > 0 {
            let began = Instant::now();
            let size = group.len();
            match self.commit(group.drain(..)).await {
                Ok(answers) => {
                    (self.observer)(size, began.elapsed());
                    for answer in answers {
                        answer();
                    }
                }
                Err(error) => {
                    tracing::error!(error = %chain(&error), jobs = size, "group of writes was not committed");
                }
            }
        }
        match self.connection.take() {
            Some(connection) => connection.close().await.map_err(StoreError::from),
            None => Ok(()),
        }
    }

    /// Commits the group. A connection on which anything but a job itself failed is given up, since
    /// nobody can tell what its transaction holds; dropping it rolls back.
    async fn commit(
        &mut self,
        group: impl Iterator<Item = Job>,
    ) -> Result<Vec<Box<dyn FnOnce() + Send>>, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        connection.execute("BEGIN IMMEDIATE").await?;
        let mut answers = Vec::with_capacity(GROUP);
        for job in group {
            connection.execute("SAVEPOINT job").await?;
            let done = job(&mut connection).await;
            if !done.keep {
                // Fails when the database already rolled back the whole transaction, as on a full disk.
                connection.execute("ROLLBACK TO job").await?;
            }
            connection.execute("RELEASE job").await?;
            answers.push(done.answer);
        }
        connection.execute("COMMIT").await?;
        self.connection = Some(connection);
        Ok(answers)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
