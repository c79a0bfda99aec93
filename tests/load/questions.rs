//! Files of questions.

use domain::base::Rtype;

use crate::load::questions::{Question, parse};

#[test]
fn lines_are_read_as_dnsperf_reads_them() {
    let questions = parse("www.example.test A\n\n; a remark\na.test.\tTYPE65280\n").unwrap();
    let wanted = [("www.example.test.", Rtype::A), ("a.test.", Rtype::from_int(65280))];
    let wanted = wanted.map(|(name, rtype)| Question { name: name.parse().unwrap(), rtype });
    assert_eq!(questions, wanted);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, part) in [
        ("a.test A\nb.test", "line 2"),
        ("a.test NONSENSE", "not a type"),
        ("a..test A", "not a domain name"),
        ("; nothing\n", "no question"),
    ] {
        let error = format!("{:#}", parse(text).unwrap_err());
        assert!(error.contains(part), "{error}");
    }
}
