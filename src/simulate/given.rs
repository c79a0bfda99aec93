//! A mix of clients as a text: lines of `record,client,share`.

use ipnet::IpNet;

use crate::wire::Name;

/// A part of what is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line that it stands on, from 1.
    pub line: usize,
    /// The record; `None`: each of them the same part.
    pub record: Option<Name>,
    /// From where; `None`: of all classes of clients alike.
    pub client: Option<IpNet>,
    /// How much, in any unit that is the same for all rows; 0 or above.
    pub share: f64,
}

/// Reads the rows. Empty lines, what stands behind `#`, and a first line `record,client,share` say
/// nothing.
///
/// # Errors
/// For each line that cannot be read a sentence.
pub fn read(text: &str) -> Result<Vec<Row>, Vec<String>> {
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (line, content) in text.lines().enumerate() {
        let content = content.split('#').next().unwrap_or_default();
        let (line, content) = (line + 1, content.trim());
        let head = line == 1 && content.replace(' ', "") == "record,client,share";
        if content.is_empty() || head {
            continue;
        }
        match row(line, content) {
            Ok(row) => rows.push(row),
            Err(why) => wrong.push(format!("line {line}: {why}")),
        }
    }
    if rows.is_empty() && wrong.is_empty() {
        wrong.push("there is no row in it: wanted lines of record,client,share".into());
    }
    if wrong.is_empty() { Ok(rows) } else { Err(wrong) }
}

fn row(line: usize, content: &str) -> Result<Row, String> {
    let fields: Vec<&str> = content.split(',').map(str::trim).collect();
    let [record, client, share] = fields.as_slice() else {
        return Err(format!("{} fields, wanted record,client,share", fields.len()));
    };
    let record = match *record {
        "*" => None,
        name => {
            let read = Name::from_text(name);
            Some(read.map_err(|_| format!("{name:?} is no domain name, nor * for all records"))?)
        }
    };
    let client = match *client {
        "*" => None,
        text => {
            let alone = || Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?));
            let prefix = text.parse::<IpNet>().ok().or_else(alone);
            let why = || format!("{text:?} is no address, no prefix, nor * for all clients");
            Some(prefix.ok_or_else(why)?.trunc())
        }
    };
    let number = share.parse::<f64>().ok().filter(|share| (0.0..=1e15).contains(share));
    let share = number.ok_or_else(|| format!("{share:?} is no share: a number from 0 to 1e15"))?;
    Ok(Row { line, record, client, share })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_every_mistake_is_told() {
        let text = "record,client,share\n# ours\n\n*, 192.0.2.77/24, 70\napp.example.com,2001:db8::1,0.5 # half\n*,*,1\n";
        let rows = read(text).unwrap();
        let client = |at: usize| rows[at].client.map(|client| client.to_string());
        assert_eq!(client(0).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(client(1).as_deref(), Some("2001:db8::1/128"));
        assert_eq!(
            (rows[0].record.is_none(), rows[1].record.is_some(), client(2)),
            (true, true, None)
        );
        assert_eq!((rows[0].line, rows[1].share), (4, 0.5));
        let wrong = read("a,b\n*,here,1\n*,*,-1\n*,*,nan\n..,*,1\n").unwrap_err();
        assert_eq!(
            wrong,
            [
                "line 1: 2 fields, wanted record,client,share",
                "line 2: \"here\" is no address, no prefix, nor * for all clients",
                "line 3: \"-1\" is no share: a number from 0 to 1e15",
                "line 4: \"nan\" is no share: a number from 0 to 1e15",
                "line 5: \"..\" is no domain name, nor * for all records",
            ]
        );
        assert!(read("# nothing\n").unwrap_err()[0].starts_with("there is no row"));
    }
}
