//! The zones of the fixtures behind a server, and a question asked of it in every way.

use hickory_proto::op::{MessageType, OpCode};

use crate::harness::{Question, Reply, Server, Site, Via, exchange};

/// The zones of the fixtures, a chain of a hundred aliases that ends where it starts, and dynamic
/// records beside them.
pub(crate) fn example() -> Server {
    let site = Site::new(
        r#"
[zones."example.test"]
file = "example.test.zone"
[zones."second.test"]
file = "second.test.zone"
[regions.solo]
addresses = ["192.0.2.100"]
[[records]]
name = "app.example.test"
policy = "solo"
ttl = 30
[[records]]
name = "*.dynamic.example.test"
policy = "solo"
ttl = 30
"#,
    );
    let mut zone = include_str!("../fixtures/zones/example.test.zone").to_owned();
    for number in 0..100 {
        zone += &format!("loop{number} CNAME loop{}\n", (number + 1) % 100);
    }
    site.write("example.test.zone", &zone);
    site.write("second.test.zone", include_str!("../fixtures/zones/second.test.zone"));
    site.serve()
}

/// A question in every way that there is to ask it. What holds for any reply is checked here.
pub(crate) fn everywhere(server: &Server, question: &Question) -> Vec<(String, Reply)> {
    let mut replies = Vec::new();
    let mut id = 0x4000;
    for (via, to) in [Via::Udp, Via::Tcp].into_iter().flat_map(|v| [(v, server.v4), (v, server.v6)])
    {
        for (edns, rd) in [(None, false), (None, true), (Some(1232), false), (Some(4096), true)] {
            id += 1;
            let request = Question { edns, rd, ..question.clone() }.wire(id);
            let reply = exchange(via, to, &request);
            let way = format!("{via:?} to {to}, EDNS {edns:?}, RD {rd}");
            assert_header(&request, &reply, rd, &way);
            assert_opt(&reply, edns, &way);
            replies.push((way, reply));
        }
    }
    replies
}

/// RFC 1035 section 4.1.1 and RFC 8906 section 3: what was asked comes back.
fn assert_header(request: &[u8], reply: &Reply, rd: bool, way: &str) {
    let header = &reply.message.metadata;
    assert_eq!(request[..2], reply.octets[..2], "id: {way}");
    assert_eq!(header.message_type, MessageType::Response, "{way}");
    assert_eq!(header.op_code, OpCode::Query, "{way}");
    assert_eq!(header.recursion_desired, rd, "RD is copied: {way}");
    assert!(!header.recursion_available, "RA: {way}");
    assert!(!header.authentic_data && !header.checking_disabled, "AD, CD: {way}");
    assert_eq!(question_of(request), question_of(&reply.octets), "the question: {way}");
}

/// RFC 6891 section 6.1.1: an OPT in the reply if, and only if, one came.
fn assert_opt(reply: &Reply, edns: Option<u16>, way: &str) {
    assert_eq!(reply.message.edns.is_some(), edns.is_some(), "OPT: {way}");
    if let Some(opt) = &reply.message.edns {
        assert_eq!((opt.version(), opt.max_payload()), (0, 1232), "{way}");
    }
}

/// The octets of the one question, type and class included.
fn question_of(message: &[u8]) -> &[u8] {
    assert_eq!(message[4..6], [0, 1], "QDCOUNT");
    let mut end = 12;
    while message[end] != 0 {
        end += usize::from(message[end]) + 1;
    }
    &message[12..end + 5]
}
