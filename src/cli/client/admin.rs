//! The address of an admin server, as operators write it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// Where an admin server is: a URL, below which its API lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Admin {
    url: Url,
}

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum NotAdmin {
    #[error("wanted a URL like http://127.0.0.1:9953 or https://ns1.example.net:9953")]
    NoUrl,
    #[error("wanted a URL with its scheme: http://{0} or https://{0}")]
    NoScheme(String),
    #[error("wanted http or https, not {0}")]
    Scheme(String),
    #[error("a token goes into a file (--token-file), not into the URL")]
    Secret,
    #[error("wanted nothing behind the address and its path, such as {0:?}")]
    Rest(String),
}

impl Admin {
    /// The URL of something of the API: `["overrides", "7"]` of `/api/v1/overrides/7`.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Whether it is on this machine, which no proxy leads to.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether what is sent can be read on the way.
    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }
}

impl FromStr for Admin {
    type Err = NotAdmin;

    fn from_str(text: &str) -> Result<Self, NotAdmin> {
        let text = text.trim();
        let url = match text.parse::<Url>() {
            // `localhost:9953` is read as a URL of the scheme localhost.
            _ if !text.contains("://") && !text.is_empty() => {
                return Err(NotAdmin::NoScheme(text.into()));
            }
            Ok(url) => url,
            Err(_) => return Err(NotAdmin::NoUrl),
        };
        match url.scheme() {
            "http" | "https" => {}
            other => return Err(NotAdmin::Scheme(other.into())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAdmin::Secret);
        }
        let rest = url.query().map(|query| format!("?{query}"));
        if let Some(rest) = rest.or_else(|| url.fragment().map(|part| format!("#{part}"))) {
            return Err(NotAdmin::Rest(rest));
        }
        Ok(Self { url })
    }
}

impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin(text: &str) -> Admin {
        text.parse().unwrap()
    }

    #[test]
    fn the_api_lies_below_the_url() {
        let url = |base: &str, path: &[&str]| admin(base).url(path, &[]).to_string();
        assert_eq!(
            url("http://127.0.0.1:9953", &["status"]),
            "http://127.0.0.1:9953/api/v1/status"
        );
        assert_eq!(url("https://h/ns1/", &["a"]), "https://h/ns1/api/v1/a");
        assert_eq!(
            url("https://h/ns1", &["records", "*.a/b?c"]),
            "https://h/ns1/api/v1/records/*.a%2Fb%3Fc"
        );
        let query = [("region", "a&b".to_string()), ("after", "7".to_string())];
        let url = admin("http://[::1]:80").url(&["events"], &query);
        assert_eq!(url.as_str(), "http://[::1]/api/v1/events?region=a%26b&after=7");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is() {
        let error = |text: &str| text.parse::<Admin>().unwrap_err();
        assert_eq!(error(""), NotAdmin::NoUrl);
        assert_eq!(error("http://"), NotAdmin::NoUrl);
        assert_eq!(error("localhost:9953"), NotAdmin::NoScheme("localhost:9953".into()));
        assert_eq!(error("127.0.0.1"), NotAdmin::NoScheme("127.0.0.1".into()));
        assert_eq!(error("ftp://h"), NotAdmin::Scheme("ftp".into()));
        assert_eq!(error("https://alice:x@h"), NotAdmin::Secret);
        assert_eq!(error("https://h/?a=1"), NotAdmin::Rest("?a=1".into()));
        assert_eq!(error("https://h/#b"), NotAdmin::Rest("#b".into()));
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for text in
            ["http://127.0.0.1:9953", "http://[::1]:1", "https://LOCALHOST", "http://127.9.9.9"]
        {
            assert!(admin(text).is_loopback(), "{text}");
        }
        for text in ["http://192.0.2.1", "https://localhost.example.net", "http://[2001:db8::1]"] {
            assert!(!admin(text).is_loopback(), "{text}");
        }
        assert_eq!(admin("http://h:9953/").to_string(), "http://h:9953");
    }
}
