//! Who gives the command, where the server does not know it from a token.

/// The longest, in characters, that a server takes.
const LONGEST: usize = 128;

/// `USER@HOST`: who is logged in, and on which machine. Behind sudo it is who called it.
#[expect(clippy::disallowed_methods, reason = "who is logged in is known by the environment alone")]
pub(super) fn actor() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|user| !user.trim().is_empty());
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(named);
    let user = user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    tidy(&format!("{user}@{host}"))
}

/// Without what no name has, and no longer than one may be.
fn tidy(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_it_is_has_a_name_and_a_host() {
        let actor = actor();
        let (user, host) = actor.split_once('@').unwrap();
        assert!(!user.is_empty() && !host.is_empty(), "{actor}");
    }

    #[test]
    fn names_are_such_that_a_header_can_carry_them() {
        assert_eq!(tidy(" alice\r\n@ops\x1b[2J "), "alice@ops[2J");
        assert_eq!(tidy(&"ä".repeat(300)).chars().count(), LONGEST);
    }
}
