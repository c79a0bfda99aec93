//! DNAME: what is below it, what is not, and where it ends (RFC 6672).

use hickory_proto::rr::RecordType::{self, A, AAAA, CNAME, MX, TXT};
use rstest::rstest;

use crate::example::everywhere;
use crate::harness::{Question, Reply, Server, Site};

const ZONE: &str = "$TTL 300
@ 3600 SOA ns h 1 2 3 4 60
@ NS ns
ns A 192.0.2.53
d 77 DNAME e
d A 192.0.2.1
a.e A 192.0.2.2
alias.e CNAME again.d
again.e A 192.0.2.3
back.e CNAME d
app.e TXT \"beside a dynamic record\"
*.wild.e A 192.0.2.4
cut.e NS ns.cut.e
ns.cut.e A 192.0.2.5
d2 DNAME d
into DNAME deeper.into
self DNAME self
ping DNAME pong
pong DNAME ping
out DNAME elsewhere.test.
long DNAME LONGEST
";

fn server() -> Server {
    let site = Site::new(
        r#"
[zones."example.test"]
file = "zone"
[regions.solo]
addresses = ["192.0.2.100"]
[[records]]
name = "app.e.example.test"
policy = "solo"
ttl = 30
[[records]]
name = "*.any.e.example.test"
policy = "solo"
ttl = 30
"#,
    );
    // 215 octets of labels and the zone's 14: a name below gets 26 octets at most.
    let longest = ["x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(22)].join(".");
    site.write("zone", &ZONE.replace("LONGEST", &longest));
    site.serve()
}

/// A reply in one line: DNAME data, which the codec does not know, and SOA data left out.
fn line(reply: &Reply) -> String {
    let text = reply.text().replace(".example.test.", "").replace("example.test.", "@");
    let short = |line: &str| {
        let is_long = |part: &&str| line.contains(part);
        match [" SOA ", " DNAME "].iter().find(|part| is_long(part)) {
            Some(part) => line.split(*part).next().unwrap_or_default().to_owned() + part.trim_end(),
            None => line.to_owned(),
        }
    };
    text.lines().map(short).collect::<Vec<_>>().join(" | ")
}

#[rstest]
#[case::rfc6672_3_2_and_on(
    "a.d",
    A,
    "NoError aa | an d 77 DNAME | an a.d 77 CNAME a.e | an a.e 300 A 192.0.2.2"
)]
#[case::rfc6672_2_3_the_owner_itself("d", A, "NoError aa | an d 300 A 192.0.2.1")]
#[case::rfc6672_2_3_the_owner_lacks_a_type("d", MX, "NoError aa | ns @ 60 SOA")]
#[case::rfc6604_3_to_no_name(
    "nosuch.d",
    A,
    "NXDomain aa | an d 77 DNAME | an nosuch.d 77 CNAME nosuch.e | ns @ 60 SOA"
)]
#[case::rfc2308_2_2_to_no_data(
    "a.d",
    TXT,
    "NoError aa | an d 77 DNAME | an a.d 77 CNAME a.e | ns @ 60 SOA"
)]
#[case::rfc4343_4_1_in_the_case_of_the_question(
    "A.D",
    A,
    "NoError aa | an D 77 DNAME | an A.D 77 CNAME A.e | an A.e 300 A 192.0.2.2"
)]
#[case::rfc6672_3_2_the_cname_itself(
    "a.d",
    CNAME,
    "NoError aa | an d 77 DNAME | an a.d 77 CNAME a.e"
)]
#[case::to_a_wildcard(
    "b.wild.d",
    A,
    "NoError aa | an d 77 DNAME | an b.wild.d 77 CNAME b.wild.e | an b.wild.e 300 A 192.0.2.4"
)]
#[case::to_below_a_cut(
    "b.cut.d",
    A,
    "NoError aa | an d 77 DNAME | an b.cut.d 77 CNAME b.cut.e | ns cut.e 300 NS ns.cut.e | \
     ar ns.cut.e 300 A 192.0.2.5"
)]
#[case::to_a_dynamic_record(
    "app.d",
    A,
    "NoError aa | an d 77 DNAME | an app.d 77 CNAME app.e | an app.e 30 A 192.0.2.100"
)]
#[case::to_a_family_that_it_lacks(
    "app.d",
    AAAA,
    "NoError aa | an d 77 DNAME | an app.d 77 CNAME app.e | ns @ 30 SOA"
)]
#[case::to_a_dynamic_wildcard(
    "x.any.d",
    A,
    "NoError aa | an d 77 DNAME | an x.any.d 77 CNAME x.any.e | an x.any.e 30 A 192.0.2.100"
)]
#[case::out_of_the_zone(
    "a.out",
    A,
    "NoError aa | an out 300 DNAME | an a.out 300 CNAME a.elsewhere.test."
)]
#[case::one_after_the_other(
    "a.d2",
    A,
    "NoError aa | an d2 300 DNAME | an a.d2 300 CNAME a.d | an d 77 DNAME | an a.d 77 CNAME a.e | \
     an a.e 300 A 192.0.2.2"
)]
#[case::rfc2181_5_twice_on_the_way_and_once_in_the_reply(
    "alias.d",
    A,
    "NoError aa | an d 77 DNAME | an alias.d 77 CNAME alias.e | an alias.e 300 CNAME again.d | \
     an again.d 77 CNAME again.e | an again.e 300 A 192.0.2.3"
)]
#[case::rfc2181_5_asked_for_and_on_the_way(
    "back.d",
    RecordType::Unknown(39),
    "NoError aa | an d 77 DNAME | an back.d 77 CNAME back.e | an back.e 300 CNAME d"
)]
#[case::to_itself("a.self", A, "NoError aa | an self 300 DNAME | an a.self 300 CNAME a.self")]
#[case::to_one_another(
    "a.ping",
    A,
    "NoError aa | an ping 300 DNAME | an a.ping 300 CNAME a.pong | an pong 300 DNAME | \
     an a.pong 300 CNAME a.ping"
)]
#[case::into_its_own_subtree(
    "a.into",
    A,
    "NoError aa | an into 300 DNAME | an a.into 300 CNAME a.deeper.into"
)]
fn a_question_and_its_answer(#[case] name: &str, #[case] rtype: RecordType, #[case] wanted: &str) {
    let server = server();
    for (way, reply) in everywhere(&server, &Question::new(&format!("{name}.example.test."), rtype))
    {
        assert_eq!(line(&reply), wanted, "{way}");
    }
}

#[rstest]
#[case::rfc6672_2_2_just_fits(25, "NXDomain")]
#[case::rfc6672_2_2_too_long(26, "YXDomain")]
fn rfc6672_2_2_the_length_of_a_name(#[case] len: usize, #[case] rcode: &str) {
    let server = server();
    let name = format!("{}.long.example.test.", "a".repeat(len));
    for (way, reply) in everywhere(&server, &Question::a(&name)) {
        if reply.message.metadata.truncation {
            assert!(way.contains("EDNS None"), "{way}: three long names need more than 512 octets");
            continue;
        }
        let line = line(&reply);
        assert!(line.starts_with(&format!("{rcode} aa | an long 300 DNAME")), "{way}: {line}");
        assert_eq!(line.contains("CNAME"), rcode == "NXDomain", "{way}: {line}");
        assert_eq!(line.contains("SOA"), rcode == "NXDomain", "{way}: {line}");
    }
}
