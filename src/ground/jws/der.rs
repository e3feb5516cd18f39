//! The little of DER (X.690) that keys are wrapped in: enough to look into PKCS#8 (RFC 5958), SEC 1
//! (RFC 5915) and `SubjectPublicKeyInfo` (RFC 5280), since the crate that signs wants the bare key.

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// The parameters inside an `ECPrivateKey`.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// The public key inside an `ECPrivateKey`.
pub(super) const CONTEXT_1: u8 = 0xa1;

/// Reads one element after the other.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next element, where it has that tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        if *found != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The elements inside the next one, where it has that tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Elements)
    }

    /// The next integer without the zeros in front of it.
    pub(super) fn unsigned(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(&bytes[zeros..])
    }

    /// The next bit string, where it is one of whole bytes.
    pub(super) fn bits(&mut self) -> Option<&'a [u8]> {
        self.take(BIT_STRING)?.strip_prefix(&[0])
    }
}

/// A definite length of at most four bytes, and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_only_where_it_is_whole() {
        let table: [(&[u8], Option<&[u8]>); 7] = [
            (&[2, 1, 7], Some(&[7])),
            (&[2, 0x81, 1, 7], Some(&[7])),
            (&[2, 2, 0, 7], Some(&[7])),
            (&[2, 2, 7], None),
            (&[2, 0x80, 7, 0, 0], None),
            (&[2, 0x85, 0, 0, 0, 0, 1, 7], None),
            (&[], None),
        ];
        for (bytes, expected) in table {
            assert_eq!(Elements(bytes).unsigned(), expected, "{bytes:?}");
        }
    }
}
