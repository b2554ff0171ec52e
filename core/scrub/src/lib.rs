//! Takes secrets out of text before anything else sees it, and the type of text that may hold one.
//!
//! A [`Scrubber`] knows a set of secrets. What comes from the world is [`Tainted`] until it has passed one: it can't be shown,
//! compared, cut, logged or serialised, because its content is a private field of this crate and no method gives it out.
//! Reading within a bound is offered, and is remembered: where text was cut, a tail that could begin a secret is dropped.
//!
//! A body, read within a bound; then it may be cut anywhere:
//! ```
//! use monstrum_scrub::{Scrubber, Tainted};
//!
//! let scrubber = Scrubber::new([b"hunter2-hunter2".as_slice()]);
//! let mut body = Tainted::default();
//! for chunk in [b"your key is hunter2".as_slice(), b"-hunter2, and much more"] {
//!     if !body.take_up_to(25, chunk) {
//!         break; // more existed
//!     }
//! }
//! assert_eq!(body.text(&scrubber), "your key is ");
//! ```
//!
//! An error of a library that may quote what it was given:
//! ```
//! # use monstrum_scrub::{Scrubber, Tainted};
//! # let scrubber = Scrubber::new([b"hunter2-hunter2".as_slice()]);
//! let error = std::io::Error::other("GET /?key=hunter2%2Dhunter2 failed");
//! assert_eq!(Tainted::error(&error).text(&scrubber), "GET /?key=[secret] failed");
//! ```
//!
//! A stream, whose end says whether all of it came:
//! ```
//! # use monstrum_scrub::{End, Scrubber};
//! # let scrubber = Scrubber::new([b"hunter2-hunter2".as_slice()]);
//! let mut stream = scrubber.stream();
//! let mut clean = stream.push(b"a hunter2-hun");
//! clean.extend(stream.push(b"ter2, b hunter2-"));
//! clean.extend(stream.finish(End::Cut));
//! assert_eq!(clean, b"a [secret], b ");
//! ```
//!
//! JSON, whose texts are scrubbed again after their escapes were resolved:
//! ```
//! # use monstrum_scrub::{Scrubber, Tainted};
//! # let scrubber = Scrubber::new([b"hunter2-hunter2".as_slice()]);
//! let body = Tainted::from(r#"{"key": "\u0068unter2-hunter2"}"#);
//! assert_eq!(body.json(None, &scrubber)?, serde_json::json!({ "key": "[secret]" }));
//! # Ok::<(), monstrum_scrub::NotJson>(())
//! ```
//!
//! # What is found
//!
//! A secret of at least four bytes, blanks around it not counted, wherever and however often it stands, and in any mixture of:
//! itself; `\`-escapes of JSON, of shells and of programming languages (`\"`, `\/`, `\u0041`, `\u{41}`, `\x41`, `\101`), also
//! escaped again up to three times; `%41`, `%2541`, `%u0041`, and a plus for a blank; `&amp;`, `&#65;` and `&#x41;`, also escaped again;
//! base64 of either alphabet, with or without padding, of it or of anything that holds it; hexadecimal digits of either case, together or
//! parted by colons, blanks, hyphens or `, 0x`; base32 of either case; base64 or hexadecimal digits of that base64 or of those digits, in one line; lists
//! of decimal numbers, as bytes are printed; UTF-16, and base64 of it. Line breaks (with the indentation that follows) and NULs within
//! are overlooked. Each line of a secret of several lines counts as one from 16 bytes on, and a long secret is
//! looked for in pieces of at most 64 bytes, so that a part of a key is found as well.
//!
//! What is not found: what a target makes of a secret on purpose (a digest, a cipher, its letters in another order), hexadecimal in groups of
//! several bytes, three encodings one within the other or any two but those, two of a field of more than 4096 bytes, base32 of the "extended hex" alphabet, base58, base85, quoted-printable and
//! compressed text, *part* of a secret of up to 64 bytes (a target that shows all but the last characters of a key), an escape whose own sign is an escape of another kind (`%5C%22` for `\"`), and fields shorter than four bytes, which would be found everywhere. Text that a target sends
//! from somewhere within its own answer (a range of bytes) may begin with the rest of a secret that was never whole here.

mod decode;
mod dictionary;
mod forms;
mod json;
mod matcher;
mod scrubber;
mod spelling;
mod stream;
mod tainted;

pub use json::NotJson;
pub use scrubber::Scrubber;
pub use stream::{End, ScrubStream};
pub use tainted::Tainted;

/// What stands in a secret's place.
pub const MARK: &str = "[secret]";

/// What is overlooked within a secret: encoders wrap their output, and UTF-16 puts a NUL beside every ASCII letter.
fn is_overlooked(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}
