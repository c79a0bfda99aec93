//! Response codes by name (IANA's registry), as far as a header alone can tell.

const NAMES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// How many there are.
pub(crate) const COUNT: usize = 16;

/// A code's name, or its number.
pub(crate) fn name(rcode: u8) -> String {
    NAMES.get(usize::from(rcode)).map_or_else(|| format!("RCODE{rcode}"), ToString::to_string)
}

/// A code by its name or number.
pub(crate) fn parse(text: &str) -> Result<u8, String> {
    let codes = 0..COUNT as u8;
    let is = |code: &u8| name(*code).eq_ignore_ascii_case(text) || text == code.to_string();
    codes.into_iter().find(is).ok_or_else(|| "not a response code of a DNS header".into())
}
