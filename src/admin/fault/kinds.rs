//! Every kind of problem that the API tells of, in one table. Codes are for programs, and stay.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What programs go by.
    pub code: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// It in a few words, the same each time.
    pub title: &'static str,
    /// When it comes, and what to do.
    pub meaning: &'static str,
}

/// Writes each kind once, as a constant and in the list of all.
macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal, $title:literal, $meaning:literal;)*) => {
        $(pub(in crate::admin) const $name: &Kind =
            &Kind { code: $code, status: $status, title: $title, meaning: $meaning };)*
        /// All kinds, by status.
        pub const KINDS: &[&Kind] = &[$($name),*];
    };
}

kinds! {
    BAD_JSON = 400 "bad_json", "The body is not JSON",
        "line and column say where it stops being JSON.";
    BAD_HEADER = 400 "bad_header", "A header cannot be taken",
        "header names it.";
    BAD_PARAMETER = 400 "bad_parameter", "A parameter of the URL cannot be taken",
        "parameter names it.";
    TOKEN_MISSING = 401 "token_missing", "A token is needed",
        "Send Authorization: Bearer TOKEN, with a token of admin.token_file, or where a region reports itself of the check's own.";
    TOKEN_WRONG = 401 "token_wrong", "The token is not known",
        "It is in no line of admin.token_file (where a region reports itself: of the check's), as that was read last.";
    READ_ONLY = 403 "read_only", "The token may only read",
        "Its role is read; changes want a token with the role operate.";
    WRONG_HOST = 403 "wrong_host", "The request names another host",
        "Without tokens the server answers to localhost and loopback addresses alone, so that no page in a browser gets at it through a name of its own.";
    WRONG_ORIGIN = 403 "wrong_origin", "The request comes from another site",
        "A browser sent it for a page of another origin than this server's.";
    NOT_FOUND = 404 "not_found", "There is nothing here",
        "/api/v1/openapi.json has all paths.";
    UNKNOWN_REGION = 404 "unknown_region", "There is no such region",
        "";
    UNKNOWN_RECORD = 404 "unknown_record", "There is no such record",
        "";
    UNKNOWN_OVERRIDE = 404 "unknown_override", "There is no such override",
        "It has never been there, or has ended.";
    NOTHING_TO_END = 404 "nothing_to_end", "There is nothing to end",
        "No override is as the command says; there may have been one that has ended by itself.";
    UNKNOWN_PLAN = 404 "unknown_plan", "There is no such plan under way",
        "It has never been there, or is over: GET /plans has both.";
    NOTHING_PUSHED = 404 "unknown_push", "Nobody listens to that region",
        "No check of the type push of that name is in use for a region of that name.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "The path does not take this method",
        "The header Allow has those that it takes.";
    BODY_TIMEOUT = 408 "body_timeout", "The body did not come in time",
        "It must be there within 10 seconds.";
    NOTHING_LEFT = 409 "nothing_left", "Records would be left with nothing",
        "The command would leave records with nothing but drained or down pools, and was not done. records has at most 20 of them, count says how many there are. With force it is done all the same.";
    NOT_NOW = 409 "not_now", "It cannot be done as things are",
        "Another plan is in the way, a region is not well, or a plan is not so far.";
    OVER_CAPACITY = 409 "over_capacity", "A region would bear more than it can",
        "The command would push regions over their capacities, and was not done. regions has them with their loads, demand is the load of all together. With force it is done all the same.";
    TOO_MANY = 409 "too_many_overrides", "There are as many overrides as there may be",
        "End some of them first.";
    BODY_TOO_LARGE = 413 "body_too_large", "The body is too large",
        "It may have 1 MiB.";
    WRONG_MEDIA_TYPE = 415 "wrong_media_type", "The body is not said to be JSON",
        "Send Content-Type: application/json.";
    INVALID_VALUE = 422 "invalid_value", "A value cannot be taken",
        "field says which, where it is one alone.";
    NO_PLACE = 422 "no_place", "A region cannot answer in the place of another",
        "records has at most 20 of the records in which it cannot: they list endpoints, and none for it.";
    NO_PART = 422 "no_part", "The region has no part in the record",
        "The record is not answered from it, so nothing can be forced there.";
    KEY_REUSED = 422 "idempotency_key_reused", "The idempotency key was used for another command",
        "Use a new key for each command, and the same one only to send it again.";
    CONFIGURATION_REFUSED = 422 "configuration_refused", "The configuration has problems",
        "problems has each of them as a line. What was in force stays in force.";
    TOO_MANY_GUESSES = 429 "too_many_guesses", "Too many wrong tokens",
        "No token of this client is looked at until the seconds of the header Retry-After are over.";
    INTERNAL = 500 "internal", "A fault of the server",
        "The log says more. Please report it.";
    TIMED_OUT = 503 "timed_out", "It took too long",
        "A change may yet be made: send it again with the same Idempotency-Key to learn of it.";
    NOT_STORED = 503 "not_stored", "The command could not be stored",
        "Nothing was done. The state directory cannot be written to.";
    GONE = 503 "unavailable", "The part that answers this has ended",
        "Answers to DNS go on from the last health known. Restart the server.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn codes_and_what_they_come_with_stay() {
        let mut table = String::new();
        for kind in KINDS {
            let Kind { code, status, title, .. } = kind;
            let _ = writeln!(table, "{status} {code}: {title}");
        }
        insta::assert_snapshot!("codes", table);
        let codes: HashSet<_> = KINDS.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), KINDS.len(), "each code once");
        assert!(KINDS.is_sorted_by_key(|kind| kind.status), "by status");
        let snake = |code: &str| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(codes.iter().all(|code| snake(code)));
    }

    #[test]
    fn every_code_is_documented() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
        let text = std::fs::read_to_string(path).unwrap();
        for Kind { code, status, title, .. } in KINDS {
            let row = format!("| {status} | `{code}` | {title}");
            assert!(text.contains(&row), "docs/api.md has no row {row:?}");
        }
    }
}
