//! A conversation, line by line.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use monstrum_wire::chat::SendRequest;
use tokio::sync::mpsc;

use super::render::note;
use super::{new_id, turn};
use crate::cluster::Gateway;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Screen, paint, report};

/// Reads lines and sends each, until the input ends.
pub(super) async fn run(
    gateway: &Gateway,
    mut session: String,
    user: &str,
    quiet: bool,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let mut lines = lines();
    let mut exit = Exit::Success;
    loop {
        prompt();
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        };
        let Some(line) = line else { return Ok(exit) };
        let text = line.map_err(Failure::Stdin)?;
        if text.trim().is_empty() {
            continue;
        }
        let request = SendRequest {
            session: session.clone(),
            text,
            user: user.to_owned(),
            message_id: new_id(),
            images: Vec::new(),
        };
        tokio::select! {
            outcome = turn::run(gateway, request, &mut session, quiet, screen) => match outcome {
                Ok(of_turn) => exit = of_turn,
                // A turn that could not be run ends the conversation only where nobody can type another line.
                Err(failure) if std::io::stdin().is_terminal() => report(&miette::Report::new(failure)),
                Err(failure) => return Err(failure),
            },
            _ = tokio::signal::ctrl_c() => {
                screen.text("\n")?;
                note(&paint::with(paint::DIM, "no longer watching; the bot may still finish this turn"));
            }
        }
    }
}

/// Only where somebody types.
fn prompt() {
    if std::io::stdin().is_terminal() {
        let mut out = anstream::stderr();
        let _ = write!(out, "{} ", paint::with(paint::STRONG, "›"));
        let _ = out.flush();
    }
}

/// A thread of its own: reading a line can neither be cancelled nor waited for at the end of the process.
fn lines() -> mpsc::Receiver<std::io::Result<String>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
