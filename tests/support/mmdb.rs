//! Writes MMDB files: <https://maxmind.github.io/MaxMind-DB/>.
//!
//! What is written is plain: each prefix has a value; of two that overlap the longer wins.

use std::collections::HashMap;

use ipnet::IpNet;

/// A value of the data section.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Map(Vec<(String, Self)>),
    List(Vec<Self>),
    Text(String),
    Octets(Vec<u8>),
    Double(f64),
    Float(f32),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    I32(i32),
    Bool(bool),
}

impl Data {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

/// What a file is like.
#[derive(Debug, Clone)]
pub(crate) struct Mmdb {
    /// 4 or 6; in a file of version 6 IPv4 prefixes are at ::/96.
    pub(crate) ip_version: u16,
    /// Bits of a branch of the tree: 24, 28 or 32.
    pub(crate) record_size: u16,
    /// Whether mapped addresses, 6to4 and Teredo lead into the IPv4 part, as in MaxMind's files.
    pub(crate) aliases: bool,
    pub(crate) database_type: &'static str,
    /// Seconds since 1970.
    pub(crate) build_epoch: u64,
}

impl Default for Mmdb {
    fn default() -> Self {
        Self {
            ip_version: 6,
            record_size: 24,
            aliases: false,
            database_type: "Test",
            build_epoch: 1_700_000_000,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Branch {
    Nothing,
    Node(usize),
    /// How far into the data section.
    Data(usize),
}

/// The places that lead into the IPv4 part: mapped addresses, Teredo's servers, 6to4.
const ALIASES: [(u128, u8); 3] = [(0xFFFF << 32, 96), (0x2001_0000 << 96, 32), (0x2002 << 112, 16)];

impl Mmdb {
    /// The file in which these prefixes have these values.
    pub(crate) fn write(&self, entries: &[(IpNet, Data)]) -> Vec<u8> {
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by_key(|(prefix, _)| prefix.prefix_len());
        let mut data = Section::default();
        let mut known = HashMap::new();
        let mut nodes = vec![[Branch::Nothing; 2]];
        for (prefix, value) in sorted {
            let at = *known.entry(format!("{value:?}")).or_insert_with(|| data.value(value));
            let (key, length) = self.key(*prefix);
            insert(&mut nodes, key, length, Branch::Data(at));
        }
        if let Some(v4) = self.v4_part(&nodes) {
            for (key, length) in ALIASES {
                insert(&mut nodes, key, length, v4);
            }
        }
        let mut file = self.tree(&nodes);
        file.extend([0; 16]);
        file.extend(data.octets);
        file.extend(b"\xAB\xCD\xEFMaxMind.com");
        file.extend(self.metadata(nodes.len()));
        file
    }

    /// A prefix as a key of the tree, aligned to the left.
    fn key(&self, prefix: IpNet) -> (u128, u8) {
        match (prefix, self.ip_version) {
            (IpNet::V4(v4), 4) => (u128::from(u32::from(v4.network())) << 96, v4.prefix_len()),
            (IpNet::V4(v4), _) => (u128::from(u32::from(v4.network())), v4.prefix_len() + 96),
            (IpNet::V6(v6), 6) => (u128::from(v6.network()), v6.prefix_len()),
            (IpNet::V6(v6), _) => panic!("{v6} in a file for IPv4"),
        }
    }

    fn v4_part(&self, nodes: &[[Branch; 2]]) -> Option<Branch> {
        let mut branch = Branch::Node(0);
        for _ in 0..96 {
            let Branch::Node(node) = branch else { return None };
            branch = nodes[node][0];
        }
        let is_wanted = self.aliases && matches!(branch, Branch::Node(_));
        is_wanted.then_some(branch)
    }

    fn tree(&self, nodes: &[[Branch; 2]]) -> Vec<u8> {
        let number = |branch| match branch {
            Branch::Nothing => nodes.len(),
            Branch::Node(node) => node,
            Branch::Data(at) => nodes.len() + 16 + at,
        };
        let mut tree = Vec::new();
        for node in nodes {
            let [left, right] =
                node.map(|branch| u32::try_from(number(branch)).unwrap().to_be_bytes());
            match self.record_size {
                24 => tree.extend([&left[1..], &right[1..]].concat()),
                28 => {
                    assert!(left[0] < 16 && right[0] < 16, "too much data");
                    tree.extend(&left[1..]);
                    tree.push(left[0] << 4 | right[0]);
                    tree.extend(&right[1..]);
                }
                32 => tree.extend([left, right].concat()),
                size => panic!("a record size of {size}"),
            }
        }
        tree
    }

    fn metadata(&self, node_count: usize) -> Vec<u8> {
        let mut section = Section { is_plain: true, ..Section::default() };
        section.value(&Data::map([
            ("binary_format_major_version", Data::U16(2)),
            ("binary_format_minor_version", Data::U16(0)),
            ("build_epoch", Data::U64(self.build_epoch)),
            ("database_type", Data::text(self.database_type)),
            ("description", Data::map([("en", Data::text("invented, for tests"))])),
            ("ip_version", Data::U16(self.ip_version)),
            ("languages", Data::List(vec![Data::text("en")])),
            ("node_count", Data::U32(node_count.try_into().unwrap())),
            ("record_size", Data::U16(self.record_size)),
        ]));
        section.octets
    }
}

/// Sets a prefix, all of which was set alike before.
fn insert(nodes: &mut Vec<[Branch; 2]>, key: u128, length: u8, value: Branch) {
    let mut node = 0;
    if length == 0 {
        nodes[0] = [value; 2];
        return;
    }
    for depth in 0..length {
        let side = (key >> (127 - depth) & 1) as usize;
        if depth + 1 == length {
            nodes[node][side] = value;
            return;
        }
        node = match nodes[node][side] {
            Branch::Node(next) => next,
            above => {
                nodes.push([above; 2]);
                let next = nodes.len() - 1;
                nodes[node][side] = Branch::Node(next);
                next
            }
        };
    }
}

/// A data section while it is written.
#[derive(Default)]
struct Section {
    octets: Vec<u8>,
    /// Where each text is, which is pointed at when it comes again.
    texts: HashMap<String, usize>,
    /// Without pointers.
    is_plain: bool,
}

impl Section {
    /// Appends a value, and returns where it begins.
    fn value(&mut self, value: &Data) -> usize {
        let at = self.octets.len();
        match value {
            Data::Text(text) => self.text(text),
            Data::Map(entries) => {
                self.head(7, entries.len());
                for (key, value) in entries {
                    self.text(key);
                    self.value(value);
                }
            }
            Data::List(values) => {
                self.head(11, values.len());
                values.iter().for_each(|value| {
                    self.value(value);
                });
            }
            Data::Octets(octets) => self.plain(4, octets),
            Data::Double(number) => self.plain(3, &number.to_be_bytes()),
            Data::Float(number) => self.plain(15, &number.to_be_bytes()),
            Data::U16(number) => self.number(5, &number.to_be_bytes()),
            Data::U32(number) => self.number(6, &number.to_be_bytes()),
            Data::U64(number) => self.number(9, &number.to_be_bytes()),
            Data::U128(number) => self.number(10, &number.to_be_bytes()),
            Data::I32(number) => self.plain(8, &number.to_be_bytes()),
            Data::Bool(is_true) => self.head(14, usize::from(*is_true)),
        }
        at
    }

    fn text(&mut self, text: &str) {
        match self.texts.get(text) {
            Some(at) if !self.is_plain => self.pointer(*at),
            _ => {
                self.texts.insert(text.into(), self.octets.len());
                self.plain(2, text.as_bytes());
            }
        }
    }

    fn plain(&mut self, kind: u8, octets: &[u8]) {
        self.head(kind, octets.len());
        self.octets.extend(octets);
    }

    /// Without the zeros that come first.
    fn number(&mut self, kind: u8, octets: &[u8]) {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        self.plain(kind, &octets[zeros..]);
    }

    fn pointer(&mut self, to: usize) {
        // Each length begins where the one before ends; the longest holds the whole number.
        let (length, to) = match to {
            0..2048 => (1, to),
            2048..526_336 => (2, to - 2048),
            526_336..134_744_064 => (3, to - 526_336),
            _ => (4, to),
        };
        let octets = u32::try_from(to).unwrap().to_be_bytes();
        let (high, rest) = octets.split_at(4 - length);
        let high = high.last().copied().unwrap_or(0);
        self.octets.push(1 << 5 | ((length - 1) as u8) << 3 | high);
        self.octets.extend(rest);
    }

    fn head(&mut self, kind: u8, size: usize) {
        let (short, more) = match size {
            0..29 => (size, vec![]),
            29..285 => (29, vec![size - 29]),
            285..65_821 => (30, vec![(size - 285) >> 8, size - 285]),
            _ => (31, vec![(size - 65_821) >> 16, (size - 65_821) >> 8, size - 65_821]),
        };
        if kind > 7 {
            self.octets.extend([short as u8, kind - 7]);
        } else {
            self.octets.push(kind << 5 | short as u8);
        }
        self.octets.extend(more.iter().map(|part| *part as u8));
    }
}

/// What is said of the clients of a prefix, in any schema.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Client {
    pub(crate) continent: Option<&'static str>,
    pub(crate) country: Option<&'static str>,
    /// The code behind the country, and the name.
    pub(crate) subdivision: Option<(&'static str, &'static str)>,
    /// Degrees north and east.
    pub(crate) location: Option<(f64, f64)>,
    pub(crate) asn: Option<u32>,
}

impl Client {
    /// As MaxMind has it in its databases of cities, of countries, and of systems.
    pub(crate) fn nested(&self) -> Data {
        let code = |key, code: &str| Data::map([(key, Data::text(code))]);
        let mut map = Vec::new();
        let mut add = |key: &str, value| map.push((key.to_owned(), value));
        if let Some(continent) = self.continent {
            add("continent", code("code", continent));
        }
        if let Some(country) = self.country {
            add("country", code("iso_code", country));
        }
        if let Some((latitude, longitude)) = self.location {
            let degrees = [("latitude", latitude), ("longitude", longitude)];
            add("location", Data::map(degrees.map(|(key, value)| (key, Data::Double(value)))));
        }
        if let Some((iso_code, name)) = self.subdivision {
            let names = Data::map([("en", Data::text(name))]);
            let largest = Data::map([("iso_code", Data::text(iso_code)), ("names", names)]);
            add("subdivisions", Data::List(vec![largest, code("iso_code", "ZZZ")]));
        }
        if let Some(asn) = self.asn {
            add("autonomous_system_number", Data::U32(asn));
        }
        Data::Map(map)
    }

    /// As ip-location-db has it: what is not known is an empty text.
    pub(crate) fn flat(&self) -> Data {
        let mut map = vec![
            ("country_code".to_owned(), Data::text(self.country.unwrap_or(""))),
            ("state1".to_owned(), Data::text(self.subdivision.map_or("", |(_, name)| name))),
        ];
        if let Some((latitude, longitude)) = self.location {
            map.push(("latitude".to_owned(), Data::Float(latitude as f32)));
            map.push(("longitude".to_owned(), Data::Float(longitude as f32)));
        }
        if let Some(asn) = self.asn {
            map.push(("autonomous_system_number".to_owned(), Data::U32(asn)));
        }
        Data::Map(map)
    }
}
