//! Host names in ASCII and in Unicode, as `node:url` and `node:punycode` have them, and the addresses of `node:net`.

use deno_core::{op2, url};
use deno_error::JsErrorBox;
use std::net::IpAddr;

/// What a label in ASCII begins with that stands for one in Unicode.
const PREFIX: &str = "xn--";

/// A host name in ASCII as the parser of URLs reads it; empty if it is none.
#[op2]
#[string]
pub fn op_node_idna_domain_to_ascii(#[string] domain: &str) -> String {
    let stripped = domain.replace(['\t', '\n', '\r'], "");
    let host = stripped.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    url::Host::parse(host).map_or_else(|_| String::new(), |host| host.to_string())
}

/// A host name in Unicode.
#[op2]
#[string]
pub fn op_node_idna_domain_to_unicode(#[string] domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

/// A host name in ASCII by the rules of names alone; empty if it is none.
#[op2]
#[string]
pub fn op_node_idna_to_ascii(#[string] domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_default()
}

/// The labels of a host name or of an e-mail address's host, each in Punycode if it is not ASCII.
///
/// # Errors
/// A label is too long.
#[op2]
#[string]
pub fn op_node_idna_punycode_to_ascii(#[string] domain: &str) -> Result<String, JsErrorBox> {
    by_label(domain, |label| {
        if label.is_ascii() {
            return Ok(label.to_owned());
        }
        let encoded = idna::punycode::encode_str(label);
        encoded.map(|encoded| format!("{PREFIX}{encoded}")).ok_or_else(invalid)
    })
}

/// The labels of a host name or of an e-mail address's host, those in Punycode as the text they stand for.
///
/// # Errors
/// A label is no Punycode.
#[op2]
#[string]
pub fn op_node_idna_punycode_to_unicode(#[string] domain: &str) -> Result<String, JsErrorBox> {
    by_label(domain, |label| match label.strip_prefix(PREFIX) {
        Some(encoded) => idna::punycode::decode_to_string(&encoded.to_lowercase()).ok_or_else(invalid),
        None => Ok(label.to_owned()),
    })
}

/// The text that Punycode stands for.
///
/// # Errors
/// It is none.
#[op2]
#[string]
pub fn op_node_idna_punycode_decode(#[string] text: &str) -> Result<String, JsErrorBox> {
    idna::punycode::decode_to_string(text).ok_or_else(invalid)
}

/// A text in Punycode.
///
/// # Errors
/// It is too long.
#[op2]
#[string]
pub fn op_node_idna_punycode_encode(#[string] text: &str) -> Result<String, JsErrorBox> {
    idna::punycode::encode_str(text).ok_or_else(invalid)
}

fn by_label(domain: &str, change: impl Fn(&str) -> Result<String, JsErrorBox>) -> Result<String, JsErrorBox> {
    let (local, host) = domain.split_once('@').map_or(("", domain), |(local, host)| (local, host));
    let labels: Vec<String> = host.split('.').map(change).collect::<Result<_, _>>()?;
    let host = labels.join(".");
    Ok(if domain.contains('@') { format!("{local}@{host}") } else { host })
}

fn invalid() -> JsErrorBox {
    JsErrorBox::range_error("Invalid input")
}

/// The usual text of an IP address, whose bytes are written to `bytes`: four of them for IPv4, sixteen for IPv6. Empty if the text is no
/// address of that family.
#[op2]
#[string]
pub fn op_ip_address(#[string] text: &str, #[buffer] bytes: &mut [u8]) -> String {
    let Ok(address) = text.parse() else { return String::new() };
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    if octets.len() != bytes.len() {
        return String::new();
    }
    bytes.copy_from_slice(&octets);
    address.to_string()
}
