//! Several zones side by side, with and without a file.

use hickory_proto::rr::RecordType::{A, AAAA, NS, SOA, TXT};

use crate::example::{everywhere, example};
use crate::harness::{Question, Site};

#[test]
fn each_zone_answers_for_its_own_names() {
    let server = example();
    let wanted = "NoError aa\nan www.second.test. 300 A 192.0.2.81";
    for (way, reply) in everywhere(&server, &Question::a("www.second.test")) {
        assert_eq!(reply.text(), wanted, "{way}");
    }
    let text = server.ask("nosuch.second.test", A).text();
    assert!(
        text.starts_with("NXDomain aa\nns second.test. 300 SOA "),
        "min(SOA TTL 300, MINIMUM 900): {text}"
    );
}

#[test]
fn a_zone_without_a_file_has_what_its_configuration_says() {
    let site = Site::new(
        r#"
[zones."gslb.test"]
nameservers = { "ns1.gslb.test" = ["192.0.2.53", "2001:db8::53"], "ns2.elsewhere.test" = [] }
hostmaster = "ops@gslb.test"
negative_ttl = 17
[regions.solo]
addresses = ["192.0.2.100"]
[[records]]
name = "app.gslb.test"
policy = "solo"
ttl = 30
"#,
    );
    let server = site.serve();
    let soa = server.ask("gslb.test", SOA);
    let (_, data) = soa.text().split_once(" SOA ").map(|(a, b)| (a.len(), b.to_owned())).unwrap();
    let fields: Vec<&str> = data.split(' ').collect();
    assert_eq!(fields[1], "ops.gslb.test.", "{data}");
    assert_eq!(fields[6], "17", "MINIMUM: {data}");
    assert!(["ns1.gslb.test.", "ns2.elsewhere.test."].contains(&fields[0]), "{data}");

    let mut names: Vec<_> = (server.ask("gslb.test", NS).message.answers.iter())
        .map(|record| record.data.to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["ns1.gslb.test.", "ns2.elsewhere.test."]);
    assert_eq!(
        server.ask("ns1.gslb.test", A).addresses(),
        ["192.0.2.53".parse::<std::net::IpAddr>().unwrap()]
    );
    assert_eq!(server.ask("ns1.gslb.test", AAAA).addresses().len(), 1);
    assert_eq!(
        server.ask("app.gslb.test", A).text(),
        "NoError aa\nan app.gslb.test. 30 A 192.0.2.100"
    );
    for (name, rtype, start) in [
        ("app.gslb.test", TXT, "NoError aa\nns gslb.test. 17 SOA "),
        ("nosuch.gslb.test", A, "NXDomain aa\nns gslb.test. 17 SOA "),
    ] {
        let text = server.ask(name, rtype).text();
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn the_deepest_zone_answers() {
    let site = Site::new("[zones.\"deep.site.test\"]\nfile = \"deep\"\n");
    site.write(
        "deep",
        "$TTL 60\n@ SOA ns1.site.test. h 1 1 1 1 60\n NS ns1.site.test.\nwww A 192.0.2.7\n",
    );
    let server = site.serve();
    let text = server.ask("www.deep.site.test", A).text();
    assert_eq!(text, "NoError aa\nan www.deep.site.test. 60 A 192.0.2.7");
    let text = server.ask("x.deep.site.test", A).text();
    assert!(text.starts_with("NXDomain aa\nns deep.site.test. 60 SOA "), "{text}");
    let text = server.ask("x.site.test", A).text();
    assert!(text.starts_with("NXDomain aa\nns site.test. 60 SOA "), "{text}");
}
