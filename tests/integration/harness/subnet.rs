//! Clients as resolvers tell of them: the EDNS Client Subnet of a query (RFC 7871), and what comes
//! back. The codec is hickory's; what it would not send is written by hand.

use hickory_proto::rr::RecordType;
use hickory_proto::rr::rdata::opt::{ClientSubnet, EdnsCode, EdnsOption};
use hickory_proto::serialize::binary::BinEncodable;

use super::dns::{Client, Question, Reply, Via, exchange, option};
use super::regions::letters;
use super::server::Server;

/// The octets of an option of code 8.
pub(crate) fn subnet_option(data: &[u8]) -> Vec<u8> {
    option(8, data)
}

/// A prefix as hickory sends it.
pub(crate) fn subnet(prefix: &str, scope: u8) -> ClientSubnet {
    let (address, len) = prefix.split_once('/').unwrap();
    ClientSubnet::new(address.parse().unwrap(), len.parse().unwrap(), scope)
}

/// The octets of an option that tells of clients in a prefix.
pub(crate) fn sent(prefix: &str) -> Vec<u8> {
    subnet_option(&subnet(prefix, 0).to_bytes().unwrap())
}

/// What hickory finds in the reply's one OPT record.
#[track_caller]
pub(crate) fn subnets(reply: &Reply) -> Vec<ClientSubnet> {
    let options = &reply.message.edns.as_ref().expect("an OPT").options().options;
    let subnet = |(_, option): &(EdnsCode, EdnsOption)| match option {
        EdnsOption::Subnet(subnet) => Some(*subnet),
        _ => None,
    };
    options.iter().filter_map(subnet).collect()
}

/// The one scope of a reply.
#[track_caller]
pub(crate) fn scope(reply: &Reply) -> u8 {
    match subnets(reply)[..] {
        [subnet] => subnet.scope_prefix(),
        ref others => panic!("one client subnet, not {others:?}"),
    }
}

/// The reply to a question in all ways: over UDP and TCP, to IPv4 and IPv6.
pub(crate) fn everywhere(server: &Server, question: &Question) -> Vec<(String, Reply)> {
    let ways = [Via::Udp, Via::Tcp].into_iter().flat_map(|v| [(v, server.v4), (v, server.v6)]);
    let ask = |(via, to)| (format!("{via:?} to {to}"), exchange(via, to, &question.wire(7)));
    ways.map(ask).collect()
}

/// The [letters] of the regions that clients in a prefix are answered, and the scope.
#[track_caller]
pub(crate) fn answered(
    client: &mut Client,
    name: &str,
    rtype: RecordType,
    prefix: &str,
) -> (String, u8) {
    let reply = client.ask(&Question::new(name, rtype).options(sent(prefix)));
    (letters(&reply), scope(&reply))
}
