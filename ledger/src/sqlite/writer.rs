//! The one writer, a thread that owns the one writing connection. Jobs that wait while a commit is under way share the next one,
//! each in its own savepoint, and are answered when that commit is on disk. A requester that goes away does not cut a job in
//! half.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::writing;
use crate::store::StoreError;

/// Jobs that may wait; more make their requesters wait.
const QUEUE: usize = 256;

/// Jobs that share a commit.
const GROUP: usize = 64;

/// Is told of each commit: how many jobs it held, and how long it took.
pub type CommitObserver = Arc<dyn Fn(usize, Duration) + Send + Sync>;

type Job = Box<dyn FnOnce(&Connection) -> Done + Send>;

/// An answer to a requester, to be given after the commit.
type Answer = Box<dyn FnOnce() + Send>;

/// A job that ran: whether its changes stay.
struct Done {
    keep: bool,
    answer: Answer,
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
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| perform(connection, work, answer));
        self.0.send(job).await.map_err(|_| StoreError::Unconfirmed)?;
        answered.await.map_err(|_| StoreError::Unconfirmed)?
    }
}

fn perform<T, F>(connection: &Connection, work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Done
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError>,
{
    if answer.is_closed() {
        return Done {
            keep: false,
            answer: Box::new(|| ()),
        };
    }
    let result = work(connection);
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
    file: PathBuf,
    connection: Option<Connection>,
    observer: CommitObserver,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

pub(super) fn pair(file: PathBuf, connection: Connection, observer: CommitObserver) -> (Queue, Writer) {
    let (sender, jobs) = mpsc::channel(QUEUE);
    (
        Queue(sender),
        Writer {
            jobs,
            file,
            connection: Some(connection),
            observer,
        },
    )
}

/// Tells the thread that nobody waits for its end any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Writer {
    /// Works until every handle of the store is gone, then closes the database. Whoever drops this future ends the work
    /// before the next commit.
    pub async fn run(self) -> Result<(), StoreError> {
        let file = self.file.display().to_string();
        let (end, ended) = oneshot::channel();
        let abandon = Abandon(Arc::default());
        let abandoned = Arc::clone(&abandon.0);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                // Nobody waits for it where the process ends too.
                let _ = end.send(self.work(&abandoned));
            })
            .map_err(|source| StoreError::File { path: file, source })?;
        // An end that is never told is that of a panic.
        ended.await.map_err(|_| StoreError::Unconfirmed)?
    }

    fn work(mut self, abandoned: &AtomicBool) -> Result<(), StoreError> {
        let mut group = Vec::with_capacity(GROUP);
        while self.jobs.blocking_recv_many(&mut group, GROUP) > 0 && !abandoned.load(Ordering::Relaxed) {
            let began = Instant::now();
            let size = group.len();
            match self.commit(std::mem::take(&mut group)) {
                Ok(answers) => {
                    (self.observer)(size, began.elapsed());
                    for answer in answers {
                        answer();
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error, jobs = size, "group of writes was not committed");
                }
            }
        }
        match self.connection.take() {
            Some(connection) => connection.close().map_err(|(_, error)| error.into()),
            None => Ok(()),
        }
    }

    /// Commits the group. A connection on which anything but a job itself failed is given up, since
    /// nobody can tell what its transaction holds; dropping it rolls back.
    fn commit(&mut self, group: Vec<Job>) -> rusqlite::Result<Vec<Answer>> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => writing(&self.file)?,
        };
        run(&connection, "BEGIN IMMEDIATE")?;
        let mut answers = Vec::with_capacity(group.len());
        for job in group {
            run(&connection, "SAVEPOINT job")?;
            let done = job(&connection);
            if !done.keep {
                // Fails when the database already rolled back the whole transaction, as on a full disk.
                run(&connection, "ROLLBACK TO job")?;
            }
            run(&connection, "RELEASE job")?;
            answers.push(done.answer);
        }
        run(&connection, "COMMIT")?;
        self.connection = Some(connection);
        Ok(answers)
    }
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(())
}
