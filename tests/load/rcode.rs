//! Names of response codes.

use crate::load::rcode::parse;

#[test]
fn names_and_numbers_are_read() {
    assert_eq!(["nxdomain", "3", "RCODE15", "NOERROR"].map(parse), [Ok(3), Ok(3), Ok(15), Ok(0)]);
    assert!(parse("16").is_err() && parse("").is_err() && parse("NO").is_err());
}
