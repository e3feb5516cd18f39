//! What decodes, and what does not.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use reqwest::header::HeaderValue;

use super::*;

const TEXT: &[u8] = b"{\"message\":\"hello, hello, hello\",\"list\":[1,2,3]}\n";
/// [`TEXT`] as an encoder of `br` wrote it.
const BR: &[u8] = b"\x0b\x18\x80{\"message\":\"hello, hello, hello\",\"list\":[1,2,3]}\n\x03";
/// 32 MiB of zeros in `br`.
const BR_BOMB: &[u8] =
    b"\xcf\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x9f\xff\xff\xff\xf0\x4f\x00\xc4\x61\x01\x80\xee\xfd\xff";
/// 1 MiB of zeros with a window that the RFC does not know.
const BR_LARGE_WINDOW: &[u8] = b"\x11\x5c\xfd\xff\x3f\x00\x09\x80\x78\x2c\x10\x72\xef\x1f\x00";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// Decodes in pieces of some size.
fn decoded(codings: &[Coding], encoded: &[u8], piece: usize) -> Result<Vec<u8>, Fault> {
    within(codings, encoded, piece, 32 << 20, 200)
}

fn within(codings: &[Coding], encoded: &[u8], piece: usize, most: u64, ratio: u32) -> Result<Vec<u8>, Fault> {
    let mut decoder = Decoder::new(codings, most, ratio);
    for piece in encoded.chunks(piece) {
        decoder.take(piece)?;
    }
    decoder.finish()
}

/// A head of gzip with every optional part.
fn with_a_full_head(bytes: &[u8]) -> Vec<u8> {
    let plain = gzip(bytes);
    let mut full = plain[..10].to_vec();
    full[3] = 0b1_1111;
    full.extend(b"\x04\x00extr\0"[..6].iter());
    full.extend(b"name\0comment\0\xab\xcd");
    full.extend(&plain[10..]);
    full
}

#[test]
fn each_coding_is_undone_however_it_is_cut() {
    let two = [gzip(b"{\"message\":\"hello, "), gzip(b""), gzip(&TEXT[19..])].concat();
    let table: [(&[Coding], Vec<u8>); 9] = [
        (&[Coding::Gzip], gzip(TEXT)),
        (&[Coding::Gzip], two),
        (&[Coding::Gzip], with_a_full_head(TEXT)),
        (&[Coding::Deflate], zlib(TEXT)),
        (&[Coding::Deflate], raw(TEXT)),
        (&[Coding::Brotli], BR.to_vec()),
        (&[Coding::Gzip, Coding::Deflate], zlib(&gzip(TEXT))),
        (&[Coding::Brotli, Coding::Gzip], gzip(BR)),
        (&[Coding::Gzip, Coding::Gzip], gzip(&gzip(TEXT))),
    ];
    for (codings, encoded) in table {
        for piece in [1, 2, 7, 1000] {
            assert_eq!(decoded(codings, &encoded, piece).as_deref(), Ok(TEXT), "{codings:?} by {piece}");
        }
    }
}

#[test]
fn nothing_is_empty_in_every_coding() {
    for (coding, nothing) in [
        (Coding::Gzip, gzip(b"")),
        (Coding::Deflate, zlib(b"")),
        (Coding::Deflate, raw(b"")),
        (Coding::Brotli, b"\x3b".to_vec()),
    ] {
        assert_eq!(decoded(&[coding], &nothing, 1).as_deref(), Ok(&b""[..]), "{coding}");
        assert_eq!(decoded(&[coding], b"", 1).as_deref(), Ok(&b""[..]), "{coding}: a body of no bytes");
    }
}

/// Half a body, in each coding (S32).
#[test]
fn a_stream_that_is_cut_anywhere_is_an_error() {
    for (coding, whole) in [
        (Coding::Gzip, gzip(TEXT)),
        (Coding::Gzip, with_a_full_head(TEXT)),
        (Coding::Deflate, zlib(TEXT)),
        (Coding::Deflate, raw(TEXT)),
        (Coding::Brotli, BR.to_vec()),
    ] {
        for length in 1..whole.len() {
            let cut = decoded(&[coding], &whole[..length], 1000);
            assert!(matches!(cut, Err(Fault::Corrupt(..))), "{coding}, {length} bytes: {cut:?}");
        }
    }
    let inner_cut = gzip(&gzip(TEXT)[..20]);
    let cut = decoded(&[Coding::Gzip, Coding::Gzip], &inner_cut, 1000);
    assert_eq!(cut, Err(Fault::Corrupt(Coding::Gzip, "it is cut off")));
}

#[test]
fn what_follows_the_end_is_an_error() {
    for (coding, mut whole) in [
        (Coding::Gzip, gzip(TEXT)),
        (Coding::Deflate, zlib(TEXT)),
        (Coding::Deflate, raw(TEXT)),
        (Coding::Brotli, BR.to_vec()),
    ] {
        whole.push(0);
        for piece in [1, 1000] {
            let fault = decoded(&[coding], &whole, piece);
            assert_eq!(fault, Err(Fault::Corrupt(coding, "something else follows its end")), "{piece}");
        }
    }
}

#[test]
fn a_checksum_that_is_wrong_is_an_error() {
    let mut stream = gzip(TEXT);
    let end = stream.len();
    stream[end - 1] ^= 1;
    assert_eq!(
        decoded(&[Coding::Gzip], &stream, 9),
        Err(Fault::Corrupt(Coding::Gzip, "its length is wrong"))
    );
    stream[end - 5] ^= 1;
    assert_eq!(
        decoded(&[Coding::Gzip], &stream, 9),
        Err(Fault::Corrupt(Coding::Gzip, "its checksum is wrong"))
    );
    let mut stream = zlib(TEXT);
    let end = stream.len();
    stream[end - 1] ^= 1;
    assert_eq!(
        decoded(&[Coding::Deflate], &stream, 9),
        Err(Fault::Corrupt(Coding::Deflate, "it is corrupt"))
    );
}

#[test]
fn what_is_no_such_stream_is_an_error() {
    for (coding, why) in [
        (Coding::Gzip, "it does not begin as gzip does"),
        // Its first bits are those of a bare stream.
        (Coding::Deflate, "it is cut off"),
        (Coding::Brotli, "it is corrupt"),
    ] {
        assert_eq!(decoded(&[coding], b"{\"plain\": true}", 9), Err(Fault::Corrupt(coding, why)));
    }
    let large = decoded(&[Coding::Brotli], BR_LARGE_WINDOW, 99);
    assert_eq!(large, Err(Fault::Corrupt(Coding::Brotli, "it is corrupt")));
}

/// Of this one the crate reads the whole, and refuses its bytes one by one.
#[test]
fn what_a_damaged_body_comes_to_does_not_depend_on_how_the_network_cut_it() {
    let body = b"a\0\0\0\0/\xea\xea\xea\xea\xea\xea\xea\xea\xea\xea\x13\xea\xea\xea\x14\xea";
    let decoded = |piece: usize| {
        let mut decoder = Decoder::new(&[Coding::Brotli], 1 << 18, 200);
        body.chunks(piece).try_for_each(|piece| decoder.take(piece))?;
        decoder.finish()
    };
    let whole = decoded(body.len());
    for piece in 1..body.len() {
        assert_eq!(decoded(piece), whole, "{piece}");
    }
}

/// Few bytes that become many (S28).
#[test]
fn a_bomb_is_told_by_its_ratio_before_it_goes_off() {
    let zeros = vec![0; 40 << 20];
    for (codings, bomb) in [
        (&[Coding::Gzip][..], gzip(&zeros)),
        (&[Coding::Deflate], zlib(&zeros)),
        (&[Coding::Brotli], BR_BOMB.to_vec()),
        (&[Coding::Gzip, Coding::Gzip], gzip(&gzip(&zeros))),
    ] {
        let mut decoder = Decoder::new(codings, 32 << 20, 200);
        let taken = bomb.chunks(1000).try_for_each(|piece| decoder.take(piece));
        let fault = taken.and_then(|()| decoder.push());
        assert!(matches!(fault, Err(Fault::Ratio(_))), "{codings:?}: {fault:?}");
        assert!(decoder.decoded.len() as u64 <= FREE + PIECE as u64, "{codings:?}");
    }
}

/// Whatever the ratio (S28).
#[test]
fn a_body_is_bounded_where_the_ratio_is_not() {
    let body = vec![0; 3 << 20];
    for (codings, encoded) in [
        (&[Coding::Gzip][..], gzip(&body)),
        (&[Coding::Deflate], zlib(&body)),
        (&[Coding::Gzip, Coding::Deflate], zlib(&gzip(&body))),
    ] {
        let most = body.len() as u64;
        assert!(within(codings, &encoded, 100, most, u32::MAX).is_ok_and(|found| found == body));
        let mut decoder = Decoder::new(codings, most - 1, u32::MAX);
        let taken = encoded.chunks(100).try_for_each(|piece| decoder.take(piece));
        let fault = taken.and_then(|()| decoder.push());
        assert_eq!(fault, Err(Fault::TooLarge), "{codings:?}");
        assert!(decoder.decoded.len() as u64 <= most);
    }
    let whole = within(&[Coding::Brotli], BR_BOMB, 5, 32 << 20, u32::MAX).expect("it fits");
    assert_eq!((whole.len(), whole.iter().all(|byte| *byte == 0)), (32 << 20, true));
    assert_eq!(within(&[Coding::Brotli], BR_BOMB, 5, (32 << 20) - 1, u32::MAX), Err(Fault::TooLarge));
}

#[test]
fn the_first_mib_has_no_ratio() {
    let free = gzip(&vec![0; 1 << 20]);
    assert!(within(&[Coding::Gzip], &free, 1000, 32 << 20, 1).is_ok());
    let above = gzip(&vec![0; (1 << 20) + 1]);
    assert!(matches!(within(&[Coding::Gzip], &above, 1000, 32 << 20, 1), Err(Fault::Ratio(_))));
}

/// A stage between may grow without end and come to nothing in the next one.
/// Codings upon codings (S28).
#[test]
fn the_middle_of_two_codings_is_bounded_too() {
    let members = gzip(b"").repeat(200_000);
    let fault = within(&[Coding::Gzip, Coding::Gzip], &gzip(&members), 1000, 1 << 20, u32::MAX);
    assert_eq!(fault, Err(Fault::TooLarge));
}

#[test]
fn the_codings_of_all_headers_are_one_list() {
    type Row<'r> = (&'r [&'static str], Result<Vec<Coding>, Unsupported>);
    let unknown = |name: &str| Err(Unsupported::Unknown(format!("`{name}`")));
    let table: [Row; 16] = [
        (&[], Ok(vec![])),
        (&["identity"], Ok(vec![])),
        (&["Identity , ", ""], Ok(vec![])),
        (&["gzip"], Ok(vec![Coding::Gzip])),
        (&["X-GZip"], Ok(vec![Coding::Gzip])),
        (&["identity", "br"], Ok(vec![Coding::Brotli])),
        (&["gzip, br"], Ok(vec![Coding::Gzip, Coding::Brotli])),
        (&["br", "br"], unknown("br, br")),
        (&["gzip, gzip"], Ok(vec![Coding::Gzip, Coding::Gzip])),
        (&["deflate", "gzip"], Ok(vec![Coding::Deflate, Coding::Gzip])),
        (&["zstd"], unknown("zstd")),
        (&["gzip, zstd, br"], unknown("zstd")),
        (&["gzip", "gzip", "gzip"], Err(Unsupported::TooMany(3))),
        (&["gzip,gzip,gzip", "identity, zstd"], Err(Unsupported::TooMany(4))),
        (&["gzip;q=1"], unknown("gzip;q=1")),
        (
            &["a-name-so-long-that-a-part-of-it-would-be-told"],
            Err(Unsupported::Unknown("a name of 46 bytes".into())),
        ),
    ];
    for (values, expected) in table {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(codings(&headers), expected, "{values:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_decoder(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        of in 0..5_usize,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        piece in 1..50_usize,
        pure: bool,
    ) {
        let codings: &[Coding] = match of {
            0 => &[Coding::Gzip],
            1 | 2 => &[Coding::Deflate],
            3 => &[Coding::Brotli],
            _ => &[Coding::Gzip, Coding::Brotli],
        };
        let mut stream = match of {
            _ if pure => bytes.clone(),
            0 => with_a_full_head(&bytes),
            1 => zlib(&bytes),
            2 => raw(&bytes),
            _ => BR.to_vec(),
        };
        for (at, flip) in flips {
            if !stream.is_empty() {
                let at = at.index(stream.len());
                stream[at] ^= flip;
            }
        }
        let found = within(codings, &stream, piece, 1 << 16, 200);
        prop_assert!(found.is_err() || found.is_ok_and(|found| found.len() <= 1 << 16));
    }
}
