//! A command's process group: started, watched, killed and collected as one.
//!
//! Seccomp keeps every descendant in the group, so that killing it leaves nothing running.

use std::io;
use std::process::Command;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process_group, waitid, waitpgid,
    waitpid,
};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{Instant, sleep};

/// How long killed processes may take to be gone.
const COLLECT: Duration = Duration::from_secs(3);
const COLLECT_STEP: Duration = Duration::from_millis(2);

/// A running process group. Killed when dropped.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    child_ended: unix::Signal,
    collected: bool,
}

impl Group {
    /// Starts `command` as the leader of a group of its own.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        // Listened to before there is a child, so that its end is not missed.
        let child_ended = unix::signal(SignalKind::child())?;
        // Dropping the child neither kills nor collects it; the group does both.
        let child = command.process_group(0).spawn()?;
        let leader = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self {
            leader,
            child_ended,
            collected: false,
        })
    }

    /// The group's number.
    pub(super) fn number(&self) -> i32 {
        self.leader.as_raw_nonzero().get()
    }

    /// Resolves when the leader has ended. It stays uncollected, so that its number is not given away.
    pub(super) async fn leader_ended(&mut self) -> io::Result<()> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while waitid(WaitId::Pid(self.leader), look)?.is_none() {
            self.child_ended.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }

    /// Kills whatever still runs in the group.
    pub(super) fn kill(&self) {
        kill(self.leader);
    }

    /// Kills the group and collects every process of it. The leader's status, if it could be collected.
    pub(super) async fn end(mut self) -> Option<WaitStatus> {
        self.kill();
        let deadline = Instant::now().checked_add(COLLECT)?;
        drop(tokio::time::timeout_at(deadline, self.leader_ended()).await);
        let status = waitpid(Some(self.leader), WaitOptions::NOHANG)
            .ok()
            .flatten()
            .map(|(_, status)| status);
        // Orphans come to the runner one after the other, as their parents end.
        while let Ok(waited) = waitpgid(self.leader, WaitOptions::NOHANG) {
            if Instant::now() >= deadline {
                tracing::error!(
                    group = self.number(),
                    "processes of a command did not end when killed"
                );
                return status;
            }
            if waited.is_none() {
                sleep(COLLECT_STEP).await;
            }
        }
        self.collected = status.is_some();
        status
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.collected {
            self.kill();
        }
    }
}

fn kill(leader: Pid) {
    // The only way to fail is that nothing is left in the group.
    let _ = kill_process_group(leader, Signal::KILL);
}
