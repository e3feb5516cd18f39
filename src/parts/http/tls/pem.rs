//! PEM (RFC 7468): blocks with a label, whatever stands between them.

use x509_parser::pem::Pem;

/// A block and what it is called.
pub(super) struct Block<'t> {
    pub(super) label: &'t str,
    /// With its first and last line.
    pub(super) text: &'t str,
}

/// The blocks of a text, in order. One without an end is none.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        rest = &rest[start..];
        let Some(label_end) = rest[BEGIN.len()..].find("-----") else { break };
        let label = &rest[BEGIN.len()..BEGIN.len() + label_end];
        let end_line = format!("-----END {label}-----");
        let Some(end) = rest.find(&end_line) else { break };
        let (block, after) = rest.split_at(end + end_line.len());
        found.push(Block { label, text: block });
        rest = after;
    }
    found
}

/// Whether a text has certificates in it and all of them can be read; else why not.
pub(super) fn check_certificates(text: &str) -> Result<(), String> {
    let mut count = 0;
    for block in blocks(text).iter().filter(|block| block.label == "CERTIFICATE") {
        count += 1;
        let parsed = Pem::iter_from_buffer(block.text.as_bytes())
            .next()
            .is_some_and(|pem| pem.is_ok_and(|pem| pem.parse_x509().is_ok()));
        if !parsed {
            return Err(format!("certificate {count} of the file cannot be read"));
        }
    }
    if count == 0 { Err("there is no certificate in the file".to_owned()) } else { Ok(()) }
}

/// A block of these bytes.
pub(super) fn write(label: &str, der: &[u8]) -> String {
    let text = crate::ground::encode::base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        // Base64 is ASCII.
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem + "-----END " + label + "-----\n"
}
