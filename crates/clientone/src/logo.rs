//! Logos: whatever is uploaded is decoded within limits and made anew as a PNG, so that nothing of the upload but its
//! pixels is ever served.

use std::io::Cursor;

use domain::{Branding, ClientId, Error, Logo, PortalConfig, Result};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    error::{LimitError, LimitErrorKind},
};
use persistence::Tx;

use crate::config::{current, manage_all};

/// Largest upload, in bytes.
pub const LOGO_BYTES: usize = 1024 * 1024;
/// Most pixels of a side of what is uploaded.
const SIDE: u32 = 4_096;
/// Most bytes that decoding may take.
const MEMORY: u64 = 80 * 1024 * 1024;
/// Most pixels of what is served, across and down.
const SERVED: (u32, u32) = (800, 400);

/// A picture that is safe to serve.
#[derive(Clone, Debug)]
pub struct SafeLogo {
    /// The PNG.
    pub png: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A logo whose content is in the store, announced and not yet kept.
#[derive(Clone, Debug)]
pub struct LogoWritten {
    /// The logo.
    pub logo: Logo,
    /// Bytes of its content.
    pub bytes: i64,
}

/// Decodes a PNG, JPEG or WebP and makes a PNG of its pixels, at most 800 by 400. Takes a while: for a thread of its own.
pub fn logo_made_safe(upload: &[u8]) -> Result<SafeLogo> {
    let wrong = |code, message: &str| Error::invalid("", code, message.to_owned());
    if upload.is_empty() {
        return Err(wrong("empty", "must be a picture: the body is empty"));
    }
    if upload.len() > LOGO_BYTES {
        return Err(wrong("too_large", "must have at most 1 MiB"));
    }
    let format = image::guess_format(upload).ok();
    let Some(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) = format else {
        return Err(match is_markup(upload) {
            true => wrong("svg", "must be a PNG, JPEG or WebP: SVG can hold programs, so export it as PNG"),
            false => wrong("not_a_picture", "must be a PNG, JPEG or WebP"),
        });
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(upload), format);
    reader.limits(limits);
    let decode = || -> image::ImageResult<DynamicImage> {
        let mut decoder = reader.into_decoder()?;
        // Deep colours take more bytes than their pixels say.
        if decoder.total_bytes() > MEMORY {
            return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)));
        }
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    let picture = decode().map_err(|why| match why {
        ImageError::Limits(_) => {
            wrong("too_many_pixels", "must have at most 4096 pixels on a side, and not too many of them")
        }
        _ => wrong("unreadable", "must be a whole PNG, JPEG or WebP: it cannot be decoded"),
    })?;
    let (most_across, most_down) = SERVED;
    let picture = match picture.width() > most_across || picture.height() > most_down {
        true => picture.thumbnail(most_across, most_down),
        false => picture,
    };
    // Eight bits of each colour, and nothing else: no colour profile, no notes of a camera.
    let picture = DynamicImage::ImageRgba8(picture.into_rgba8());
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(Error::internal)?;
    Ok(SafeLogo { png: png.into_inner(), width: picture.width(), height: picture.height() })
}

/// Whether it looks like SVG, XML or HTML.
fn is_markup(upload: &[u8]) -> bool {
    let text = upload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(upload);
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Gives a client a logo of its own, or takes it away. The caller commits.
pub async fn clientone_logo_set(
    tx: &Tx,
    client: ClientId,
    logo: Option<LogoWritten>,
    version: Option<i32>,
) -> Result<PortalConfig> {
    let before = current(tx, client, version).await?;
    let branding = with_logo(tx, &before.branding, logo).await?;
    tx.portal_config_save(&before, PortalConfig { branding, ..before.clone() }).await
}

/// Gives the MSP a logo, for every client that has none, or takes it away; returns the look's version. The caller
/// commits.
pub async fn clientone_default_logo_set(
    tx: &Tx,
    logo: Option<LogoWritten>,
    version: Option<i32>,
) -> Result<(Branding, i32)> {
    manage_all(tx)?;
    tx.team_lock().await?;
    let before = tx.portal_branding().await?;
    if version.is_some_and(|version| version != before.1) {
        return Err(Error::Stale { what: "look of ClientOne" });
    }
    let branding = with_logo(tx, &before.0, logo).await?;
    let version = tx.portal_branding_save(&before, &branding).await?;
    Ok((branding, version))
}

/// The look with another logo: the new content is kept, the old one released. The same picture again changes nothing,
/// and its content is not taken.
async fn with_logo(tx: &Tx, before: &Branding, logo: Option<LogoWritten>) -> Result<Branding> {
    let picture = |logo: Option<&Logo>| logo.map(|logo| logo.sha256.clone());
    if picture(before.logo.as_ref()) == picture(logo.as_ref().map(|written| &written.logo)) {
        return Ok(before.clone());
    }
    if let Some(written) = &logo {
        tx.content_keep(written.logo.content_id, written.bytes).await?;
    }
    if let Some(old) = &before.logo {
        tx.contents_release(&[old.content_id]).await?;
    }
    Ok(Branding { logo: logo.map(|written| written.logo), ..before.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(upload: &[u8]) -> &'static str {
        match logo_made_safe(upload) {
            Err(Error::Invalid(problems)) => problems[0].code,
            other => panic!("{other:?}"),
        }
    }

    fn drawn(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x % 256) as u8, (y % 256) as u8, 77])
        }));
        picture.write_to(&mut out, format).expect("encodes");
        out.into_inner()
    }

    #[test]
    fn pictures_are_made_anew() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let safe = logo_made_safe(&drawn(40, 20, format)).expect("is taken");
            assert_eq!((safe.width, safe.height), (40, 20));
            assert!(safe.png.starts_with(b"\x89PNG\r\n\x1a\n"));
        }
        let safe = logo_made_safe(&drawn(2_000, 300, ImageFormat::Png)).expect("is taken");
        assert_eq!((safe.width, safe.height), (800, 120));
    }

    #[test]
    fn nothing_of_the_upload_but_its_pixels_is_kept() {
        let mut upload = drawn(40, 20, ImageFormat::Png);
        upload.extend(b"<script>alert(1)</script>PK\x03\x04");
        let safe = logo_made_safe(&upload).expect("is taken");
        assert!(!safe.png.windows(7).any(|part| part == b"<script"));
        assert_eq!(safe.png, logo_made_safe(&drawn(40, 20, ImageFormat::Png)).expect("is taken").png);
    }

    #[test]
    fn what_is_no_picture_or_too_much_is_refused() {
        assert_eq!(code(b""), "empty");
        assert_eq!(code(b"  <svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), "svg");
        assert_eq!(code(b"\xef\xbb\xbf<?xml version='1.0'?><svg/>"), "svg");
        assert_eq!(code(b"GIF89a\x01\0\x01\0"), "not_a_picture");
        assert_eq!(code(b"%PDF-1.7"), "not_a_picture");
        assert_eq!(code(&drawn(40, 20, ImageFormat::Png)[..60]), "unreadable");
        assert_eq!(code(&vec![0; LOGO_BYTES + 1]), "too_large");
        // A few bytes that would be 14 GB.
        const BOMB: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\xea`\x00\x00\xea`\x08\x06\x00\x00\x00\x80\xd2uB\x00\x00\x00\x17IDATx\xdac`\x18\x05\xa3`\x14\x8c\x82Q0\x0aF\xc1P\x07\x00\x07\xd0\x00\x01#\xc6\xb0(\x00\x00\x00\x00IEND\xaeB`\x82";
        assert_eq!(code(BOMB), "too_many_pixels");
        assert_eq!(code(&drawn(5_000, 10, ImageFormat::Png)), "too_many_pixels");
    }
}
