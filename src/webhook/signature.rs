//! Signatures by the scheme of Standard Webhooks, version 1 (<https://www.standardwebhooks.com>): an HMAC
//! with SHA-256 of the message's id, the time of sending and the body.

use domain::utils::base64;
use ring::hmac;

/// A secret that messages are signed with.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// The octets that the scheme allows.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

    /// Reads it as it is written: base64, with `whsec_` before it or not; `None`: it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let octets = base64::decode::<Vec<u8>>(text).ok()?;
        Self::LENGTHS
            .contains(&octets.len())
            .then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &octets)))
    }
}

/// The value of the header `webhook-signature`: one signature a secret, so that a receiver that knows
/// either of two takes the message. `time` is in seconds since 1970.
pub(super) fn signatures(secrets: &[Secret], id: &str, time: u64, body: &[u8]) -> String {
    let signed = secrets.iter().map(|Secret(key)| {
        let mut context = hmac::Context::with_key(key);
        for part in [id.as_bytes(), b".", time.to_string().as_bytes(), b".", body] {
            context.update(part);
        }
        format!("v1,{}", base64::encode_string(context.sign().as_ref()))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = signatures(
            std::slice::from_ref(&secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        let other = Secret::parse(&"MTIz".repeat(8)).unwrap();
        let both = signatures(&[secret, other], "a", 1, b"b");
        assert_eq!(both.split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
    }

    #[test]
    fn what_is_too_short_or_no_base64_is_no_secret() {
        for text in
            ["", "whsec_", "whsec_MfKQ", &"MTIz".repeat(7), &"MTIz".repeat(22), "!MfKQ9r8GKY"]
        {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
