//! The message that starts a turn, and whether it was seen before.

use std::time::Duration;

use monstrum_service::ledger::seconds;
use monstrum_wire::bounds::MAX_TEXT;
use monstrum_wire::ledger::TakeOnceRequest;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::history::{Entry, Fate, History};
use super::trace::TraceContext;
use crate::providers::conversation::Image;

/// How long the id of a message is remembered.
const REMEMBERED: Duration = Duration::from_hours(24 * 7);
/// As kept, in bytes; one write to the ledger takes a little more.
const MAX_TOGETHER: usize = 850 << 10;
/// The ledger takes ids of 256 bytes; a session's gets a word in front.
const MAX_ID: usize = 200;

/// A message as it came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Never empty: a new conversation got its id before.
    pub session: String,
    /// What was said.
    pub text: String,
    /// Who spoke: a stable id.
    pub user: String,
    /// Through which channel; the session stays with it.
    pub channel: String,
    /// The sender's id of the message; empty when it has none.
    pub message_id: String,
    /// What was shown.
    pub images: Vec<Image>,
    /// Which trace it belongs to.
    pub trace: TraceContext,
}

/// What a message is to its session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Not seen before.
    New,
    /// Seen before, and its turn was cut off: go on from there.
    Resumed,
    /// Seen before and never answered, and others came after it: its turn is begun anew, for its sender still waits.
    Again,
    /// Seen before, and answered with this.
    Answered(String),
}

impl Incoming {
    /// With images, if they are such.
    pub fn showing(self, images: &[Vec<u8>]) -> Result<Self, Failure> {
        let images = Image::all(images.iter().map(Vec::as_slice));
        Ok(Self {
            images: images.map_err(|fault| Failure::InvalidMessage(fault.to_string()))?,
            ..self
        })
    }

    /// Checks the bounds and names the session of a new conversation: the same message always starts the same one, so that
    /// it is not run twice when it is sent again.
    pub fn checked(mut self) -> Result<Self, Failure> {
        let invalid = |why: &str| Err(Failure::InvalidMessage(why.to_owned()));
        if self.text.trim().is_empty() && self.images.is_empty() {
            return invalid("it is empty");
        }
        if self.text.len() > MAX_TEXT {
            return invalid("it is longer than 128 KiB");
        }
        if !self.images.is_empty() && self.kept_size() > MAX_TOGETHER {
            return invalid("text and images together are longer than the ledger takes");
        }
        let ids = [&self.session, &self.user, &self.message_id];
        if ids
            .iter()
            .any(|id| id.len() > MAX_ID || id.chars().any(char::is_control))
        {
            return invalid("an id is longer than 200 bytes or holds control characters");
        }
        if self.session.is_empty() {
            self.session = self.new_session();
        }
        Ok(self)
    }

    fn new_session(&self) -> String {
        if self.message_id.is_empty() {
            return uuid::Uuid::now_v7().simple().to_string();
        }
        let mut hasher = Sha256::new();
        for part in [&self.channel, &self.user, &self.message_id] {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hex::encode(hasher.finalize());
        digest.get(..32).unwrap_or(&digest).to_owned()
    }

    /// Its id, which can be taken once.
    pub(super) fn once(&self) -> Option<TakeOnceRequest> {
        if self.message_id.is_empty() {
            return None;
        }
        Some(TakeOnceRequest {
            scope: format!("message/{}", self.session),
            id: self.message_id.clone(),
            keep_seconds: seconds(REMEMBERED),
        })
    }

    /// What is kept of it.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let said = Entry::User {
            text: self.text.clone(),
            user: self.user.clone(),
            message_id: self.message_id.clone(),
        };
        let shown = self.images.iter().cloned().map(Entry::Image);
        std::iter::once(said).chain(shown).collect()
    }

    /// All of it is kept in one write.
    fn kept_size(&self) -> usize {
        let kept = self.entries();
        let sizes = kept.iter().map(|entry| entry.kept("").content_json.len());
        sizes.fold(0, usize::saturating_add)
    }
}

/// Whether the message was seen before: by the conversation that was read, and for an older one by its id, which is `taken` when
/// the message is kept.
pub(super) fn open(message: &Incoming, history: &History, taken: bool) -> Result<Opening, Failure> {
    if message.message_id.is_empty() {
        return Ok(Opening::New);
    }
    match history.fate(&message.message_id) {
        Fate::Answered(text) => Ok(Opening::Answered(text)),
        Fate::Open if history.is_last_message(&message.message_id) => Ok(Opening::Resumed),
        Fate::Open => Ok(Opening::Again),
        Fate::NotHere if !taken => Ok(Opening::New),
        // It is older than what was read.
        Fate::NotHere => Err(Failure::Duplicate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(session: &str, message_id: &str) -> Incoming {
        Incoming {
            session: session.to_owned(),
            text: "hello".to_owned(),
            user: "u1".to_owned(),
            channel: "channel/inbox".to_owned(),
            message_id: message_id.to_owned(),
            images: Vec::new(),
            trace: TraceContext::from_parent(None),
        }
    }

    #[test]
    fn the_same_message_starts_the_same_conversation() {
        let first = message("", "m1").checked().unwrap().session;
        assert_eq!(message("", "m1").checked().unwrap().session, first);
        assert_ne!(message("", "m2").checked().unwrap().session, first);
        assert_ne!(
            message("", "").checked().unwrap().session,
            message("", "").checked().unwrap().session
        );
        assert_eq!(message("given", "m1").checked().unwrap().session, "given");
    }

    #[test]
    fn an_image_is_a_message_of_its_own_and_has_bounds() {
        let png = b"\x89PNG\r\n\x1a\n".to_vec();
        let shows = |images: &[Vec<u8>]| {
            let alone = Incoming {
                text: String::new(),
                ..message("", "")
            };
            alone.showing(images).and_then(Incoming::checked)
        };
        assert_eq!(shows(std::slice::from_ref(&png)).unwrap().entries().len(), 2);
        let large = [png.clone(), vec![0; 400 << 10]].concat();
        let much = [png.clone(), vec![0; 300 << 10]].concat();
        for wrong in [
            vec![],
            vec![b"%PDF-1.7".to_vec()],
            vec![png; 5],
            vec![large],
            vec![much.clone(), much.clone()],
        ] {
            assert!(matches!(shows(&wrong), Err(Failure::InvalidMessage(_))));
        }
        // Control characters are six times as long where they are kept.
        let together = Incoming {
            text: "\u{1}".repeat(80 << 10),
            ..message("", "")
        };
        let together = together.showing(&[much]).and_then(Incoming::checked);
        assert!(matches!(together, Err(Failure::InvalidMessage(_))));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let blank = Incoming {
            text: " \n".to_owned(),
            ..message("", "")
        };
        let long = Incoming {
            text: "x".repeat(MAX_TEXT + 1),
            ..message("", "")
        };
        let control = Incoming {
            user: "a\nb".to_owned(),
            ..message("", "")
        };
        for wrong in [blank, long, control, message(&"s".repeat(MAX_ID + 1), "")] {
            assert!(matches!(wrong.checked(), Err(Failure::InvalidMessage(_))));
        }
    }
}
