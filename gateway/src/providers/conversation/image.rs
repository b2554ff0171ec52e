//! Images in a conversation: of which kinds, how many, how large.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The most images of one message.
pub const MAX_IMAGES: usize = 4;
/// The most bytes of all images of one message.
pub const MAX_IMAGES_BYTES: usize = 512 << 10;

/// A kind of image that model providers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaType {
    /// Portable Network Graphics.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// GIF.
    #[serde(rename = "image/gif")]
    Gif,
    /// `WebP`.
    #[serde(rename = "image/webp")]
    Webp,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Image {
    /// Of which kind, by its first bytes.
    pub media_type: MediaType,
    /// Standard base64, padded.
    pub data: String,
}

/// Why bytes are no image that a model could be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageFault {
    /// None of the kinds that are known.
    #[error("it is no PNG, JPEG, GIF or WebP image")]
    Unknown,
    /// Too large.
    #[error("an image is larger than 360 KiB: scale it down")]
    TooLarge,
    /// Too many in one message.
    #[error("there are more than 4 images in one message")]
    TooMany,
    /// Too much in one message.
    #[error("all images of one message together are larger than 512 KiB: scale them down")]
    TooMuch,
}

impl MediaType {
    /// What the first bytes say that it is, whatever a sender says.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        let riff = bytes.get(8..12).is_some_and(|form| form == b"WEBP");
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', ..] if riff => Some(Self::Webp),
            _ => None,
        }
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

impl Image {
    /// The most bytes of one image; as base64 it fits into one message of the ledger.
    pub const MAX_BYTES: u32 = 360 << 10;
    /// What a model reads of one image, in tokens, on the safe side of most providers' published figures.
    pub const LIKELY_TOKENS: usize = 5_000;
    /// What no model that we know of exceeds: small ones of OpenAI count an image at 48,169.
    pub const MOST_TOKENS: u64 = 50_000;

    /// Takes bytes that look like an image.
    pub fn of(bytes: &[u8]) -> Result<Self, ImageFault> {
        if !u32::try_from(bytes.len()).is_ok_and(|bytes| bytes <= Self::MAX_BYTES) {
            return Err(ImageFault::TooLarge);
        }
        Ok(Self {
            media_type: MediaType::sniff(bytes).ok_or(ImageFault::Unknown)?,
            data: STANDARD.encode(bytes),
        })
    }

    /// Takes the images of one message.
    pub fn all<'a>(images: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<Vec<Self>, ImageFault> {
        if images.len() > MAX_IMAGES {
            return Err(ImageFault::TooMany);
        }
        let mut left = MAX_IMAGES_BYTES;
        images
            .map(|bytes| {
                left = left.checked_sub(bytes.len()).ok_or(ImageFault::TooMuch)?;
                Self::of(bytes)
            })
            .collect()
    }

    /// A sentence for whoever can't be shown it.
    pub fn told(&self) -> String {
        format!("[an image: {}, {} bytes]", self.media_type.name(), self.bytes())
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> usize {
        let padding = self.data.bytes().rev().take_while(|byte| *byte == b'=').count();
        (self.data.len() / 4).saturating_mul(3).saturating_sub(padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

    #[rstest]
    #[case(PNG, Some(MediaType::Png))]
    #[case(b"\xff\xd8\xff\xe0", Some(MediaType::Jpeg))]
    #[case(b"GIF89a..", Some(MediaType::Gif))]
    #[case(b"GIF87a", Some(MediaType::Gif))]
    #[case(b"RIFF\0\0\0\0WEBPVP8 ", Some(MediaType::Webp))]
    #[case::sound(b"RIFF\0\0\0\0WAVEfmt ", None)]
    #[case::svg(b"<svg xmlns='http://www.w3.org/2000/svg'/>", None)]
    #[case::pdf(b"%PDF-1.7", None)]
    #[case::empty(b"", None)]
    #[case::cut(b"\x89PNG", None)]
    fn the_first_bytes_say_what_it_is(#[case] bytes: &[u8], #[case] expected: Option<MediaType>) {
        assert_eq!(MediaType::sniff(bytes), expected);
    }

    #[test]
    fn an_image_has_bounds() {
        let large = [PNG, &vec![0; 360 << 10]].concat();
        let half = [PNG, &vec![0; MAX_IMAGES_BYTES / 2]].concat();
        assert_eq!(Image::of(&large), Err(ImageFault::TooLarge));
        assert_eq!(Image::all([PNG; 5].into_iter()), Err(ImageFault::TooMany));
        assert_eq!(Image::all([&*half, &*half].into_iter()), Err(ImageFault::TooMuch));
        assert_eq!(Image::all([PNG, b"text"].into_iter()), Err(ImageFault::Unknown));
        assert_eq!(Image::all([PNG, PNG].into_iter()).unwrap().len(), 2);
    }

    #[rstest]
    #[case(0)]
    #[case(1)]
    #[case(2)]
    fn an_image_tells_its_size(#[case] more: usize) {
        let bytes = [PNG, &vec![7; more]].concat();
        let image = Image::of(&bytes).unwrap();
        assert_eq!(image.bytes(), bytes.len());
        assert_eq!(
            image.told(),
            format!("[an image: image/png, {} bytes]", bytes.len())
        );
    }
}
